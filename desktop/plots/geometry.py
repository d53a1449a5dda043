"""From snapshot arrays to the vertices that are drawn: whole arrays at a time, gaps kept as gaps. No Qt."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from desktop.model.snapshot import Curve, Envelope, Expected, FloatArray, SensorView, Steps

IndexArray = npt.NDArray[np.intp]


class Vertices(NamedTuple):
    """A path with several parts.

    Attributes:
        x, y: float64[n], finite.
        connect: int32[n]; 1 where a vertex is joined to the *next* one.
    """

    x: FloatArray
    y: FloatArray
    connect: npt.NDArray[np.int32]


class Rects(NamedTuple):
    """Rectangles, float64[n] each, `low` ≤ `high`."""

    start: FloatArray
    end: FloatArray
    low: FloatArray
    high: FloatArray


def same(one: NamedTuple, other: NamedTuple) -> bool:
    """Whether the arrays of two `Vertices` or two `Rects` are equal: from frame to frame they mostly are."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def same_envelope(one: Envelope, other: Envelope) -> bool:
    """Whether two envelopes are drawn alike."""
    if one.bucket_s != other.bucket_s or len(one.t) != len(other.t):
        return False
    pairs = ((one.t, other.t), (one.mean, other.mean), (one.low, other.low), (one.high, other.high))
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def _runs(present: npt.NDArray[np.bool_]) -> tuple[IndexArray, IndexArray]:
    """First index and one past the last of each run of True."""
    edges = np.diff(np.concatenate(([False], present, [False])).astype(np.int8))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _extended(envelope: Envelope) -> tuple[FloatArray, IndexArray, IndexArray, IndexArray]:
    """Bucket centres, with the outer edge of the outer buckets of each run added: a lone bucket stays visible.

    Returns:
        x (edges and centres), source (index of the bucket that each belongs to), first and last + 1 position of each run.
    """
    starts, ends = _runs(np.isfinite(envelope.mean))
    lengths = ends - starts + 2
    last = np.cumsum(lengths)
    first = last - lengths
    source = np.empty(int(last[-1]) if len(last) else 0, np.intp)
    if len(source) == 0:
        return np.empty(0), source, first, last
    run = np.repeat(np.arange(len(starts)), lengths)
    within = np.arange(len(source)) - first[run]
    source[:] = np.clip(starts[run] + within - 1, starts[run], ends[run] - 1)
    x = envelope.t[source] + envelope.bucket_s / 2
    x[first] -= envelope.bucket_s / 2
    x[last - 1] += envelope.bucket_s / 2
    return x, source, first, last


def envelope_shape(envelope: Envelope) -> tuple[Vertices, Vertices]:
    """`envelope_polygon` and `mean_line`, which share their abscissae."""
    extended = _extended(envelope)
    return _polygon(envelope, *extended), _mean(envelope, *extended)


def envelope_polygon(envelope: Envelope) -> Vertices:
    """One closed outline a run of buckets: along the maxima, back along the minima."""
    return _polygon(envelope, *_extended(envelope))


def mean_line(envelope: Envelope) -> Vertices:
    """The mean of each bucket, joined within a run."""
    return _mean(envelope, *_extended(envelope))


def _polygon(envelope: Envelope, x: FloatArray, source: IndexArray, first: IndexArray, last: IndexArray) -> Vertices:
    n = len(x)
    if n == 0:
        return _NOTHING
    lengths = last - first
    run = np.repeat(np.arange(len(first)), lengths)
    within = np.arange(n) - first[run]
    forth = 2 * first[run] + within
    back = 2 * first[run] + 2 * lengths[run] - 1 - within
    px, py = np.empty(2 * n), np.empty(2 * n)
    px[forth], px[back] = x, x
    py[forth], py[back] = envelope.high[source], envelope.low[source]
    connect = np.ones(2 * n, np.int32)
    connect[2 * last - 1] = 0
    return Vertices(px, py, connect)


def _mean(envelope: Envelope, x: FloatArray, source: IndexArray, first: IndexArray, last: IndexArray) -> Vertices:
    connect = np.ones(len(x), np.int32)
    connect[last - 1] = 0
    return Vertices(x, envelope.mean[source], connect)


def band_polygon(expected: Expected) -> Vertices:
    """One closed outline a run of expected values: along the upper limits, back along the lower ones."""
    x: list[FloatArray] = []
    y: list[FloatArray] = []
    connect: list[npt.NDArray[np.int32]] = []
    for start, end in zip(*_runs(np.isfinite(expected.lower) & np.isfinite(expected.upper)), strict=True):
        if end - start < 2:
            continue  # a single one encloses no area
        part = slice(start, end)
        x += [expected.t[part], expected.t[part][::-1]]
        y += [expected.upper[part], expected.lower[part][::-1]]
        connect.append(np.append(np.ones(2 * (end - start) - 1, np.int32), np.int32(0)))
    return Vertices(np.concatenate(x), np.concatenate(y), np.concatenate(connect)) if x else _NOTHING


def expected_line(expected: Expected) -> Vertices:
    """The expected values, joined but for gaps."""
    return curve_line(Curve(expected.device_id, expected.t, expected.expected))


def curve_line(curve: Curve) -> Vertices:
    """A device's readings, joined but for gaps."""
    finite = np.isfinite(curve.value)
    joined = np.zeros(len(finite), np.int32)
    joined[:-1] = finite[:-1] & finite[1:]
    return Vertices(curve.t[finite], curve.value[finite], joined[finite])


def curve_points(curve: Curve, *, seconds_per_pixel: float, spacing_px: float) -> tuple[FloatArray, FloatArray]:
    """Readings to mark with a dot: all of them where they stand at least `spacing_px` apart, else those without neighbours."""
    finite = np.isfinite(curve.value)
    t, value = curve.t[finite], curve.value[finite]
    if len(t) == 0:
        return t, value
    if len(t) > 1 and (t[-1] - t[0]) / (len(t) - 1) >= spacing_px * seconds_per_pixel:
        return t, value
    padded = np.concatenate(([False], finite, [False]))
    lone = finite & ~padded[:-2] & ~padded[2:]
    return curve.t[lone], curve.value[lone]


def step_line(steps: Steps, *, provisional: bool) -> Vertices:
    """The average of each window over exactly [start, end); risers only between windows that touch."""
    keep = np.isfinite(steps.avg) & (steps.provisional == provisional)
    start, end, avg = steps.start[keep], steps.end[keep], steps.avg[keep]
    n = len(start)
    x, y = np.empty(2 * n), np.repeat(avg, 2)
    x[0::2], x[1::2] = start, end
    connect = np.ones(2 * n, np.int32)
    if n:
        connect[1::2] = np.concatenate((np.abs(end[:-1] - start[1:]) < 1e-3, [False]))
    return Vertices(x, y, connect)


def step_bars(line: Vertices, *, thick_t: float, thick_value: float) -> Rects:
    """The strokes of `step_line` as rectangles: they are all level or upright.

    Args:
        line: Of `step_line`.
        thick_t: Width of an upright stroke, seconds.
        thick_value: Height of a level stroke, in units of the value axis.
    """
    x, y = line.x, line.y
    rise = np.flatnonzero(line.connect[1::2]) * 2 + 1  # the end of a window that the next one touches
    half_t, half_value = thick_t / 2, thick_value / 2
    low, high = np.minimum(y[rise], y[rise + 1]), np.maximum(y[rise], y[rise + 1])
    return Rects(
        np.concatenate((x[0::2], x[rise] - half_t)),
        np.concatenate((x[1::2], x[rise] + half_t)),
        np.concatenate((y[0::2] - half_value, low - half_value)),
        np.concatenate((y[0::2] + half_value, high + half_value)),
    )


def step_bands(steps: Steps, *, provisional: bool) -> Rects:
    """Minimum to maximum of each window."""
    keep = np.isfinite(steps.low) & np.isfinite(steps.high) & (steps.provisional == provisional)
    return Rects(steps.start[keep], steps.end[keep], steps.low[keep], steps.high[keep])


def value_extent(start: float, end: float, envelope: Envelope, curves: tuple[Curve, ...], steps: Steps) -> tuple[float, float]:
    """Least and greatest value drawn between `start` and `end`; NaNs without any."""
    lows: list[float] = []
    highs: list[float] = []

    def take(low: FloatArray, high: FloatArray, inside: npt.NDArray[np.bool_]) -> None:
        inside = inside & np.isfinite(low) & np.isfinite(high)
        if inside.any():
            lows.append(float(low[inside].min()))
            highs.append(float(high[inside].max()))

    take(envelope.low, envelope.high, (envelope.t < end) & (envelope.t + envelope.bucket_s > start))
    for curve in curves:
        take(curve.value, curve.value, (curve.t >= start) & (curve.t <= end))
    take(steps.low, steps.high, (steps.start < end) & (steps.end > start))
    return (min(lows), max(highs)) if lows else (float("nan"), float("nan"))


def focus_extent(start: float, end: float, curves: tuple[Curve, ...], steps: Iterable[Steps]) -> tuple[float, float]:
    """Least and greatest value of the focus devices alone; NaNs without any."""
    extents = [value_extent(start, end, _NO_ENVELOPE, curves, _NO_STEPS)]
    extents += [value_extent(start, end, _NO_ENVELOPE, (), each) for each in steps]
    lows, highs = zip(*extents, strict=True)
    return float(np.fmin.reduce(lows)), float(np.fmax.reduce(highs))


def settled(envelope: Envelope, now: float) -> Envelope:
    """Without the newest bucket while it still fills: a part of the fleet has another mean and range than the whole."""
    n = len(envelope.t)
    if n < 2 or now >= envelope.t[-1] + envelope.bucket_s + _GRACE_S or envelope.count[-1] >= _FULL * envelope.count[-2]:
        return envelope
    e = envelope
    return Envelope(e.t[:-1], e.low[:-1], e.high[:-1], e.mean[:-1], e.count[:-1], e.bucket_s)


def has_data(start: float, end: float, view: SensorView) -> bool:
    """Whether anything is drawn between `start` and `end`."""
    low, _ = value_extent(start, end, view.envelope, view.curves, view.steps)
    return bool(np.isfinite(low))


#: Readings are this late at most, usually.
_GRACE_S: Final = 1.0
#: A bucket with this share of the readings of the one before counts as full.
_FULL: Final = 0.9

_NONE, _NO_COUNTS = np.empty(0), np.empty(0, np.int64)
_NO_ENVELOPE: Final = Envelope(_NONE, _NONE, _NONE, _NONE, _NO_COUNTS, 1.0)
_NO_STEPS: Final = Steps(_NONE, _NONE, _NONE, _NONE, _NONE, _NO_COUNTS, np.empty(0, np.bool_))
_NOTHING = Vertices(np.empty(0), np.empty(0), np.empty(0, np.int32))
