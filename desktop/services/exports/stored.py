"""Exports from MongoDB, sliced by time so that neither side ever holds much: raw readings and aggregates.

Raw readings: ``timestamp, device_id, sensor, value, unit``, ascending in time, then device and sensor.
Aggregates: ``window_start, window_end, device_id, sensor, average, minimum, maximum, count, unit``, in the same order.
With chosen devices: device after device, each ascending in time.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from backend.contract import documents, times
from backend.contract.devices import BY_SENSOR, SENSORS
from backend.contract.documents import DamagedError
from backend.contract.limits import FIRST_TIME_MS
from backend.contract.names import COLLECTION_AGGREGATES, COLLECTION_MESSAGES, DATABASE
from desktop.model.windows import LONGEST_WINDOW_MS, WINDOW_MS
from desktop.services.errors import UnreachableError
from desktop.services.exports.base import ExportResult, OnProgress
from desktop.services.exports.csv_file import CancelledError, CsvFile, cancelled, safe_text
from desktop.services.mongo import Document, reason
from desktop.services.stored_windows import AVERAGE_SLACK, GOOD_WINDOW

RAW_HEADER = ("timestamp", "device_id", "sensor", "value", "unit")
AGGREGATES_HEADER = (
    "window_start", "window_end", "device_id", "sensor", "average", "minimum", "maximum", "count", "unit",
)  # fmt: skip

_BATCH = 2_000
#: A slice of time grows while it holds fewer rows than the first and is cut when it holds more than the second.
_FEW_ROWS = 10_000
_MANY_ROWS = 60_000
_FIRST_SLICE_MS = 10_000
#: Stored windows that are asked how long windows are, until one is not damaged.
_ASKED_FOR_LENGTH = 100

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class StoredExport:
    """What every export of a collection is asked for.

    Attributes:
        path: The file.
        start, end: Seconds since the epoch; `start` None = from the first one.
        device_ids: Empty = all devices.
        sensors: Empty = all sensors.
    """

    path: Path
    start: float | None
    end: float
    device_ids: tuple[str, ...] = ()
    sensors: tuple[str, ...] = ()


class RawExport(StoredExport):
    """A job: stored readings with start ≤ timestamp < end."""

    __slots__ = ()


class AggregatesExport(StoredExport):
    """A job: stored windows with start ≤ window start < end."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Source:
    """How a collection is read: by time over all devices, or along one device's index.

    Attributes:
        collection: The collection.
        time_field, device_time_field: Indexed over all devices, and of one device and sensor.
        shift_ms: Between the two.
        to_row: Sort key and row of a document; raises DamagedError for one that is left out.
        query: What a document must have besides.
        keep_id: Whether `to_row` needs `_id`.
    """

    collection: "Collection[Document]"
    time_field: str
    device_time_field: str
    shift_ms: int
    to_row: Callable[[Document], tuple[Any, Row]]
    query: Document = field(default_factory=dict)
    keep_id: bool = False


class StoredExporter:
    """Shared by all exporters of a collection."""

    def __init__(self, client: MongoClient[Document]) -> None:
        self._database = client[DATABASE]
        self._left_out = 0

    def _export(
        self,
        job: StoredExport,
        header: Sequence[str],
        source: Source,
        on_progress: OnProgress,
        cancel: threading.Event,
    ) -> ExportResult:
        self._left_out = 0
        sensors = job.sensors or SENSORS
        end_ms = round(job.end * 1000)
        try:
            with CsvFile(job.path, header, on_progress=on_progress, cancel=cancel) as file:
                if job.device_ids:
                    self._devices(job, source, sensors, end_ms, file, cancel)
                else:
                    self._everything(job, source, sensors, end_ms, file, cancel)
        except CancelledError:
            return cancelled(job.path)
        except PyMongoError as error:
            raise UnreachableError(
                "The export stopped because MongoDB did not answer",
                why=f"{reason(error)}.",
                remedy="No file was written. Check MongoDB on the Services page, then repeat the export.",
            ) from error
        return replace(file.result(), left_out=self._left_out)

    def _everything(
        self,
        job: StoredExport,
        source: Source,
        sensors: Sequence[str],
        end_ms: int,
        file: CsvFile,
        cancel: threading.Event,
    ) -> None:
        query = source.query if len(sensors) == len(SENSORS) else {**source.query, "sensor": {"$in": list(sensors)}}
        shift = source.shift_ms
        start_ms = None if job.start is None else round(job.start * 1000)
        begin_ms = FIRST_TIME_MS if start_ms is None else start_ms
        for at_ms, rows in self._slices(source, source.time_field, query, begin_ms + shift, end_ms + shift, cancel):
            done = None if start_ms is None else (at_ms - shift - start_ms) / max(1, end_ms - start_ms)
            file.write(rows, done)

    def _devices(
        self,
        job: StoredExport,
        source: Source,
        sensors: Sequence[str],
        end_ms: int,
        file: CsvFile,
        cancel: threading.Event,
    ) -> None:
        begin_ms = FIRST_TIME_MS if job.start is None else round(job.start * 1000)
        pairs = [(device_id, sensor) for device_id in dict.fromkeys(job.device_ids) for sensor in sensors]
        for done, (device_id, sensor) in enumerate(pairs):
            query = {**source.query, "device_id": device_id, "sensor": sensor}
            for _, rows in self._slices(source, source.device_time_field, query, begin_ms, end_ms, cancel):
                file.write(rows, done / len(pairs))

    def _slices(
        self, source: Source, time_field: str, query: Document, begin_ms: int, end_ms: int, cancel: threading.Event
    ) -> Iterator[tuple[int, list[Row]]]:
        """Rows of [begin, end) in order, in slices of adapting length; with each the time up to which all is there."""
        at = _next_ms(source, time_field, query, begin_ms, end_ms)
        length = _FIRST_SLICE_MS
        while at is not None and at < end_ms:
            if cancel.is_set():
                raise CancelledError
            upto = min(at + length, end_ms)
            keyed: list[tuple[Any, Row]] = []
            damaged = 0
            span = _span(time_field, at, upto)
            fields = None if source.keep_id else {"_id": 0}
            for document in source.collection.find({**query, **span}, fields, batch_size=_BATCH):
                try:
                    keyed.append(source.to_row(document))
                except DamagedError:
                    damaged += 1
                    continue
                if len(keyed) % _BATCH == 0 and cancel.is_set():
                    raise CancelledError
                if len(keyed) > _MANY_ROWS and length > 1:
                    break
            if len(keyed) > _MANY_ROWS and length > 1:
                length = max(1, length // 4)
                continue
            self._left_out += damaged
            if not keyed:
                # A hole may be years long: ask where it ends instead of walking through it.
                at = _next_ms(source, time_field, query, upto, end_ms)
                continue
            keyed.sort(key=lambda pair: pair[0])
            yield upto, [row for _, row in keyed]
            at = upto
            if len(keyed) < _FEW_ROWS:
                length *= 2


def _span(time_field: str, begin_ms: int, end_ms: int) -> Document:
    return {time_field: {"$gte": times.to_datetime(begin_ms), "$lt": times.to_datetime(end_ms)}}


def _next_ms(source: Source, time_field: str, query: Document, begin_ms: int, end_ms: int) -> int | None:
    """A time at or before the first document of [begin, end), to a second; None when there is none.

    By halving, each step one look into the index: sorting for the first one scans on servers that do not sort by index.
    """

    def any_in(low_ms: int, high_ms: int) -> bool:
        return source.collection.find_one({**query, **_span(time_field, low_ms, high_ms)}, {"_id": 1}) is not None

    if begin_ms >= end_ms or not any_in(begin_ms, end_ms):
        return None
    low, high = begin_ms, end_ms
    while high - low > 1_000:
        middle = (low + high) // 2
        if any_in(low, middle):
            high = middle
        else:
            low = middle
    return low


class RawExporter(StoredExporter):
    """Raw readings from MongoDB."""

    def run(self, job: RawExport, on_progress: OnProgress, cancel: threading.Event) -> ExportResult:
        """See `Exporter.run`."""
        source = Source(self._database[COLLECTION_MESSAGES], "timestamp", "timestamp", 0, _raw_row)
        return self._export(job, RAW_HEADER, source, on_progress, cancel)


class AggregatesExporter(StoredExporter):
    """Windows from MongoDB."""

    def run(self, job: AggregatesExport, on_progress: OnProgress, cancel: threading.Event) -> ExportResult:
        """See `Exporter.run`."""
        # Over all devices the index is on the window's end.
        windows = self._database[COLLECTION_AGGREGATES]
        source = Source(windows, "window.end", "window.start", _window_ms(windows), _window_row)
        return self._export(job, AGGREGATES_HEADER, source, on_progress, cancel)


def _window_ms(windows: "Collection[Document]") -> int:
    """How long windows are: as the newest of them says that is not damaged."""
    try:
        found = list(windows.find(GOOD_WINDOW, {"window": 1}, limit=_ASKED_FOR_LENGTH).sort("window.end", -1))
    except PyMongoError:
        return WINDOW_MS  # the export, which comes next, says what is wrong
    for document in found:
        try:
            length_ms = documents.time_ms(document, "window.end") - documents.time_ms(document, "window.start")
        except DamagedError:
            continue
        if 0 < length_ms <= LONGEST_WINDOW_MS:
            return length_ms
    return WINDOW_MS


def _raw_row(document: Document) -> tuple[Any, Row]:
    t_ms, device = documents.time_ms(document, "timestamp"), documents.device_id(document)
    sensor = documents.text(document, "sensor")
    value = documents.sensor_value(document, "value", sensor)
    return (t_ms, device, sensor), (times.to_iso(t_ms), safe_text(device), safe_text(sensor), value, _unit(sensor))


def _window_row(document: Document) -> tuple[Any, Row]:
    start_ms, end_ms = documents.time_ms(document, "window.start"), documents.time_ms(document, "window.end")
    device, sensor = documents.device_id(document), documents.text(document, "sensor")
    numbers = [documents.sensor_value(document, path, sensor, slack=AVERAGE_SLACK) for path in ("avg", "min", "max")]
    count = documents.count(document, "count", least=1)
    row = (times.to_iso(start_ms), times.to_iso(end_ms), safe_text(device), safe_text(sensor), *numbers, count, _unit(sensor))
    return (start_ms, device, sensor), row


def _unit(sensor: str) -> str:
    known = BY_SENSOR.get(sensor)
    return known.unit if known else ""
