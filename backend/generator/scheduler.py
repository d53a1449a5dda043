"""Says which slot is due, when it is due.

Open loop: a slot that could not be served in time is served late with the time at which it was due; only when the generator
is more than MAX_BEHIND_S behind, whole rounds are skipped and counted. Waits on the steady clock; the grid belongs to the wall
clock, which is looked at again before every slot, so that setting it moves the grid along.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from backend.generator.clock import Clock, offset_s
from backend.generator.grid import Grid

#: A difference between the clocks that grows by more than this was somebody setting the wall clock.
STEP_S: Final = 0.05
MAX_BEHIND_S: Final = 10.0
#: The wall clock is looked at this often, however far the next slot is.
MAX_WAIT_S: Final = 0.5
#: `behind_ms` is the worst of so many seconds.
BEHIND_WINDOW_S: Final = 2.0

_log = logging.getLogger(__name__)


class Scheduler:
    """Calls `on_slot(slot, due_ms)` for each slot of the grid, in order, never before its time.

    Args:
        clock: Where time comes from.
        on_slot: Serves one slot; must not block.
        on_skipped: Told how many rounds of the whole fleet were skipped.
        on_lag: Told how late each slot is served, in seconds.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        on_slot: Callable[[int, int], None],
        on_skipped: Callable[[int], None],
        on_lag: Callable[[float], None],
    ) -> None:
        self._clock, self._on_slot, self._on_skipped, self._on_lag = clock, on_slot, on_skipped, on_lag
        self._grid = Grid(1000, ())
        self._shift_ms = 0
        self._changed = asyncio.Event()
        self._offset_s = offset_s(clock) or clock.wall() - clock.monotonic()
        self._served_ms = self.now_ms()
        self._lags: deque[tuple[float, float]] = deque()

    def now_ms(self) -> int:
        """The wall clock, epoch ms, rounded down."""
        return int(self._clock.wall() * 1000.0)

    def follow(self, interval_ms: int, slots: Iterable[int]) -> None:
        """Serve these slots from now on; none pauses.

        The slots that were due and not yet served stay due, unless there was nothing to do before.
        """
        if not self._grid:
            self._served_ms = max(self._served_ms, self.now_ms())
        self._grid = Grid(interval_ms, slots, shift_ms=self._shift_ms)
        if not self._grid:
            self._lags.clear()
        self._changed.set()

    def behind_s(self) -> float:
        """How late slots are served: the worst of the last two seconds, or of the one that waits now."""
        now_s = self._clock.monotonic()
        while self._lags and self._lags[0][0] < now_s - BEHIND_WINDOW_S:
            self._lags.popleft()
        worst = max((lag for _, lag in self._lags), default=0.0)
        if self._grid:
            due_ms, _ = self._grid.after(self._served_ms)
            worst = max(worst, self._clock.wall() - due_ms / 1000.0)
        return worst

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            self._changed.clear()
            self._look_at_clocks()
            if not self._grid:
                await self._clock.wait(self._changed, MAX_WAIT_S)
                continue
            due_ms, slot = self._grid.after(self._served_ms)
            ahead_s = due_ms / 1000.0 - self._clock.wall()
            if ahead_s > 0:
                await self._clock.wait(self._changed, min(ahead_s, MAX_WAIT_S))
                continue
            if -ahead_s > max(MAX_BEHIND_S, self._grid.interval_ms / 1000.0):
                self._skip(-ahead_s)
                continue
            self._served_ms = due_ms
            self._lags.append((self._clock.monotonic(), -ahead_s))
            self._on_lag(-ahead_s)
            self._on_slot(slot, due_ms)
            await asyncio.sleep(0)  # behind or not, requests are answered

    def _skip(self, behind_s: float) -> None:
        rounds = int(behind_s * 1000.0) // self._grid.interval_ms
        self._served_ms += rounds * self._grid.interval_ms
        _log.warning("%.1f s behind: this machine is too slow for this fleet; skipped %d rounds", behind_s, rounds)
        self._on_skipped(rounds)

    def _look_at_clocks(self) -> None:
        """Notice that the wall clock was set, and move the grid along."""
        offset = offset_s(self._clock)
        if offset is None:
            return
        step_s, self._offset_s = offset - self._offset_s, offset
        if abs(step_s) < STEP_S:
            return
        _log.warning("the system's clock was set %s by %.3f s", "forward" if step_s > 0 else "back", abs(step_s))
        if step_s < 0:
            self._shift_ms += 1  # the times of the repeated stretch must be others than before
        self._grid = Grid(self._grid.interval_ms, self._grid.slots, shift_ms=self._shift_ms)
        # Slots that were due already stay due; those of the stretch that the clock jumped over were never due.
        self._served_ms += int(step_s * 1000.0)
