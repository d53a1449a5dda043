"""The fleet's readings of one sensor as min, max, sum and count on one absolute lattice of fine buckets.

Coarser levels are reductions of the fine one, made when they are asked for: an hour at 250 ms is 14 400 buckets, which
numpy reduces in well under a millisecond, while keeping every level current would cost more for each batch.
"""

from dataclasses import dataclass

import numpy as np

from desktop.model.readings import TimeArray, ValueArray
from desktop.model.snapshot import Envelope, FloatArray, IntArray

BUCKET_MS = 250
SPAN_MS = 3_600_000
#: Widths to choose from, multiples of BUCKET_MS; each is drawn at its own absolute places, so a curve never shimmers.
LEVELS_MS = (250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000)


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """A run of neighbouring buckets; empty ones have count 0, low +inf, high -inf and total 0.

    Attributes:
        start_ms: Start of the first bucket.
        width_ms: Width of each.
        low, high, total: float64[n].
        count: int64[n].
    """

    start_ms: int
    width_ms: int
    low: FloatArray
    high: FloatArray
    total: FloatArray
    count: IntArray

    def coarser(self, factor: int) -> "Buckets":
        """Buckets `factor` times as wide. `start_ms` and the number of buckets must fit."""
        if factor == 1:
            return self
        return Buckets(
            self.start_ms,
            self.width_ms * factor,
            self.low.reshape(-1, factor).min(axis=1),
            self.high.reshape(-1, factor).max(axis=1),
            self.total.reshape(-1, factor).sum(axis=1),
            self.count.reshape(-1, factor).sum(axis=1),
        )

    def starts_ms(self) -> TimeArray:
        """int64[n], start of each bucket."""
        return self.start_ms + self.width_ms * np.arange(len(self.count), dtype=np.int64)

    def mean(self) -> FloatArray:
        """float64[n], NaN where empty."""
        with np.errstate(invalid="ignore"):
            return self.total / np.where(self.count > 0, self.count, np.nan)


class FleetLattice:
    """A ring of BUCKET_MS buckets that covers the newest `span_ms`. One writer; `cut` copies under the caller's lock."""

    def __init__(self, span_ms: int = SPAN_MS) -> None:
        self._size = span_ms // BUCKET_MS
        self._low = np.full(self._size, np.inf)
        self._high = np.full(self._size, -np.inf)
        self._total = np.zeros(self._size)
        self._count = np.zeros(self._size, dtype=np.int64)
        #: Number (time ÷ width) of the newest bucket; the ring holds it and the `_size` - 1 before it.
        self._head: int | None = None

    def add(self, t_ms: TimeArray, value: ValueArray) -> None:
        """Count readings in any order; one that is older than the ring reaches back is left out."""
        if not len(t_ms):
            return
        bucket = t_ms // BUCKET_MS
        if len(bucket) > 1 and (bucket[1:] < bucket[:-1]).any():
            order = np.argsort(bucket, kind="stable")
            bucket, value = bucket[order], value[order]
        head = self._advance(int(bucket[-1]))
        begin = int(np.searchsorted(bucket, head - self._size + 1))
        if begin:
            bucket, value = bucket[begin:], value[begin:]
            if not len(bucket):
                return
        first = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
        place = bucket[first] % self._size
        self._low[place] = np.minimum(self._low[place], np.minimum.reduceat(value, first))
        self._high[place] = np.maximum(self._high[place], np.maximum.reduceat(value, first))
        self._total[place] += np.add.reduceat(value, first)
        self._count[place] += np.diff(first, append=len(bucket))

    def replace(self, t_ms: TimeArray, old: ValueArray, new: ValueArray) -> IntArray:
        """Correct readings that were counted with another value.

        Returns:
            int64[m], ascending: numbers (time ÷ `BUCKET_MS`) of the buckets whose smallest or largest value may have gone. They
            show a range that is too wide until `set_range` is given what is in them.
        """
        bucket = t_ms // BUCKET_MS
        if self._head is None:
            return np.empty(0, dtype=np.int64)
        kept = (bucket > self._head - self._size) & (bucket <= self._head)
        bucket, old, new = bucket[kept], old[kept], new[kept]
        place = bucket % self._size
        gone = ((old <= self._low[place]) & (new > old)) | ((old >= self._high[place]) & (new < old))
        np.add.at(self._total, place, new - old)
        np.minimum.at(self._low, place, new)
        np.maximum.at(self._high, place, new)
        return np.unique(bucket[gone])

    def set_range(self, bucket: IntArray, low: FloatArray, high: FloatArray) -> None:
        """Set the smallest and the largest value of buckets that are still in the ring."""
        if self._head is not None:
            kept = (bucket > self._head - self._size) & (bucket <= self._head)
            place = bucket[kept] % self._size
            self._low[place], self._high[place] = low[kept], high[kept]

    def _advance(self, newest: int) -> int:
        if self._head is None:
            self._head = newest
        step = newest - self._head
        if step <= 0:
            return self._head
        stale = (self._head + 1 + np.arange(min(step, self._size), dtype=np.int64)) % self._size
        if step >= self._size:
            stale = np.arange(self._size)
        self._low[stale] = np.inf
        self._high[stale] = -np.inf
        self._total[stale] = 0.0
        self._count[stale] = 0
        self._head = newest
        return newest

    def cut(self, begin_ms: int, end_ms: int, align_ms: int) -> Buckets:
        """A copy of the buckets that overlap [begin_ms, end_ms), widened to multiples of `align_ms`.

        What lies outside the ring is left away; a partly kept aligned bucket is padded with empty ones.
        """
        if self._head is None:
            return self._none(begin_ms, align_ms)
        per = align_ms // BUCKET_MS
        first = max(begin_ms // align_ms * per, (self._head - self._size + 1) // per * per)
        last = min(-(-end_ms // align_ms) * per, (self._head // per + 1) * per)
        if last <= first:
            return self._none(begin_ms, align_ms)
        kept_first, kept_last = max(first, self._head - self._size + 1), min(last, self._head + 1)
        length = last - first
        low, high = np.full(length, np.inf), np.full(length, -np.inf)
        total, count = np.zeros(length), np.zeros(length, dtype=np.int64)
        at, begin = kept_first - first, kept_first % self._size
        upto = kept_last - kept_first
        head = min(upto, self._size - begin)
        for target, source in ((low, self._low), (high, self._high), (total, self._total), (count, self._count)):
            target[at : at + head] = source[begin : begin + head]
            target[at + head : at + upto] = source[: upto - head]
        return Buckets(first * BUCKET_MS, BUCKET_MS, low, high, total, count)

    @staticmethod
    def _none(begin_ms: int, align_ms: int) -> Buckets:
        empty = np.empty(0)
        return Buckets(begin_ms // align_ms * align_ms, BUCKET_MS, empty, empty, empty, np.empty(0, dtype=np.int64))

    @property
    def newest_ms(self) -> int | None:
        """Start of the newest bucket, or None."""
        return None if self._head is None else self._head * BUCKET_MS

    @property
    def nbytes(self) -> int:
        return self._low.nbytes * 4


def level_for(span_ms: float, pixels: int, interval_ms: float) -> int:
    """The narrowest level with at most one bucket a pixel that still holds every device once.

    A bucket narrower than the devices' interval would show another part of the fleet each time, and its mean would
    jump. A tenth less than the interval is accepted.
    """
    needed = max(span_ms / max(pixels, 1), 0.9 * interval_ms)
    return next((level for level in LEVELS_MS if level >= needed), LEVELS_MS[-1])


def to_envelope(buckets: Buckets) -> Envelope:
    """What a chart draws: seconds, and NaN where a bucket is empty."""
    empty = buckets.count == 0
    return Envelope(
        t=buckets.starts_ms() / 1e3,
        low=np.where(empty, np.nan, buckets.low),
        high=np.where(empty, np.nan, buckets.high),
        mean=buckets.mean(),
        count=buckets.count,
        bucket_s=buckets.width_ms / 1e3,
    )


def summary(buckets: Buckets) -> tuple[float, float, float]:
    """Mean, min and max over all buckets; NaN without any reading."""
    count = int(buckets.count.sum())
    if not count:
        return float("nan"), float("nan"), float("nan")
    return float(buckets.total.sum()) / count, float(buckets.low.min()), float(buckets.high.max())
