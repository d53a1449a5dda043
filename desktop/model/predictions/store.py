"""All predictions that the window keeps. Filled by a feed's thread, read by the GUI thread."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from desktop.model.predictions.events import Event, EventFilter, EventKey, EventLog
from desktop.model.predictions.expectations import Expectations
from desktop.model.predictions.record import Grade, Prediction
from desktop.model.snapshot import Expected, Marks

#: Odd readings kept a sensor, for the charts.
MAX_MARKS: Final = 20_000


class PredictionStore:
    """Expected values of the focus devices, and every anomaly. Any thread may call; no call takes long."""

    def __init__(self, *, max_marks: int = MAX_MARKS) -> None:
        self._max_marks = max_marks
        self._lock = threading.Lock()
        self._focus: tuple[str, ...] = ()
        self._expected: dict[tuple[str, str], Expectations] = {}
        self._marks: dict[str, dict[str, Prediction]] = defaultdict(dict)  # by sensor, then by id; in order of arrival
        self._log = EventLog()

    def set_focus(self, device_ids: Sequence[str]) -> None:
        """Keep expected values of these devices alone."""
        with self._lock:
            self._focus = tuple(device_ids)
            self._expected = {key: kept for key, kept in self._expected.items() if key[1] in self._focus}

    def ingest(self, predictions: Sequence[Prediction]) -> list[Event]:
        """Take what the job published. Returns events that are new."""
        by_series: dict[tuple[str, str], list[Prediction]] = defaultdict(list)
        with self._lock:
            for p in predictions:
                if p.device_id in self._focus:
                    by_series[p.sensor, p.device_id].append(p)
                marks = self._marks[p.sensor]
                marks.pop(p.id, None)
                if p.anomaly:
                    marks[p.id] = p
                    if len(marks) > self._max_marks:
                        del marks[next(iter(marks))]
            for key, mine in by_series.items():
                self._expected.setdefault(key, Expectations()).add(mine)
            return self._log.add(predictions)

    def expected(self, sensor: str, start: float, end: float, pixels: int) -> tuple[Expected, ...]:
        """Expected values of the focus devices that have any, in the order of the legend; times in seconds."""
        with self._lock:
            series = [(device, self._expected.get((sensor, device))) for device in self._focus]
            cuts = [s.cut(device, int(start * 1000), int(end * 1000), pixels) for device, s in series if s is not None]
        return tuple(cut for cut in cuts if cut is not None)

    def marks(self, sensor: str, start: float, end: float) -> Marks:
        """Odd readings between two times (seconds), ascending."""
        with self._lock:
            found = [p for p in self._marks[sensor].values() if start <= p.t_ms / 1e3 <= end]
        found.sort(key=lambda p: p.t_ms)
        return Marks(
            t=np.array([p.t_ms / 1e3 for p in found], dtype=np.float64),
            value=np.array([p.value for p in found], dtype=np.float64),
            grade=np.array([int(p.grade) for p in found], dtype=np.int8),
            device_ids=tuple(p.device_id for p in found),
            reasons=tuple(p.reason for p in found),
        )

    def events(self, wanted: EventFilter | None = None) -> list[Event]:
        """As of `EventLog`."""
        with self._lock:
            return self._log.events(wanted)

    def acknowledge(self, keys: Iterable[EventKey], *, by: str, at: float) -> None:
        """As of `EventLog`."""
        with self._lock:
            self._log.acknowledge(keys, by=by, at=at)

    def open_count(self, least: Grade = Grade.WARNING) -> int:
        """As of `EventLog`."""
        with self._lock:
            return self._log.open_count(least)

    @property
    def version(self) -> int:
        """Grows with each change of the events."""
        with self._lock:
            return self._log.version
