"""What was wanted, sent, repeated and given up: the numbers of `GET /api/v1/fleet`."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

RATE_WINDOW_S: Final = 5.0


class RateMeter:
    """Events per second over a sliding window.

    Args:
        window_s: Length of the window.
    """

    def __init__(self, *, window_s: float = RATE_WINDOW_S) -> None:
        self.window_s = window_s
        self._entries: deque[tuple[float, int]] = deque()
        self._sum = 0

    def add(self, n: int, now_s: float) -> None:
        self._entries.append((now_s, n))
        self._sum += n
        self._forget(now_s)

    def per_s(self, now_s: float) -> float:
        self._forget(now_s)
        return self._sum / self.window_s

    def clear(self) -> None:
        """Begin again: what was before has nothing to do with what comes."""
        self._entries.clear()
        self._sum = 0

    def _forget(self, now_s: float) -> None:
        while self._entries and self._entries[0][0] <= now_s - self.window_s:
            self._sum -= self._entries.popleft()[1]


@dataclass
class Counters:
    """Readings, counted since the process started.

    Attributes:
        made: Measured and handed to the sender, copies included.
        acknowledged: Taken by paai.
        retried: Posted again; a reading that is posted three times counts twice.
        given_up: By reason: buffer_full, too_old, refused (4xx), rejected (in a batch that was else taken), behind (never
            measured: this machine is too slow), stopped.
        backlog: Waiting or under way.
        last_refusal: What paai said to the last reading it did not want.
        sent: Rate of acknowledged readings.
    """

    made: int = 0
    acknowledged: int = 0
    retried: int = 0
    given_up: Counter[str] = field(default_factory=Counter)
    backlog: int = 0
    last_refusal: str = ""
    sent: RateMeter = field(default_factory=RateMeter)
