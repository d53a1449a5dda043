"""What a frame draws: immutable arrays, computed off the drawing code and handed over whole.

All times are float64 seconds since the epoch (UTC). Missing values are NaN; a NaN is drawn as a gap. Arrays are never
written after they were put into one of these.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """What the charts want to see.

    Attributes:
        start, end: Visible time range, seconds since the epoch.
        pixels: Width of a chart's drawing area in device pixels; no array is finer than it needs.
        focus: Ids of the focus devices, in the order of their legend.
    """

    start: float
    end: float
    pixels: int
    focus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """Raw readings of one focus device.

    Attributes:
        device_id: Its id.
        t, value: float64[n], ascending in t; `value` NaN between two readings that are more than the gap limit apart.
    """

    device_id: str
    t: FloatArray
    value: FloatArray


@dataclass(frozen=True, slots=True)
class Envelope:
    """The fleet's raw readings of one sensor on an absolute lattice of buckets.

    Attributes:
        t: float64[n], start of each bucket, ascending, `bucket_s` apart.
        low, high, mean: float64[n], NaN in an empty bucket.
        count: int64[n], readings in the bucket.
        bucket_s: Width of a bucket in seconds.
    """

    t: FloatArray
    low: FloatArray
    high: FloatArray
    mean: FloatArray
    count: IntArray
    bucket_s: float


@dataclass(frozen=True, slots=True)
class Steps:
    """Windows, one element each, ascending, exactly [start, end).

    Attributes:
        start, end: float64[n].
        avg, low, high: float64[n]; `avg` is weighted by `count` where several devices are combined.
        count: int64[n], readings in the window.
        provisional: bool[n]; True for an open window computed from raw, not yet from MongoDB.
    """

    start: FloatArray
    end: FloatArray
    avg: FloatArray
    low: FloatArray
    high: FloatArray
    count: IntArray
    provisional: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a model expected of one focus device.

    Attributes:
        device_id: Its id.
        t, expected, lower, upper: float64[n], ascending in t; NaN in a gap and where nothing could be expected.
    """

    device_id: str
    t: FloatArray
    expected: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True, slots=True)
class Marks:
    """Odd readings, ascending in t.

    Attributes:
        t, value: float64[n]; `value` is NaN for a silence.
        grade: int8[n], 1 info, 2 warning, 3 critical.
        device_ids, reasons: n texts.
        event_ids: n texts: the `EventKey.id` of the event that each belongs to; empty where there is no log of events.
    """

    t: FloatArray
    value: FloatArray
    grade: npt.NDArray[np.int8]
    device_ids: tuple[str, ...]
    reasons: tuple[str, ...]
    event_ids: tuple[str, ...] = ()


#: Nothing odd.
NO_MARKS = Marks(np.empty(0), np.empty(0), np.empty(0, np.int8), (), ())


@dataclass(frozen=True, slots=True)
class SensorView:
    """All that one chart draws.

    Attributes:
        sensor: Name of the sensor.
        envelope: The fleet's raw readings.
        curves: Focus devices that have this sensor.
        steps: Windows of the whole fleet (count-weighted average, min of minima, max of maxima).
        focus_steps: Windows of each focus device, by device id.
        devices: Devices that reported in the last `reporting_s` seconds.
        mean, low, high: Of the last reporting_s seconds of raw readings; NaN without any.
        expected: What was expected of focus devices.
        marks: Odd readings.
    """

    sensor: str
    envelope: Envelope
    curves: tuple[Curve, ...]
    steps: Steps
    focus_steps: dict[str, Steps]
    devices: int
    mean: float
    low: float
    high: float
    expected: tuple[Expected, ...] = ()
    marks: Marks = NO_MARKS


@dataclass(frozen=True, slots=True)
class FeedStats:
    """The status bar's figures.

    Attributes:
        readings_per_s: Readings received from Kafka per second, over the last 5 s.
        latency_ms: Median device-to-model latency of the last second's readings (timestamp → stored here), or NaN.
        consumer_lag: Records in the topic that this desktop has not read yet, or -1 when unknown.
        received: Readings since the start.
        malformed: Records that could not be decoded, since the start.
        last_received: When the last reading came, seconds since the epoch, or None.
        newest_window_end: End of the newest window from MongoDB, or None.
        window_delay_s: How long after its end the newest window became visible here, or NaN.
        late_rows: Readings that Spark left out of windows because they came too late, since the job's start.
        buffer_bytes: Memory of all buffers.
        oldest: Time of the oldest raw reading kept, or None.
    """

    readings_per_s: float = 0.0
    latency_ms: float = float("nan")
    consumer_lag: int = -1
    received: int = 0
    malformed: int = 0
    last_received: float | None = None
    newest_window_end: float | None = None
    window_delay_s: float = float("nan")
    late_rows: int = 0
    buffer_bytes: int = 0
    oldest: float | None = None


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """One frame.

    Attributes:
        taken: When it was taken, seconds since the epoch.
        request: What it answers.
        views: By sensor, in the order of `backend.contract.devices.DEVICE_TYPES`.
        stats: See `FeedStats`.
    """

    taken: float
    request: ViewRequest
    views: dict[str, SensorView]
    stats: FeedStats = field(default_factory=FeedStats)
