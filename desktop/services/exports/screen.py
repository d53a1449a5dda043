"""Exports what one chart shows: readings of the focus devices, the fleet's envelope, and the windows.

Columns: ``kind`` (raw, fleet, aggregate), ``device_id`` (empty for the fleet), ``sensor``, ``unit``, ``start`` (of a
reading: its timestamp), ``end`` (empty for a reading), ``value`` (reading, mean of the bucket, average of the window),
``minimum``, ``maximum``, ``count``, ``provisional`` (true for a window made from raw readings because MongoDB does not
have it yet).
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Flag, auto
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from backend.contract.devices import BY_SENSOR
from desktop.model.snapshot import FloatArray, LiveSnapshot, SensorView, Steps, ViewRequest
from desktop.model.store import RawRange
from desktop.services.exports.base import ExportResult, OnProgress
from desktop.services.exports.csv_file import CancelledError, CsvFile, cancelled, iso_times, safe_text

HEADER = ("kind", "device_id", "sensor", "unit", "start", "end", "value", "minimum", "maximum", "count", "provisional")


class What(Flag):
    """Which of the chart's layers are wanted."""

    RAW = auto()
    FLEET = auto()
    AGGREGATES = auto()
    ALL = RAW | FLEET | AGGREGATES


@dataclass(frozen=True, slots=True)
class ScreenExport:
    """A job.

    Attributes:
        path: The file.
        view: What the chart shows.
        request: What it was asked for: its time range cuts the layers.
        what: Which layers.
    """

    path: Path
    view: SensorView
    request: ViewRequest
    what: What = What.ALL

    @classmethod
    def of(cls, path: Path, snapshot: LiveSnapshot, sensor: str, what: What = What.ALL) -> "ScreenExport":
        """The job for one chart of a frame."""
        return cls(path, snapshot.views[sensor], snapshot.request, what)


class RawSource(Protocol):
    """Who has every reading of a focus device, where the chart shows fewer points than there are."""

    def raw_range(self, sensor: str, start: float, end: float, device_ids: Sequence[str] | None = None) -> RawRange: ...


class ScreenExporter:
    """Args:
    store: Asked for all readings of the focus devices in view; without it the drawn points are written.
    """

    def __init__(self, store: RawSource | None = None) -> None:
        self._store = store

    def run(self, job: ScreenExport, on_progress: OnProgress, cancel: threading.Event) -> ExportResult:
        """See `Exporter.run`."""
        try:
            with CsvFile(job.path, HEADER, on_progress=on_progress, cancel=cancel) as file:
                if What.RAW in job.what:
                    for device_id, t, value in self._raw(job):
                        file.write(_raw_rows(job.view.sensor, device_id, t, value))
                if What.FLEET in job.what:
                    file.write(_fleet_rows(job.view, job.request))
                if What.AGGREGATES in job.what:
                    file.write(_window_rows(job.view.sensor, "", job.view.steps, job.request))
                    for device_id, steps in job.view.focus_steps.items():
                        file.write(_window_rows(job.view.sensor, device_id, steps, job.request))
        except CancelledError:
            return cancelled(job.path)
        return file.result()

    def _raw(self, job: ScreenExport) -> Iterator[tuple[str, FloatArray, FloatArray]]:
        start, end = job.request.start, job.request.end
        for curve in job.view.curves:
            if self._store is not None:
                kept = self._store.raw_range(job.view.sensor, start, end, [curve.device_id])
                yield curve.device_id, kept.t, kept.value
            else:
                shown = (curve.t >= start) & (curve.t < end) & ~np.isnan(curve.value)
                yield curve.device_id, curve.t[shown], curve.value[shown]


Row = tuple[Any, ...]


def _ms(t: FloatArray) -> list[str]:
    return iso_times(np.rint(t * 1000).astype(np.int64))


def _raw_rows(sensor: str, device_id: str, t: FloatArray, value: FloatArray) -> Iterator[Row]:
    device, unit = safe_text(device_id), BY_SENSOR[sensor].unit
    for at, v in zip(_ms(t), value.tolist(), strict=True):
        yield "raw", device, sensor, unit, at, "", v, "", "", "", ""


def _fleet_rows(view: SensorView, request: ViewRequest) -> Iterator[Row]:
    e = view.envelope
    keep = (e.t + e.bucket_s > request.start) & (e.t < request.end) & (e.count > 0)
    unit = BY_SENSOR[view.sensor].unit
    columns = (_ms(e.t[keep]), _ms(e.t[keep] + e.bucket_s), *(a[keep].tolist() for a in (e.mean, e.low, e.high, e.count)))
    for start, end, mean, low, high, count in zip(*columns, strict=True):
        yield "fleet", "", view.sensor, unit, start, end, mean, low, high, count, ""


def _window_rows(sensor: str, device_id: str, steps: Steps, request: ViewRequest) -> Iterator[Row]:
    keep = (steps.end > request.start) & (steps.start < request.end)
    device, unit = safe_text(device_id), BY_SENSOR[sensor].unit
    arrays = (steps.avg, steps.low, steps.high, steps.count, steps.provisional)
    columns = (_ms(steps.start[keep]), _ms(steps.end[keep]), *(a[keep].tolist() for a in arrays))
    for start, end, avg, low, high, count, provisional in zip(*columns, strict=True):
        yield "aggregate", device, sensor, unit, start, end, avg, low, high, count, "true" if provisional else "false"
