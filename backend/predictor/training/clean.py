"""Cleaning of a device's history. What is left out is counted by its reason."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from backend.scoring.layout import F64, I64, LIMITS, SENSOR_CODES

#: A pause longer than this many intervals is a gap.
_GAP = 2.5


@dataclass(frozen=True, slots=True)
class Series:
    """A device's readings, cleaned.

    Attributes:
        device_id: Whose.
        t_ms: Strictly increasing, epoch ms.
        values: In the sensor's unit.
        interval_ms: Usual pause between two of them.
    """

    device_id: str
    t_ms: I64
    values: F64
    interval_ms: float

    def stretches(self, until_ms: int) -> list[F64]:
        """The values before a moment, cut at gaps."""
        n = int(np.searchsorted(self.t_ms, until_ms))
        cuts = np.flatnonzero(np.diff(self.t_ms[:n]) > _GAP * self.interval_ms) + 1
        return np.split(self.values[:n], cuts)


def clean(device_id: str, sensor: str, t_ms: I64, values: F64, counts: Counter[str]) -> Series | None:
    """Sort, leave out what says nothing, and say how much that was.

    Args:
        device_id, sensor: Whose.
        t_ms, values: As stored, in any order.
        counts: Gets what was left out, by reason.

    Returns:
        The series, or None where nothing is left.
    """
    low, high = LIMITS[SENSOR_CODES[sensor]]
    counts["read"] += len(t_ms)
    finite = np.isfinite(values)
    counts["missing"] += int(np.count_nonzero(~finite))
    possible = finite & (values >= low) & (values <= high)
    counts["impossible"] += int(np.count_nonzero(finite & ~possible))
    t_ms, values = t_ms[possible], values[possible]
    order = np.argsort(t_ms, kind="stable")
    t_ms, values = t_ms[order], values[order]
    last = np.r_[t_ms[1:] != t_ms[:-1], True] if len(t_ms) else np.zeros(0, dtype=np.bool_)
    counts["duplicates"] += int(np.count_nonzero(~last))
    t_ms, values = t_ms[last], values[last]
    counts["used"] += len(t_ms)
    if len(t_ms) < 2:
        return None
    pauses = np.diff(t_ms)
    interval_ms = float(np.median(pauses))
    counts["gaps"] += int(np.count_nonzero(pauses > _GAP * interval_ms))
    return Series(device_id, t_ms, values, interval_ms)
