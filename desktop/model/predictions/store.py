"""All predictions that the window keeps. Filled by feeds' threads, read by the GUI thread."""

import threading
from collections import defaultdict
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from desktop.model.predictions.event import Event, EventFilter, EventKey
from desktop.model.predictions.events import EventLog
from desktop.model.predictions.expectations import Expectations
from desktop.model.predictions.marks import MAX_MARKS, MarkTable
from desktop.model.predictions.record import Grade, Prediction
from desktop.model.predictions.status import PredictionStatus
from desktop.model.snapshot import NO_MARKS, Expected, Marks

#: New events that wait for somebody to tell of them.
MAX_NEWS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Interest:
    """What a feed need not leave out: everything else may be dropped before it is looked at closely.

    Attributes:
        focus: Devices whose expected values are drawn.
        odd: Ids of readings that were odd so far: another word on them counts.
        silent: (device, sensor) whose next reading ends a dropout.
    """

    focus: Container[str]
    odd: Container[str]
    silent: Container[tuple[str, str]]


class PredictionStore:
    """Expected values of the focus devices, and every anomaly. Any thread may call; no call takes long."""

    def __init__(self, *, max_marks: int = MAX_MARKS) -> None:
        self._max_marks = max_marks
        self._lock = threading.Lock()
        self._focus: tuple[str, ...] = ()
        self._expected: dict[tuple[str, str], Expectations] = {}
        self._marks: dict[str, MarkTable] = {}
        self._log = EventLog()
        self._news: dict[EventKey, None] = {}
        self._status = PredictionStatus()

    # --- feeding -----------------------------------------------------------------------------------------------------

    @property
    def interest(self) -> Interest:
        """As of now."""
        return Interest(frozenset(self._focus), self._log.odd, self._log.silences)

    @property
    def focus(self) -> tuple[str, ...]:
        """Devices whose expected values are kept."""
        return self._focus

    def set_focus(self, device_ids: Sequence[str]) -> None:
        """Keep expected values of these devices alone."""
        with self._lock:
            self._focus = tuple(device_ids)
            self._expected = {key: kept for key, kept in self._expected.items() if key[1] in self._focus}

    def ingest(self, predictions: Sequence[Prediction], *, news: bool = False) -> list[Event]:
        """Take what the job published.

        Args:
            predictions: Of any device and sensor, in any order.
            news: Whether events that begin with them are to be told of: not those of the past.

        Returns:
            Events that are new.
        """
        by_sensor: dict[str, list[Prediction]] = defaultdict(list)
        by_series: dict[tuple[str, str], list[Prediction]] = defaultdict(list)
        with self._lock:
            for p in predictions:
                by_sensor[p.sensor].append(p)
                if p.device_id in self._focus:
                    by_series[p.sensor, p.device_id].append(p)
            for sensor, of_sensor in by_sensor.items():
                if sensor not in self._marks:
                    self._marks[sensor] = MarkTable(self._max_marks)
                self._marks[sensor].add(of_sensor)
            for key, mine in by_series.items():
                self._expected.setdefault(key, Expectations()).add(mine)
            new = self._log.add(predictions)
            if news:
                self._news.update(dict.fromkeys(e.key for e in new[:MAX_NEWS]))
                while len(self._news) > MAX_NEWS:
                    del self._news[next(iter(self._news))]
            return new

    def drop_before(self, limit_ms: int) -> None:
        """Forget expected values and marks that no chart reaches any more; events stay."""
        with self._lock:
            for kept in self._expected.values():
                kept.drop_before(limit_ms)
            for marks in self._marks.values():
                marks.drop_before(limit_ms)

    def set_acknowledged(self, acknowledged: Mapping[EventKey, tuple[str, float]]) -> None:
        """As of `EventLog`."""
        with self._lock:
            self._log.set_acknowledged(acknowledged)

    def set_fleet(self, counts: Mapping[str, int]) -> None:
        """As of `EventLog`."""
        with self._lock:
            self._log.set_fleet(counts)

    def end_silence(self, key: EventKey, t_ms: int) -> None:
        """As of `EventLog`."""
        with self._lock:
            self._log.end_silence(key, t_ms)

    def note(self, **changes: Any) -> None:
        """Change fields of `status`."""
        with self._lock:
            self._status = replace(self._status, **changes)

    # --- reading -----------------------------------------------------------------------------------------------------

    @property
    def status(self) -> PredictionStatus:
        """Of the prediction as a whole."""
        return self._status

    def expected(self, sensor: str, start: float, end: float, pixels: int) -> tuple[Expected, ...]:
        """Expected values of the focus devices that have any, in the order of the legend; times in seconds."""
        with self._lock:
            series = [(device, self._expected.get((sensor, device))) for device in self._focus]
            cuts = [s.cut(device, int(start * 1000), int(end * 1000), pixels) for device, s in series if s is not None]
        return tuple(cut for cut in cuts if cut is not None)

    def marks(self, sensor: str, start: float, end: float, devices: Collection[str] = ()) -> Marks:
        """Odd readings between two times (seconds), ascending; of these devices, or of all where none are given."""
        with self._lock:
            table = self._marks.get(sensor)
            return table.cut(start, end, devices, without=self._log.left) if table is not None else NO_MARKS

    def events(self, wanted: EventFilter | None = None) -> list[Event]:
        """As of `EventLog`."""
        with self._lock:
            return self._log.events(wanted)

    def find(self, key: EventKey) -> Event | None:
        """As of `EventLog`."""
        with self._lock:
            return self._log.find(key)

    def take_news(self) -> list[EventKey]:
        """New events since the last call; some may be gone already."""
        with self._lock:
            news, self._news = list(self._news), {}
            return news

    def open_by_grade(self) -> dict[Grade, int]:
        """As of `EventLog`."""
        with self._lock:
            return self._log.open_by_grade()

    def open_count(self, least: Grade = Grade.WARNING) -> int:
        """As of `EventLog`."""
        with self._lock:
            return self._log.open_count(least)

    @property
    def version(self) -> int:
        """Grows with each change of the events."""
        return self._log.version
