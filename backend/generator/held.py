"""Readings that travel later than they were measured: late ones and second copies."""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Final

from backend.generator.clock import Clock
from backend.generator.phases import SLOT_MS
from backend.generator.readings import Reading

MAX_HELD: Final = 200_000


class Held:
    """Holds readings back and hands over those of one slot together.

    Args:
        clock: Where time comes from.
        deliver: Takes readings whose time has come.
        max_held: A reading beyond this many is delivered at once.
    """

    def __init__(self, *, clock: Clock, deliver: Callable[[list[Reading]], None], max_held: int = MAX_HELD) -> None:
        self._clock, self._deliver, self._max_held = clock, deliver, max_held
        self._heap: list[tuple[float, int, Reading]] = []
        self._order = count()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._heap)

    def hold(self, reading: Reading, delay_s: float) -> bool:
        """Keep a reading for `delay_s`, rounded up to a slot. False where there is no room: deliver it now."""
        if len(self._heap) >= self._max_held:
            return False
        slot_s = SLOT_MS / 1000.0
        at_s = (int((self._clock.monotonic() + delay_s) / slot_s) + 1) * slot_s
        heappush(self._heap, (at_s, next(self._order), reading))
        self._changed.set()
        return True

    def release_all(self) -> None:
        """Deliver everything now."""
        readings = [reading for _, _, reading in sorted(self._heap)]
        self._heap.clear()
        if readings:
            self._deliver(readings)

    async def run(self) -> None:
        """Deliver what is due until cancelled."""
        while True:
            self._changed.clear()
            now_s = self._clock.monotonic()
            due: list[Reading] = []
            while self._heap and self._heap[0][0] <= now_s:
                due.append(heappop(self._heap)[2])
            if due:
                self._deliver(due)
            wait_s = self._heap[0][0] - self._clock.monotonic() if self._heap else 1.0
            if wait_s > 0:
                await self._clock.wait(self._changed, min(wait_s, 1.0))
            else:
                await asyncio.sleep(0)
