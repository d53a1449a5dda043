"""The services' clock, as this computer can tell it: charts and judgements follow it where this computer's clock is wrong.

Each HTTP answer names the second in which it was made. Between sending and receiving lies a range for the difference of the
two clocks; ranges of several answers overlap in a narrow one. A clock that is set while the window runs is noticed with the
next answer; until then the time passes as the monotonic clock says. No I/O, thread-safe.
"""

import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final

#: Below this difference the own clock is right enough: it is finer than what an HTTP answer says.
WRONG_FROM_S: Final = 2.0


class ServicesClock:
    """Call it for the services' time, seconds since the epoch.

    Args:
        wall: This computer's clock, seconds since the epoch.
        monotonic: Seconds that no setting of a clock changes.
    """

    def __init__(self, *, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._lock = threading.Lock()
        self._base: float | None = None  # wall minus monotonic, as of the last answer
        self._low = self._high = self._skew = 0.0

    def __call__(self) -> float:
        base = self._base
        if base is None:
            return self._wall()
        return self._monotonic() + base + self.skew_s

    @property
    def skew_s(self) -> float:
        """How far the services' clock is ahead of this computer's, in seconds; 0 while the difference is negligible."""
        return self._skew

    def local(self) -> float:
        """This computer's clock."""
        return self._wall()

    def observe(self, date: str, sent: float) -> None:
        """Take the ``Date`` of an answer that was asked for at `sent` (of `local`) and has just come."""
        try:
            second = parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError, OverflowError):
            return  # no answer of a service of ours, or of a proxy that writes its own
        got = self._wall()
        low, high = second - got, second + 1.0 - sent
        if low > high:
            return  # the own clock was set in between: the next answer tells
        with self._lock:
            base = self._wall() - self._monotonic()
            if self._base is not None and abs(base - self._base) > 0.5:
                self._low, self._high = low, high  # the own clock was set: what was known of it is void
            elif self._base is None or low > self._high or high < self._low:
                self._low, self._high = low, high
            else:
                self._low, self._high = max(low, self._low), min(high, self._high)
            moved = base - self._base if self._base is not None else 0.0
            self._skew = self._settled(self._skew - moved)
            self._base = base

    def _settled(self, before: float) -> float:
        """The difference to go by: as it was, as far as the range allows, so that the time does not jump."""
        if self._low < WRONG_FROM_S and self._high > -WRONG_FROM_S:
            return 0.0
        if not before:
            return (self._low + self._high) / 2
        return min(max(before, self._low), self._high)
