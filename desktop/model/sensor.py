"""All that is kept of one sensor. It guards nothing itself: `LiveStore` holds its lock around what writes."""

import numpy as np

from desktop.model.dedupe import RecentReadings
from desktop.model.envelope import FleetLattice
from desktop.model.readings import IndexArray, ReadingLog, TimeArray
from desktop.model.series import Series
from desktop.model.windows import WindowTable

_DEFAULT_INTERVAL_MS = 1_000.0


class SensorData:
    """All that is kept of one sensor."""

    def __init__(self, span_ms: int) -> None:
        self.log = ReadingLog()
        self.lattice = FleetLattice(span_ms)
        self.seen: RecentReadings | None = None  # made with the first reading: a sensor nobody has costs nothing
        self.windows = WindowTable()
        self.focus: dict[str, Series] = {}
        self.focus_windows: dict[str, WindowTable] = {}
        self.last_ms = np.empty(0, dtype=np.int64)  # by device index; 0 = never
        self.step_ms = np.empty(0, dtype=np.int64)  # last distance of two readings, by device index; 0 = unknown
        self.interval_ms = _DEFAULT_INTERVAL_MS
        self.interval_at = 0.0

    def reach(self, size: int) -> None:
        """Make room for device indices below `size`."""
        if size > len(self.last_ms):
            room = max(1024, size + size // 2) - len(self.last_ms)
            self.last_ms = np.concatenate((self.last_ms, np.zeros(room, dtype=np.int64)))
            self.step_ms = np.concatenate((self.step_ms, np.zeros(room, dtype=np.int64)))

    def note_devices(self, device: IndexArray, when: TimeArray) -> None:
        """Remember when each device was last heard of and the distance from its reading before. Sorted by device, time."""
        if not len(device):
            return
        last = np.append(device[1:] != device[:-1], True)
        first = np.append(True, last[:-1])
        # Within the batch the distance to the one before, else to what was remembered.
        before = np.where(first, self.last_ms[device], np.append(0, when[:-1]))
        step = np.where(before > 0, when - before, 0)[last]
        device, when = device[last], when[last]
        newer = when > self.last_ms[device]
        device, when, step = device[newer], when[newer], step[newer]
        self.last_ms[device] = when
        positive = step > 0
        self.step_ms[device[positive]] = step[positive]

    def interval_as_of(self, now: float) -> float:
        """Median interval of the devices that were heard of in the last minute; looked at once a second."""
        if abs(now - self.interval_at) >= 1.0:
            self.interval_at = now
            steps = self.step_ms[(self.last_ms > (now - 60) * 1000) & (self.step_ms > 0)]
            if len(steps):
                self.interval_ms = float(np.median(steps))
        return self.interval_ms

    @property
    def nbytes(self) -> int:
        series = sum(s.nbytes for s in self.focus.values())
        tables = self.windows.nbytes + sum(t.nbytes for t in self.focus_windows.values())
        seen = self.seen.nbytes if self.seen else 0
        return self.log.nbytes + self.lattice.nbytes + seen + series + tables + self.last_ms.nbytes * 2
