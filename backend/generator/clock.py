"""Time as the generator needs it: a steady clock for waiting, the wall clock for stamping."""

import asyncio
import time
from typing import Final, Protocol


class Clock(Protocol):
    """Two clocks and a wait. `monotonic` never jumps; `wall` is epoch seconds and may be set by anybody."""

    def monotonic(self) -> float: ...

    def wall(self) -> float: ...

    async def wait(self, event: asyncio.Event, timeout_s: float) -> bool:
        """Wait until `event` is set, at most `timeout_s`. True if it was."""
        ...


#: Reading both clocks takes microseconds; when it took longer, the process was suspended in between.
_QUICK_S: Final = 0.002


def offset_s(clock: Clock) -> float | None:
    """Wall clock minus steady clock, or None when this process was suspended each time it read them."""
    for _ in range(5):
        before, wall, after = clock.monotonic(), clock.wall(), clock.monotonic()
        if after - before < _QUICK_S:
            return wall - after
    return None


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    async def wait(self, event: asyncio.Event, timeout_s: float) -> bool:
        if not event.is_set() and timeout_s > 0:
            try:
                async with asyncio.timeout(timeout_s):
                    await event.wait()
            except TimeoutError:
                return False
        return event.is_set()
