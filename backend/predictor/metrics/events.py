"""Detections against labelled events: one detection an event, whatever the number of readings that it marks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from backend.scoring.layout import I64, Bool


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of time, epoch ms: a labelled event (begin ≤ t < end), or a detection (first and last marked reading).

    Attributes:
        begin, end: Of it.
        found_ms: When a detection was made; `begin` for a labelled event.
    """

    begin: int
    end: int
    found_ms: int = 0


@dataclass(slots=True)
class Tally:
    """Counts over many series.

    Attributes:
        hits, misses: Labelled events that have a detection of their own, and that have none.
        false: Detections that are left.
        delays_s: From the begin of each event that was hit to its detection.
        left: The detections that are left.
    """

    hits: int = 0
    misses: int = 0
    false: int = 0
    delays_s: list[float] = field(default_factory=list)
    left: list[Span] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Part of the detections that are right; 0 where there are none."""
        return self.hits / max(self.hits + self.false, 1)

    @property
    def recall(self) -> float:
        """Part of the events that were detected."""
        return self.hits / max(self.hits + self.misses, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        return 2.0 * self.hits / max(2 * self.hits + self.false + self.misses, 1)

    @property
    def delay_s(self) -> float | None:
        """Median delay."""
        return float(np.median(self.delays_s)) if self.delays_s else None

    def add(self, events: Iterable[Span], detections: Iterable[Span], *, tolerance_ms: int) -> None:
        """Match one series' detections with its events, each with at most one, in the order of time.

        Args:
            events: Labelled.
            detections: Found.
            tolerance_ms: So long after its end an event may still be hit.
        """
        truth = sorted(events)
        used = [False] * len(truth)
        first = 0
        for found in sorted(detections):
            while first < len(truth) and used[first]:
                first += 1
            at = next(
                (
                    i
                    for i in range(first, len(truth))
                    if not used[i] and found.begin < truth[i].end + tolerance_ms and found.end >= truth[i].begin
                ),
                None,
            )
            if at is None:
                self.false += 1
                self.left.append(found)
            else:
                used[at] = True
                self.hits += 1
                self.delays_s.append(max(0, found.found_ms - truth[at].begin) / 1000.0)
        self.misses += used.count(False)


def grouped(t_ms: I64, odd: Bool, *, join_ms: int) -> list[Span]:
    """Detections made of marked readings: those closer than `join_ms` are one.

    Args:
        t_ms: Sorted times of the readings.
        odd: Which are marked.
        join_ms: See above.
    """
    times = t_ms[odd]
    if not times.size:
        return []
    cuts = np.flatnonzero(np.diff(times) > join_ms) + 1
    return [Span(int(part[0]), int(part[-1]), int(part[0])) for part in np.split(times, cuts)]


def touches(found: Span, events: Sequence[Span], *, tolerance_ms: int) -> bool:
    """Whether a detection lies in or just after any of the events."""
    return any(found.begin < e.end + tolerance_ms and found.end >= e.begin for e in events)
