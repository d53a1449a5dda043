"""What a chart says at one time, from both sources. No Qt."""

from dataclasses import dataclass

import numpy as np

from desktop.model.snapshot import Curve, Envelope, SensorView, Steps


@dataclass(frozen=True, slots=True)
class RawAt:
    """The fleet's raw readings in the bucket at that time."""

    low: float
    mean: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class WindowAt:
    """The window at that time."""

    start: float
    end: float
    avg: float
    low: float
    high: float
    count: int
    provisional: bool


@dataclass(frozen=True, slots=True)
class FocusAt:
    """A focus device at that time: its last reading at or before it, and its window.

    Attributes:
        device_id: Its id.
        t: When the reading was measured; NaN in a gap.
        value: NaN in a gap.
        window: None where there is none.
    """

    device_id: str
    t: float
    value: float
    window: WindowAt | None


@dataclass(frozen=True, slots=True)
class Readout:
    """All that the crosshair says in one chart."""

    at: float
    raw: RawAt | None
    window: WindowAt | None
    focus: tuple[FocusAt, ...]


def read_at(view: SensorView, at: float) -> Readout:
    """Both sources at time `at` (seconds since the epoch)."""
    return Readout(
        at,
        raw_at(view.envelope, at),
        window_at(view.steps, at),
        tuple(_focus_at(c, view.focus_steps.get(c.device_id), at) for c in view.curves),
    )


def raw_at(envelope: Envelope, at: float) -> RawAt | None:
    """The bucket that holds `at`; None where it is empty."""
    i = int(np.searchsorted(envelope.t, at, "right")) - 1
    if i < 0 or at >= envelope.t[i] + envelope.bucket_s or not np.isfinite(envelope.mean[i]):
        return None
    return RawAt(float(envelope.low[i]), float(envelope.mean[i]), float(envelope.high[i]), int(envelope.count[i]))


def window_at(steps: Steps, at: float) -> WindowAt | None:
    """The window [start, end) that holds `at`."""
    i = int(np.searchsorted(steps.start, at, "right")) - 1
    if i < 0 or at >= steps.end[i] or not np.isfinite(steps.avg[i]):
        return None
    return WindowAt(
        float(steps.start[i]),
        float(steps.end[i]),
        float(steps.avg[i]),
        float(steps.low[i]),
        float(steps.high[i]),
        int(steps.count[i]),
        bool(steps.provisional[i]),
    )


def _focus_at(curve: Curve, steps: Steps | None, at: float) -> FocusAt:
    window = None if steps is None else window_at(steps, at)
    i = int(np.searchsorted(curve.t, at, "right")) - 1
    nan = float("nan")
    if i < 0 or not np.isfinite(curve.value[i]):
        return FocusAt(curve.device_id, nan, nan, window)
    # Past its last reading a device says nothing any more; one sampling interval is granted.
    if i == len(curve.t) - 1 and at - curve.t[i] > _interval(curve):
        return FocusAt(curve.device_id, nan, nan, window)
    return FocusAt(curve.device_id, float(curve.t[i]), float(curve.value[i]), window)


def _interval(curve: Curve) -> float:
    tail = curve.t[-8:]
    return 2.0 * float(np.median(np.diff(tail))) if len(tail) > 1 else 2.0
