"""Where ticks stand and what they say. On an absolute lattice, they scroll with the data and never shimmer. No Qt."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import numpy as np

from desktop.model.figures import thousands
from desktop.model.snapshot import FloatArray

#: Distances between two labelled times, seconds.
TIME_STEPS: Final = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ticks:
    """Labelled positions along one axis.

    Attributes:
        values: float64[n], in axis units.
        labels: n texts.
        step: Distance between two ticks.
    """

    values: FloatArray
    labels: tuple[str, ...]
    step: float


NO_TICKS: Final = Ticks(np.empty(0), (), 1.0)


def utc_offset_s(at: float) -> float:
    """Offset of the machine's local time from UTC at that time, seconds."""
    offset = datetime.fromtimestamp(at, UTC).astimezone().utcoffset()
    return offset.total_seconds() if offset is not None else 0.0


def zone_label(at: float, *, utc: bool) -> str:
    """Return the time zone of the time axis: ``Time zone: UTC``, ``Time zone: local (UTC+2)``."""
    if utc:
        return "Time zone: UTC"
    minutes = round(utc_offset_s(at) / 60)
    if minutes == 0:
        return "Time zone: local (UTC)"
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes > 0 else "−"
    return f"Time zone: local (UTC{sign}{hours}{f':{rest:02}' if rest else ''})"


def time_text(at: float, *, utc: bool, decimals: int = 0) -> str:
    """``HH:MM:SS`` with decimals, truncated."""
    scale = 10**decimals
    at = math.floor(at * scale + 1e-6) / scale
    zone = UTC if utc else timezone(timedelta(seconds=utc_offset_s(at)))
    moment = datetime.fromtimestamp(at, zone)
    text = f"{moment:%H:%M:%S}"
    return f"{text}.{round((at % 1) * scale):0{decimals}d}" if decimals else text


def time_ticks(start: float, end: float, pixels: float, *, label_px: float, utc: bool) -> Ticks:
    """Ticks of a time axis.

    Args:
        start, end: Visible range, seconds since the epoch.
        pixels: Its width.
        label_px: Room that one label needs, its spacing included.
        utc: Label and align in UTC instead of local time.
    """
    if not (end > start and pixels > 0):
        return NO_TICKS
    wanted = (end - start) * label_px / pixels
    step = next((s for s in TIME_STEPS if s >= wanted), 86_400.0 * math.ceil(wanted / 86_400.0))
    # Whole hours of *local* time, also where the offset is not a whole number of steps.
    offset = 0.0 if utc else utc_offset_s((start + end) / 2)
    first = math.ceil((start + offset) / step)
    last = math.floor((end + offset) / step)
    values = np.arange(first, last + 1, dtype=np.float64) * step - offset
    decimals = 1 if step < 1 else 0
    if step >= 86_400:
        zone = UTC if utc else timezone(timedelta(seconds=offset))
        labels = tuple(f"{datetime.fromtimestamp(v, zone):%d.%m.}" for v in values.tolist())
    else:
        labels = tuple(time_text(v, utc=utc, decimals=decimals) for v in values.tolist())
    return Ticks(values, labels, float(step))


def nice_step(rough: float) -> float:
    """The smallest of 1, 2, 5 × 10ⁿ that is not below `rough`."""
    if not (math.isfinite(rough) and rough > 0):
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1.0, 2.0, 5.0):
        if factor * power >= rough * (1 - 1e-9):
            return factor * power
    return 10.0 * power


def value_ticks(low: float, high: float, pixels: float, *, label_px: float) -> Ticks:
    """Ticks of a value axis; arguments as for `time_ticks`."""
    if not (high > low and pixels > 0):
        return NO_TICKS
    step = nice_step((high - low) * label_px / pixels)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = np.arange(first, last + 1, dtype=np.float64) * step
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return Ticks(values, tuple(thousands(v, decimals) for v in values.tolist()), step)
