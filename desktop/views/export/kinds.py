"""What can be exported. Each kind knows its words, whether it needs a time frame, and how to write its file."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import ClassVar, Final, Protocol

from pymongo import MongoClient

from backend.contract.devices import BY_SENSOR
from desktop.model.predictions.event import Event
from desktop.model.snapshot import SensorView, ViewRequest
from desktop.services.exports.anomalies import AnomaliesExport, AnomaliesExporter, EventsExport, EventsExporter
from desktop.services.exports.base import ExportResult, OnProgress
from desktop.services.exports.csv_file import CancelledError, CsvFile, cancelled, iso_time, safe_text
from desktop.services.exports.screen import RawSource, ScreenExport, ScreenExporter
from desktop.services.exports.stored import AggregatesExport, AggregatesExporter, RawExport, RawExporter
from desktop.services.mongo import Document, open_client
from stack.target import Endpoints

#: Run by a worker thread.
Work = Callable[[OnProgress, threading.Event], ExportResult]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user has chosen, for kinds that ask.

    Attributes:
        start, end: Seconds since the epoch.
        sensors: Empty = all.
        device_ids: Empty = all.
    """

    start: float
    end: float
    sensors: tuple[str, ...] = ()
    device_ids: tuple[str, ...] = ()


class ExportKind(Protocol):
    """One kind of export.

    Attributes:
        key: Stable name.
        title: In the dialog's list.
        explains: One sentence below it: what will be in the file.
        asks: Whether the user chooses time frame, sensors and devices.
        stem: Beginning of the file's name.
    """

    @property
    def key(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def explains(self) -> str: ...
    @property
    def asks(self) -> bool: ...
    @property
    def stem(self) -> str: ...

    def work(self, choice: Choice, path: Path) -> Work:
        """The work that writes `path`. GUI thread; must not block."""
        ...


@dataclass(frozen=True)
class ChartKind:
    """Exactly what one chart shows."""

    view: SensorView
    request: ViewRequest
    store: RawSource | None = None
    key: ClassVar[str] = "chart"
    asks: ClassVar[bool] = False

    @property
    def title(self) -> str:
        return f"The {BY_SENSOR[self.view.sensor].label.lower()} chart"

    @property
    def explains(self) -> str:
        return "The visible time: every reading of the focus devices, the fleet's minimum, mean and maximum, and the windows."

    @property
    def stem(self) -> str:
        return f"{self.view.sensor}-chart"

    def work(self, choice: Choice, path: Path) -> Work:
        job, exporter = ScreenExport(path, self.view, self.request), ScreenExporter(self.store)
        return lambda on_progress, cancel: exporter.run(job, on_progress, cancel)


def _from_mongo(endpoints: Callable[[], Endpoints], work: Callable[[MongoClient[Document]], Work]) -> Work:
    """Work with a client of its own, opened and closed on the worker's thread."""

    def run(on_progress: OnProgress, cancel: threading.Event) -> ExportResult:
        with open_client(endpoints().mongo) as client:
            return work(client)(on_progress, cancel)

    return run


@dataclass(frozen=True)
class RawKind:
    """Stored raw readings."""

    endpoints: Callable[[], Endpoints]
    key: ClassVar[str] = "raw"
    title: ClassVar[str] = "Raw readings"
    explains: ClassVar[str] = "Every stored reading of the time frame, from MongoDB."
    asks: ClassVar[bool] = True
    stem: ClassVar[str] = "readings"

    def work(self, choice: Choice, path: Path) -> Work:
        job = RawExport(path, choice.start, choice.end, choice.device_ids, choice.sensors)
        return _from_mongo(self.endpoints, lambda client: partial(RawExporter(client).run, job))


@dataclass(frozen=True)
class AggregatesKind:
    """Stored windows."""

    endpoints: Callable[[], Endpoints]
    key: ClassVar[str] = "aggregates"
    title: ClassVar[str] = "Aggregates"
    explains: ClassVar[str] = "Average, minimum, maximum and count of every device's windows, as Spark stored them."
    asks: ClassVar[bool] = True
    stem: ClassVar[str] = "aggregates"

    def work(self, choice: Choice, path: Path) -> Work:
        job = AggregatesExport(path, choice.start, choice.end, choice.device_ids, choice.sensors)
        return _from_mongo(self.endpoints, lambda client: partial(AggregatesExporter(client).run, job))


@dataclass(frozen=True)
class AnomaliesKind:
    """Stored odd readings."""

    endpoints: Callable[[], Endpoints]
    key: ClassVar[str] = "anomalies"
    title: ClassVar[str] = "Anomalies"
    explains: ClassVar[str] = (
        "Every abnormal reading of the time frame with what was expected, severity and reason, from MongoDB."
    )
    asks: ClassVar[bool] = True
    stem: ClassVar[str] = "anomalies"

    def work(self, choice: Choice, path: Path) -> Work:
        job = AnomaliesExport(path, choice.start, choice.end, choice.device_ids, choice.sensors)
        return _from_mongo(self.endpoints, lambda client: partial(AnomaliesExporter(client).run, job))


@dataclass(frozen=True)
class EventsKind:
    """The anomalies page's list."""

    events: Callable[[], Sequence[Event]] = field(repr=False)
    clock: Callable[[], float] = time.time
    key: ClassVar[str] = "events"
    title: ClassVar[str] = "The list of anomalies"
    explains: ClassVar[str] = "The anomalies shown, one row each: begin, end, kind, severity, reason, and who acknowledged it."
    asks: ClassVar[bool] = False
    stem: ClassVar[str] = "anomaly-list"

    def work(self, choice: Choice, path: Path) -> Work:
        # As the list is now: it goes on behind the dialog.
        job = EventsExport(path, tuple(self.events()), self.clock())
        return lambda on_progress, cancel: EventsExporter().run(job, on_progress, cancel)


class StatisticsRow(Protocol):
    """A row of the history page's table."""

    @property
    def device_id(self) -> str: ...
    @property
    def sensor(self) -> str: ...
    @property
    def average(self) -> float: ...
    @property
    def maximum(self) -> float: ...
    @property
    def minimum(self) -> float: ...
    @property
    def count(self) -> int: ...


STATISTICS_HEADER: Final = ("device_id", "sensor", "unit", "from", "to", "average", "minimum", "maximum", "count")


@dataclass(frozen=True)
class StatisticsKind:
    """The history page's table."""

    rows: Sequence[StatisticsRow] = field(repr=False)
    start: float
    end: float
    key: ClassVar[str] = "statistics"
    title: ClassVar[str] = "The history table"
    explains: ClassVar[str] = "The rows shown: average, minimum, maximum and count of each device and sensor."
    asks: ClassVar[bool] = False
    stem: ClassVar[str] = "statistics"

    def work(self, choice: Choice, path: Path) -> Work:
        rows, start, end = tuple(self.rows), iso_time(self.start), iso_time(self.end)

        def run(on_progress: OnProgress, cancel: threading.Event) -> ExportResult:
            try:
                with CsvFile(path, STATISTICS_HEADER, on_progress=on_progress, cancel=cancel) as file:
                    file.write(
                        (
                            safe_text(r.device_id),
                            r.sensor,
                            _unit(r.sensor),
                            start,
                            end,
                            r.average,
                            r.minimum,
                            r.maximum,
                            r.count,
                        )
                        for r in rows
                    )
            except CancelledError:
                return cancelled(path)
            return file.result()

        return run


def file_name(kind: ExportKind, at: float) -> str:
    """``readings-20261124T124100Z.csv``."""
    return f"{kind.stem}-{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}.csv"


def _unit(sensor: str) -> str:
    known = BY_SENSOR.get(sensor)
    return known.unit if known else ""
