"""Windows of one fleet or one device: those that MongoDB has, and provisional ones from raw readings for the rest."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.contract.limits import WINDOW_S
from desktop.model.envelope import Buckets
from desktop.model.readings import TimeArray, ValueArray
from desktop.model.snapshot import FloatArray, IntArray, Steps

#: Until a stored window says how long windows are.
WINDOW_MS = WINDOW_S * 1000
#: A stored window that is longer was edited: no chart or export goes by its length.
LONGEST_WINDOW_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Window:
    """One window as MongoDB has it, of one device or of the whole fleet.

    Attributes:
        sensor: Name of the sensor.
        device_id: None for the fleet.
        start_ms, end_ms: [start, end), milliseconds since the epoch.
        avg, low, high: In the sensor's unit; `avg` weighted by count where devices are combined.
        count: Readings in it.
    """

    sensor: str
    device_id: str | None
    start_ms: int
    end_ms: int
    avg: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Windows as arrays, ascending in start, each start once.

    Attributes:
        start_ms, end_ms, count: int64[n].
        avg, low, high: float64[n].
    """

    start_ms: TimeArray
    end_ms: TimeArray
    avg: FloatArray
    low: FloatArray
    high: FloatArray
    count: IntArray

    def __len__(self) -> int:
        return len(self.start_ms)

    def where(self, keep: npt.NDArray[np.bool_] | slice) -> "Columns":
        """The chosen windows."""
        return Columns(
            self.start_ms[keep], self.end_ms[keep], self.avg[keep], self.low[keep], self.high[keep], self.count[keep]
        )

    def overlapping(self, begin_ms: int, end_ms: int) -> "Columns":
        """Windows of which some part lies in [begin_ms, end_ms)."""
        first = int(np.searchsorted(self.end_ms, begin_ms, side="right"))
        last = int(np.searchsorted(self.start_ms, end_ms))
        return self.where(slice(first, max(first, last)))


def _columns(rows: list[tuple[int, int, float, float, float, int]]) -> Columns:
    ints = np.array([(r[0], r[1], r[5]) for r in rows], dtype=np.int64).reshape(-1, 3)
    floats = np.array([(r[2], r[3], r[4]) for r in rows], dtype=np.float64).reshape(-1, 3)
    return Columns(ints[:, 0], ints[:, 1], floats[:, 0], floats[:, 1], floats[:, 2], ints[:, 2])


class WindowTable:
    """Windows from MongoDB of one fleet or device. Inserting one again replaces it.

    Insertion is rare (every ten seconds) and few rows at once, so the arrays are rebuilt and readers share them.
    """

    def __init__(self) -> None:
        self._rows: dict[int, tuple[int, int, float, float, float, int]] = {}
        self._view = _columns([])

    def put(self, windows: Iterable[Window]) -> None:
        """Insert or replace by start."""
        for w in windows:
            self._rows[w.start_ms] = (w.start_ms, w.end_ms, w.avg, w.low, w.high, w.count)
        self._view = _columns([self._rows[start] for start in sorted(self._rows)])

    def drop_before(self, limit_ms: int) -> None:
        """Forget windows that ended before."""
        if any(row[1] < limit_ms for row in self._rows.values()):
            self._rows = {start: row for start, row in self._rows.items() if row[1] >= limit_ms}
            self.put(())

    def columns(self) -> Columns:
        """All of them; never written again."""
        return self._view

    @property
    def nbytes(self) -> int:
        return len(self._rows) * 6 * 8


def from_buckets(buckets: Buckets, window_ms: int = WINDOW_MS) -> Columns:
    """Windows of this length of the fleet, from its lattice; empty windows are left out.

    `buckets` must begin and end at window edges.
    """
    if not len(buckets.count):
        return _columns([])
    wide = buckets.coarser(window_ms // buckets.width_ms)
    start = wide.starts_ms()
    every = Columns(start, start + window_ms, wide.mean(), wide.low, wide.high, wide.count)
    return every.where(wide.count > 0)


def from_readings(t_ms: TimeArray, value: ValueArray, window_ms: int = WINDOW_MS) -> Columns:
    """Windows of this length of one device from its readings, ascending in time and each once."""
    if not len(t_ms):
        return _columns([])
    start = t_ms // window_ms * window_ms
    first = np.flatnonzero(np.diff(start, prepend=start[0] - 1))
    count = np.diff(first, append=len(t_ms))
    return Columns(
        start[first],
        start[first] + window_ms,
        np.add.reduceat(value, first) / count,
        np.minimum.reduceat(value, first),
        np.maximum.reduceat(value, first),
        count,
    )


def to_steps(stored: Columns, raw: Columns) -> Steps:
    """What a chart draws: stored windows, and those from raw that are not stored."""
    missing = raw.where(~np.isin(raw.start_ms, stored.start_ms, assume_unique=True))
    start = np.concatenate((stored.start_ms, missing.start_ms))
    order = np.argsort(start, kind="stable")
    provisional = np.concatenate((np.zeros(len(stored), np.bool_), np.ones(len(missing), np.bool_)))
    return Steps(
        start=start[order] / 1e3,
        end=np.concatenate((stored.end_ms, missing.end_ms))[order] / 1e3,
        avg=np.concatenate((stored.avg, missing.avg))[order],
        low=np.concatenate((stored.low, missing.low))[order],
        high=np.concatenate((stored.high, missing.high))[order],
        count=np.concatenate((stored.count, missing.count))[order],
        provisional=provisional[order],
    )
