"""How many readings per second the system stores: measured while it falls behind, and what a larger fleet would lead to."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from desktop.model.figures import thousands
from desktop.model.progress import SinkProgress

#: A lag that grows by more than this part of what is produced will not come back by itself.
GROWTH_ENTER: Final = 0.05
GROWTH_LEAVE: Final = 0.01
#: … and counts once it is this many seconds of readings.
LAG_S: Final = 10.0
#: Observed for this long without a break. Each rate is itself a mean over 30 s.
MEASURE_S: Final = 30.0
#: The slowest rate of a measurement is at least this part of the fastest: while storing stops or starts there is no limit.
STEADY: Final = 0.7
#: Other programs and a fuller database change the limit: an old measurement is no longer shown.
MAX_AGE_S: Final = 14 * 86_400.0
#: Measurements differ by this part although nothing has changed.
NOISE: Final = 0.05
#: The services' clock may be ahead of this computer's.
_AHEAD_S: Final = 86_400.0
#: Looks that are further apart than this leave a gap.
_GAP_S: Final = 10.0


def falls_behind(sink: SinkProgress, *, known: bool = False) -> bool:
    """Return whether storing is slower than what arrives, so that the backlog grows.

    Args:
        known: Whether it did so before: leaves later than it enters.
    """
    if not _is_measured(sink):
        return False
    growing = sink.growth_per_s > sink.produced_per_s * (GROWTH_LEAVE if known else GROWTH_ENTER)
    return growing and sink.lag > sink.produced_per_s * LAG_S * (0.5 if known else 1)


def keeps_up(sink: SinkProgress) -> bool:
    """Return whether all that arrives is stored and little waits: the rate is then a lower bound of the limit."""
    if not _is_measured(sink):
        return False
    return abs(sink.growth_per_s) <= sink.produced_per_s * GROWTH_ENTER and sink.lag <= sink.produced_per_s * LAG_S


def _is_measured(sink: SinkProgress) -> bool:
    return sink.lag >= 0 and math.isfinite(sink.growth_per_s) and sink.produced_per_s > 0


@dataclass(frozen=True, slots=True)
class Limit:
    """What the system stores at most.

    Attributes:
        per_s: Readings per second.
        at: When it was measured, seconds since the epoch.
    """

    per_s: float
    at: float

    def to_text(self) -> str:
        """Return the form that settings keep."""
        return f"{self.per_s:.1f} {self.at:.0f}"

    @classmethod
    def from_text(cls, text: str, *, now: float) -> "Limit | None":
        """Return what `to_text` wrote; None where it is damaged, too old, or from the future."""
        try:
            per_s, at = (float(part) for part in text.split())
        except ValueError:
            return None
        good = math.isfinite(per_s) and per_s > 0 and -_AHEAD_S <= now - at <= MAX_AGE_S
        return cls(per_s, at) if good else None


class LimitMeter:
    """Derive the limit from one observation of the sink after another. Owned by one thread.

    Attributes:
        limit: As last measured; None while falling behind has not been seen, or since more was stored than that.
    """

    def __init__(self, limit: Limit | None = None) -> None:
        self.limit = limit
        self._behind: deque[tuple[float, float]] = deque()
        self._level: deque[tuple[float, float]] = deque()
        self._at = 0.0

    def add(self, sink: SinkProgress) -> None:
        """Take an observation; one that was taken already is ignored."""
        if sink.at <= self._at:
            return
        if sink.at - self._at > _GAP_S:
            self._behind.clear()
            self._level.clear()
        self._at = sink.at
        if self.limit is not None and sink.at - self.limit.at > MAX_AGE_S:
            self.limit = None
        rates = self._collect(self._behind, sink, falls_behind(sink, known=bool(self._behind)))
        if rates and min(rates) > 0 and min(rates) >= STEADY * max(rates):
            self.limit = Limit(median(rates), sink.at)
        rates = self._collect(self._level, sink, keeps_up(sink))
        # Stored in full and more than the limit: the limit lies higher now, and nobody has seen where.
        if rates and self.limit is not None and min(rates) > self.limit.per_s * (1 + NOISE):
            self.limit = None

    @staticmethod
    def _collect(kept: deque[tuple[float, float]], sink: SinkProgress, holds: bool) -> list[float]:
        """Return the rates of the last `MEASURE_S`; empty before it has held for so long."""
        if not holds:
            kept.clear()
            return []
        kept.append((sink.at, sink.stored_per_s))
        while len(kept) > 1 and kept[1][0] <= sink.at - MEASURE_S:
            kept.popleft()
        return [rate for _, rate in kept] if sink.at - kept[0][0] >= MEASURE_S else []


def rounded(per_s: float) -> float:
    """Return two figures of a measured rate: more would claim an accuracy that it does not have."""
    if not per_s > 0:
        return 0.0
    unit = 10.0 ** max(math.floor(math.log10(per_s)) - 1, 0)
    return round(per_s / unit) * unit


def devices_within(limit_per_s: float, counts: Mapping[str, int], tag: str, interval_s: float) -> int:
    """Return how many devices of type `tag` may send beside the others before the limit is reached."""
    others = sum(count for other, count in counts.items() if other != tag)
    return max(0, math.floor(limit_per_s * interval_s + 1e-6) - others)


def exceeds(limit_per_s: float, wanted_per_s: float) -> bool:
    """Return whether readings of a fleet that sends so many per second would fall behind."""
    return wanted_per_s > limit_per_s * (1 + NOISE)


def outlook(limit_per_s: float, wanted_per_s: float) -> str:
    """Return one sentence on what a fleet that sends so many readings per second leads to."""
    limit = rounded(limit_per_s)
    if not exceeds(limit_per_s, wanted_per_s):
        return f"Mark: the system stores about {thousands(limit)} readings/s."
    return (
        f"At {thousands(wanted_per_s)} readings/s stored readings fall behind: about {thousands(limit)} are stored, "
        f"the backlog grows by {thousands(rounded(wanted_per_s - limit))}/s."
    )
