"""Synthetic snapshots that move as the real ones do: for charts in tests, screenshots and measurements."""

import zlib

import numpy as np

from backend.contract.devices import DEVICE_TYPES, DeviceType
from desktop.model.envelope import level_for
from desktop.model.snapshot import (
    Curve,
    Envelope,
    FeedStats,
    FloatArray,
    IntArray,
    LiveSnapshot,
    SensorView,
    Steps,
    ViewRequest,
)

#: Middle and spread of each sensor, as the generator's fleets have them.
LEVELS = {"temperature": (21.4, 1.1), "pressure": (1013.2, 1.9), "humidity": (55.0, 4.5), "heart_rate": (72.0, 8.0)}
COUNTS = {"temperature": 1200, "pressure": 300, "humidity": 300, "heart_rate": 50}
WINDOW_S = 10.0

Gap = tuple[float, float] | None


def level(sensor: str, t: FloatArray) -> FloatArray:
    """The fleet's mean at times `t`."""
    middle, spread = LEVELS[sensor]
    phase = zlib.crc32(sensor.encode()) % 100 / 16
    return middle + spread * (0.6 * np.sin(t / 47 + phase) + 0.25 * np.sin(t / 13.7 + 2 * phase))


def _noise(sensor: str, lattice: IntArray, salt: int) -> FloatArray:
    """Reproducible noise in −1 … 1 by absolute lattice index: the past does not change from frame to frame."""
    x = lattice.astype(np.uint64) * np.uint64(6364136223846793005) + np.uint64(zlib.crc32(f"{sensor}{salt}".encode()))
    x ^= x >> np.uint64(29)
    x *= np.uint64(11400714819323198485)
    return (x >> np.uint64(40)).astype(np.float64) / 2**23 - 1


def envelope(sensor: str, request: ViewRequest, now: float, *, devices: int, gap: Gap = None) -> Envelope:
    """Buckets as the store chooses them for devices at 1 Hz, between the request's edges, up to now."""
    bucket = level_for(1e3 * (request.end - request.start), request.pixels, 1000.0) / 1e3
    first, last = int(np.floor(request.start / bucket)), int(np.floor(min(request.end, now) / bucket))
    lattice = np.arange(first, max(first, last) + 1)
    t = lattice.astype(np.float64) * bucket
    spread = LEVELS[sensor][1]
    mean = level(sensor, t) + spread * 1.5 / np.sqrt(max(1.0, devices * bucket)) * _noise(sensor, lattice, 0)
    reach = spread * (2.0 if devices > 1 else 0.0)
    high = mean + reach * (1 + 0.08 * _noise(sensor, lattice, 1))
    low = mean - reach * (1 + 0.08 * _noise(sensor, lattice, 2))
    count = np.full(len(t), max(1, round(devices * bucket)), np.int64)
    if gap is not None:
        out = (t >= gap[0]) & (t < gap[1])
        mean[out] = high[out] = low[out] = np.nan
        count[out] = 0
    return Envelope(t, low, high, mean, count, bucket)


def windows(sensor: str, request: ViewRequest, now: float, *, devices: int, spread: float = 2.08, offset: float = 0.0) -> Steps:
    """Windows of 10 s from MongoDB up to 5.5 s after their end; the younger ones provisional."""
    first = int(np.floor(request.start / WINDOW_S))
    last = int(np.floor(min(request.end, now) / WINDOW_S))
    start = np.arange(first, last + 1, dtype=np.float64) * WINDOW_S
    end = start + WINDOW_S
    # The average over the window, as brute force would have it.
    fine = start[:, None] + np.linspace(0.05, 9.95, 100)[None, :]
    seen = np.where(fine <= now, level(sensor, fine), np.nan)
    with np.errstate(invalid="ignore"):
        avg = np.array([np.nanmean(row) if np.isfinite(row).any() else np.nan for row in seen]) + offset
    reach = LEVELS[sensor][1] * (spread if devices > 1 else 0.5)
    count = np.full(len(start), devices * 10, np.int64)
    return Steps(start, end, avg, avg - reach * 1.03, avg + reach * 1.03, count, end > now - 5.5)


def curve(sensor: str, device_id: str, request: ViewRequest, now: float, *, interval_s: float = 1.0) -> Curve:
    """One device's readings, one each interval, with its own offset."""
    salt = zlib.crc32(device_id.encode()) % 1000
    lattice = np.arange(int(np.ceil(request.start / interval_s)), int(np.floor(min(request.end, now) / interval_s)) + 1)
    t = lattice.astype(np.float64) * interval_s + salt / 1000 * interval_s
    keep = t <= now
    t, lattice = t[keep], lattice[keep]
    offset = LEVELS[sensor][1] * (salt % 7 - 3) * 0.4
    return Curve(device_id, t, level(sensor, t) + offset + 0.25 * LEVELS[sensor][1] * _noise(sensor, lattice, salt))


def sensor_view(device_type: DeviceType, request: ViewRequest, now: float, *, devices: int, gap: Gap = None) -> SensorView:
    """What one chart draws."""
    sensor = device_type.sensor
    focus = tuple(d for d in request.focus if d.startswith(device_type.id_prefix))
    env = envelope(sensor, request, now, devices=devices, gap=gap)
    curves = tuple(curve(sensor, d, request, now) for d in focus)
    focus_steps = {}
    for c in curves:
        salt = zlib.crc32(c.device_id.encode()) % 1000
        focus_steps[c.device_id] = windows(
            sensor, request, now, devices=1, spread=0.3, offset=LEVELS[sensor][1] * (salt % 7 - 3) * 0.4
        )
    finite = np.isfinite(env.mean)
    mean, low, high = (
        (float(env.mean[finite][-20:].mean()), float(env.low[finite][-20:].min()), float(env.high[finite][-20:].max()))
        if finite.any()
        else (float("nan"),) * 3
    )
    return SensorView(
        sensor, env, curves, windows(sensor, request, now, devices=devices), focus_steps, devices, mean, low, high
    )


def empty_view(sensor: str) -> SensorView:
    """A sensor without any data."""
    none, no_counts = np.empty(0), np.empty(0, np.int64)
    nan = float("nan")
    return SensorView(
        sensor,
        Envelope(none, none, none, none, no_counts, 0.5),
        (),
        Steps(none, none, none, none, none, no_counts, np.empty(0, np.bool_)),
        {},
        0,
        nan,
        nan,
        nan,
    )


def snapshot(
    now: float,
    *,
    span_s: float = 300.0,
    pixels: int = 900,
    end: float | None = None,
    focus: tuple[str, ...] = (),
    counts: dict[str, int] | None = None,
    gap: Gap = None,
) -> LiveSnapshot:
    """A frame at `now`, showing `span_s` up to `end` (now, unless held); types with a count of 0 have no data."""
    counts = COUNTS if counts is None else counts
    right = now if end is None else end
    request = ViewRequest(right - span_s, right, pixels, focus)
    views = {
        t.sensor: sensor_view(t, request, now, devices=counts[t.sensor], gap=gap)
        if counts.get(t.sensor)
        else empty_view(t.sensor)
        for t in DEVICE_TYPES
    }
    stats = FeedStats(
        readings_per_s=float(sum(counts.values())),
        latency_ms=140.0,
        consumer_lag=0,
        received=int(sum(counts.values()) * span_s),
        last_received=now - 0.05,
        newest_window_end=float(np.floor((now - 5.5) / 10) * 10),
        window_delay_s=5.1,
        buffer_bytes=48_000_000,
        oldest=now - 3600,
    )
    return LiveSnapshot(now, request, views, stats)
