"""Exponential backoff that forgets after a quiet time."""


class Backoff:
    """When the next attempt may be made. Times are seconds of any one monotonic clock.

    Attributes:
        attempts: Attempts since the start, never reset.
    """

    def __init__(
        self, *, first_s: float = 1.0, factor: float = 2.0, most_s: float = 60.0, forget_after_s: float = 120.0
    ) -> None:
        self._first_s, self._factor, self._most_s, self._forget_after_s = first_s, factor, most_s, forget_after_s
        self._delay_s = 0.0
        self._last: float | None = None
        self.attempts = 0

    def ready(self, now: float) -> bool:
        """Whether an attempt may be made at `now`."""
        return self._last is None or now - self._last >= self._delay_s

    def wait_s(self, now: float) -> float:
        """Seconds from `now` until `ready`."""
        return 0.0 if self._last is None else max(0.0, self._last + self._delay_s - now)

    def attempted(self, now: float) -> None:
        """An attempt was made at `now`: the next must wait longer, unless the last was long ago."""
        if self._last is None or now - self._last > self._delay_s + self._forget_after_s:
            self._delay_s = self._first_s
        else:
            self._delay_s = min(self._most_s, max(self._first_s, self._delay_s * self._factor))
        self._last = now
        self.attempts += 1
