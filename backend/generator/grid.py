"""Due times: every occupied slot once an interval, on a grid that is fixed to the wall clock."""

from bisect import bisect_right
from collections.abc import Iterable

from backend.generator.phases import phase_ms


class Grid:
    """The due times of the occupied slots. A slot's time is ``k * interval + phase + shift``, in epoch ms.

    Args:
        interval_ms: Between two readings of a device.
        slots: The occupied slots.
        shift_ms: Moves the whole grid; changed when the clock was set back, so that no time comes twice.
    """

    def __init__(self, interval_ms: int, slots: Iterable[int], *, shift_ms: int = 0) -> None:
        self.interval_ms, self._shift_ms = interval_ms, shift_ms
        self.slots = sorted(set(slots))
        self._phases = [phase_ms(slot, interval_ms) for slot in self.slots]

    def __bool__(self) -> bool:
        return bool(self.slots)

    def after(self, time_ms: int) -> tuple[int, int]:
        """The first (due time in ms, slot) later than `time_ms`. The grid must not be empty."""
        cycle, within = divmod(time_ms - self._shift_ms, self.interval_ms)
        i = bisect_right(self._phases, within)
        if i == len(self._phases):
            cycle, i = cycle + 1, 0
        return cycle * self.interval_ms + self._phases[i] + self._shift_ms, self.slots[i]
