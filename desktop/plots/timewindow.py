"""Which stretch of time the charts show: following now, or held where the user put it. No Qt."""

from typing import Final

#: Below a second there is nothing between two readings; above a day no buffer reaches.
MIN_SPAN_S: Final = 1.0
MAX_SPAN_S: Final = 86_400.0

#: The presets of the span buttons, seconds, with their labels.
SPANS: Final[tuple[tuple[float, str], ...]] = (
    (30.0, "30 s"),
    (60.0, "1 m"),
    (300.0, "5 m"),
    (900.0, "15 m"),
    (3600.0, "1 h"),
)
DEFAULT_SPAN_S: Final = 300.0


class TimeWindow:
    """A span that either ends at now or at a held time.

    Attributes:
        span_s: Width in seconds.
        held_end: Right edge while held, seconds since the epoch; None while following.
    """

    def __init__(self, *, span_s: float = DEFAULT_SPAN_S) -> None:
        self.span_s = _clamped(span_s)
        self.held_end: float | None = None

    @property
    def following(self) -> bool:
        """Whether the right edge moves with now."""
        return self.held_end is None

    def range(self, now: float) -> tuple[float, float]:
        """Start and end to show."""
        end = now if self.held_end is None else self.held_end
        return end - self.span_s, end

    def hold(self, now: float) -> None:
        """Stand still where it is."""
        if self.held_end is None:
            self.held_end = now

    def follow(self) -> None:
        """Back to live."""
        self.held_end = None

    def pan(self, seconds: float, now: float) -> None:
        """Move by `seconds` (negative: into the past). Reaching now means following again."""
        end = (now if self.held_end is None else self.held_end) + seconds
        self.held_end = None if end >= now else end

    def zoom(self, factor: float, now: float, anchor: float | None = None) -> None:
        """Scale the span by `factor`; `anchor` (a time) stays where it is on the screen.

        While following, the right edge stays at now whatever the anchor.
        """
        span = _clamped(self.span_s * factor)
        if self.held_end is not None:
            start = self.held_end - self.span_s
            at = self.held_end - self.span_s / 2 if anchor is None else min(max(anchor, start), self.held_end)
            share = (at - start) / self.span_s
            end = at + (1 - share) * span
            self.held_end = min(end, now)
        self.span_s = span

    def set_span(self, span_s: float) -> None:
        """Another width with the same right edge."""
        self.span_s = _clamped(span_s)

    def show(self, start: float, end: float, now: float) -> None:
        """Hold exactly [start, end] (a box zoom)."""
        if end <= start:
            return
        end = min(end, now)
        self.span_s = _clamped(end - start)
        self.held_end = end


def _clamped(span_s: float) -> float:
    return min(max(span_s, MIN_SPAN_S), MAX_SPAN_S)
