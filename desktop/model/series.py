"""The readings of one focus device in time order, and the curve that a chart draws of them."""

import numpy as np

from desktop.model.readings import TimeArray, ValueArray
from desktop.model.snapshot import Curve, FloatArray, IntArray

#: An hour at 50 readings/s; a faster device keeps less time.
MAX_READINGS = 180_000
#: A gap is longer than this many of the device's intervals …
GAP_INTERVALS = 2.5
#: … or longer than this while too little is known of the interval.
DEFAULT_GAP_MS = 3_000.0
#: As many long distances in a row are a slower interval.
_SLOW_RUN = 3
#: The interval is the median over the newest of this many.
_INTERVAL_SAMPLE = 64


class Series:
    """Readings of one device and sensor, ascending, each time once (the value that came last stays).

    The arrays are replaced, never written, so whoever holds them from `columns` may keep them.
    """

    def __init__(self, max_readings: int = MAX_READINGS) -> None:
        self._max = max_readings
        self._t = np.empty(0, dtype=np.int64)
        self._value = np.empty(0, dtype=np.float64)
        #: Readings dropped from the front: keeps the groups of `decimate` where they are while the series moves.
        self.dropped = 0

    def add(self, t_ms: TimeArray, value: ValueArray) -> None:
        """Merge readings in any order of time."""
        if not len(t_ms):
            return
        ordered = len(t_ms) == 1 or bool((np.diff(t_ms) > 0).all())
        if ordered and (not len(self._t) or t_ms[0] > self._t[-1]):
            t_new, v_new = np.concatenate((self._t, t_ms)), np.concatenate((self._value, value))
        else:
            t_new, v_new = merge(np.concatenate((self._t, t_ms)), np.concatenate((self._value, value)))
        self._keep(t_new, v_new, len(t_new) - self._max)

    def add_older(self, t_ms: TimeArray, value: ValueArray) -> None:
        """Merge readings that came from a slower source: what is known already wins."""
        if not len(t_ms):
            return
        t_new, v_new = merge(np.concatenate((t_ms, self._t)), np.concatenate((value, self._value)))
        self._keep(t_new, v_new, len(t_new) - self._max)

    def drop_before(self, limit_ms: int) -> None:
        """Forget what is older."""
        surplus = int(np.searchsorted(self._t, limit_ms))
        # Copying a long array for each old reading would cost more than the few bytes are worth.
        if surplus > 64 + len(self._t) // 16:
            self._keep(self._t, self._value, surplus)

    def _keep(self, t_ms: TimeArray, value: ValueArray, surplus: int) -> None:
        if surplus > 0:
            t_ms, value = t_ms[surplus:].copy(), value[surplus:].copy()
            self.dropped += surplus
        self._t, self._value = t_ms, value

    def columns(self) -> tuple[TimeArray, ValueArray]:
        """int64[n] ms and float64[n]; never written again."""
        return self._t, self._value

    def interval_ms(self) -> float:
        """Median distance of the newest readings; NaN with fewer than three."""
        if len(self._t) < 3:
            return float("nan")
        return float(np.median(np.diff(self._t[-_INTERVAL_SAMPLE:])))

    @property
    def nbytes(self) -> int:
        return self._t.nbytes + self._value.nbytes

    def __len__(self) -> int:
        return len(self._t)


def merge(t_ms: TimeArray, value: ValueArray) -> tuple[TimeArray, ValueArray]:
    """Ascending, each time once; of equal times the value given last stays."""
    order = np.argsort(t_ms, kind="stable")
    t_ms, value = t_ms[order], value[order]
    last = np.append(t_ms[1:] != t_ms[:-1], True)
    return t_ms[last], value[last]


def gaps_after(t_ms: TimeArray, interval_ms: float) -> IntArray:
    """Positions i of readings after which the line is interrupted (before reading i + 1).

    A distance is a gap when it is over 2.5 times the interval. Three or more long ones in a row are no gaps but a device
    that reported more slowly then: their median is the interval there, so a change of the interval does not turn the past
    into dots.
    """
    step = np.diff(t_ms).astype(np.float64)
    limit = GAP_INTERVALS * interval_ms if np.isfinite(interval_ms) else DEFAULT_GAP_MS
    long = np.flatnonzero(step > limit)
    if len(long) < _SLOW_RUN:
        return long
    begins = np.flatnonzero(np.diff(long, prepend=long[0] - 2) > 1)
    lengths = np.diff(begins, append=len(long))
    keep = np.ones(len(long), dtype=np.bool_)
    for begin, length in zip(begins[lengths >= _SLOW_RUN].tolist(), lengths[lengths >= _SLOW_RUN].tolist(), strict=True):
        run = step[long[begin : begin + length]]
        keep[begin : begin + length] = run > GAP_INTERVALS * np.median(run)
    return long[keep]


def decimate(value: ValueArray, most: int, offset: int = 0) -> IntArray:
    """Indices (ascending) that draw the same picture with about `most` points: min and max of each group of neighbours.

    Args:
        value: float64[n].
        most: Wanted number of points; everything stays when there are no more.
        offset: Number of the first value within its endless series; groups begin at multiples of their size in it, so
            the choice stays the same while the view moves.

    Returns:
        int64[m]; always holds the first, the last, the smallest and the largest value of every group.
    """
    n = len(value)
    if n <= most:
        return np.arange(n, dtype=np.int64)
    size = -(-2 * n // max(most, 2))
    # Sizes in powers of two: the grouping changes when the span doubles, not with every reading.
    size = 1 << (size - 1).bit_length()
    lead = offset % size
    padded = np.full(-(-(lead + n) // size) * size, np.nan)
    padded[lead : lead + n] = value
    groups = padded.reshape(-1, size)
    base = np.arange(len(groups), dtype=np.int64) * size - lead
    low = np.where(np.isnan(groups), np.inf, groups).argmin(axis=1) + base
    high = np.where(np.isnan(groups), -np.inf, groups).argmax(axis=1) + base
    return np.unique(np.concatenate(([0], low, high, [n - 1])))


def to_curve(series: Series, device_id: str, begin_ms: int, end_ms: int, pixels: int) -> Curve | None:
    """What is drawn of [begin_ms, end_ms], with one reading beyond either edge so that the line reaches it.

    Returns:
        None when the series has nothing there.
    """
    t_ms, value = series.columns()
    dropped = series.dropped
    first = max(int(np.searchsorted(t_ms, begin_ms)) - 1, 0)
    last = min(int(np.searchsorted(t_ms, end_ms, side="right")) + 1, len(t_ms))
    if last <= first or t_ms[last - 1] < begin_ms or t_ms[first] > end_ms:
        return None
    interval = series.interval_ms()
    t_ms, value = t_ms[first:last], value[first:last]
    chosen = decimate(value, 2 * max(pixels, 1), dropped + first)
    t: FloatArray = t_ms[chosen] / 1e3
    drawn: FloatArray = value[chosen]
    gaps = gaps_after(t_ms, interval)
    if len(gaps):
        # The break goes before the first chosen reading that lies behind the gap.
        before = np.unique(np.searchsorted(chosen, gaps, side="right"))
        t = np.insert(t, before, (t[before - 1] + t[before]) / 2)
        drawn = np.insert(drawn, before, np.nan)
    t.flags.writeable = False
    drawn.flags.writeable = False
    return Curve(device_id, t, drawn)
