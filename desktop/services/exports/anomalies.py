"""Exports of anomalies: the events that a list shows, and every odd reading that MongoDB has.

Events: ``device_id, sensor, kind, severity, began, ended, ongoing, readings, score, value, expected, unit, reason, model,
acknowledged_by, acknowledged_at``. Odd readings: ``timestamp, device_id, sensor, value, expected, lower, upper, unit, score,
kind, severity, event_began, reason, model``, ascending in time, then device and sensor. What is not known is empty.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.contract import times
from backend.contract.devices import BY_SENSOR
from backend.contract.names import COLLECTION_PREDICTIONS
from desktop.model.predictions.event import Event
from desktop.model.predictions.record import Grade, Prediction
from desktop.services.exports.base import ExportResult, OnProgress
from desktop.services.exports.csv_file import CancelledError, CsvFile, cancelled, iso_time, safe_text
from desktop.services.exports.stored import Source, StoredExport, StoredExporter
from desktop.services.mongo import Document
from desktop.services.predictions_feed import stored_prediction

EVENTS_HEADER = (
    "device_id", "sensor", "kind", "severity", "began", "ended", "ongoing", "readings", "score", "value", "expected", "unit",
    "reason", "model", "acknowledged_by", "acknowledged_at",
)  # fmt: skip
READINGS_HEADER = (
    "timestamp", "device_id", "sensor", "value", "expected", "lower", "upper", "unit", "score", "kind", "severity",
    "event_began", "reason", "model",
)  # fmt: skip

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class EventsExport:
    """A job.

    Attributes:
        path: The file.
        events: In the order of the rows.
        now: Seconds since the epoch; decides what still goes on.
    """

    path: Path
    events: Sequence[Event] = field(repr=False)
    now: float


class EventsExporter:
    """What a list shows."""

    def run(self, job: EventsExport, on_progress: OnProgress, cancel: threading.Event) -> ExportResult:
        """See `Exporter.run`."""
        try:
            with CsvFile(job.path, EVENTS_HEADER, on_progress=on_progress, cancel=cancel) as file:
                file.write(_event_rows(job.events, job.now))
        except CancelledError:
            return cancelled(job.path)
        return file.result()


class AnomaliesExport(StoredExport):
    """A job: odd readings with start ≤ timestamp < end."""

    __slots__ = ()


class AnomaliesExporter(StoredExporter):
    """Odd readings from MongoDB."""

    def run(self, job: AnomaliesExport, on_progress: OnProgress, cancel: threading.Event) -> ExportResult:
        """See `Exporter.run`."""
        source = Source(
            self._database[COLLECTION_PREDICTIONS], "timestamp", "timestamp", 0, _reading_row, {"anomaly": True}, keep_id=True
        )
        return self._export(job, READINGS_HEADER, source, on_progress, cancel)


def _event_rows(events: Sequence[Event], now: float) -> Iterator[Row]:
    for e in events:
        ongoing = e.ongoing(now * 1000)
        yield (
            safe_text(e.key.device_id),
            safe_text(e.key.sensor),
            safe_text(e.key.kind),
            e.grade.name.lower(),
            iso_time(e.start_ms / 1e3),
            "" if ongoing else iso_time(e.end_ms / 1e3),
            "true" if ongoing else "false",
            e.readings,
            e.score,
            _known(e.value),
            _known(e.expected),
            _unit(e.key.sensor),
            safe_text(e.reason),
            safe_text(e.model),
            safe_text(e.acknowledged_by),
            iso_time(e.acknowledged_at) if e.acknowledged else "",
        )


def _reading_row(document: Document) -> tuple[Any, Row]:
    p = stored_prediction(document)
    return (p.t_ms, p.device_id, p.sensor, p.id), _row_of(p)


def _row_of(p: Prediction) -> Row:
    return (
        times.to_iso(p.t_ms),
        safe_text(p.device_id),
        safe_text(p.sensor),
        *map(_known, (p.value, p.expected, p.lower, p.upper)),
        _unit(p.sensor),
        p.score,
        safe_text(p.kind),
        p.grade.name.lower() if p.grade is not Grade.NONE else "",
        times.to_iso(p.since_ms) if p.since_ms else "",
        safe_text(p.reason),
        safe_text(p.model),
    )


def _known(value: float) -> float | str:
    return value if value == value else ""


def _unit(sensor: str) -> str:
    known = BY_SENSOR.get(sensor)
    return known.unit if known else ""
