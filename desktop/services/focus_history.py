"""The last hour's raw readings of a device that has just come into focus, from MongoDB."""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import numpy as np
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract import documents, times
from backend.contract.devices import SENSORS
from backend.contract.documents import LeftOut
from backend.contract.names import COLLECTION_MESSAGES, DATABASE
from desktop.model.readings import TimeArray, ValueArray
from desktop.services.mongo import Document

_BATCH = 1_000
#: A faster device's past is cut; its newest readings come from Kafka anyway.
MAX_READINGS = 100_000
RETRY_S = 2.0
_TRIES = 5


class HistorySink(Protocol):
    """What is filled; called on the feed's thread."""

    def ingest_focus_history(self, device_id: str, sensor: str, t_ms: TimeArray, value: ValueArray) -> None: ...


class FocusHistory:
    """Reads one device after another as they are asked for; gives one up after a few tries without an answer."""

    def __init__(
        self,
        *,
        client: MongoClient[Document],
        sink: HistorySink,
        span_s: float = 3600.0,
        clock: Callable[[], float] = time.time,
        retry_s: float = RETRY_S,
        left_out: LeftOut | None = None,
    ) -> None:
        self._messages = client[DATABASE][COLLECTION_MESSAGES]
        self._sink, self._span_s, self._clock, self._retry_s = sink, span_s, clock, retry_s
        self._left_out = left_out or LeftOut()
        self._wanted: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._focus: frozenset[str] = frozenset()

    def set_focus(self, device_ids: tuple[str, ...]) -> None:
        """Read the past of those that were not in focus before; any thread, does not block."""
        for device_id in device_ids:
            if device_id not in self._focus:
                self._wanted.put((device_id, _TRIES))
        self._focus = frozenset(device_ids)

    def run(self, stop: threading.Event) -> None:
        """Read until `stop` is set."""
        while not stop.is_set():
            try:
                device_id, tries = self._wanted.get(timeout=0.25)
            except queue.Empty:
                continue
            if device_id not in self._focus:
                continue
            try:
                self._read(device_id)
                self._left_out.report()
            except PyMongoError:
                # The windows feed tells that MongoDB does not answer.
                if tries > 1 and not stop.wait(self._retry_s):
                    self._wanted.put((device_id, tries - 1))

    def _read(self, device_id: str) -> None:
        since = times.to_datetime(int((self._clock() - self._span_s) * 1000))
        for sensor in SENSORS:
            found = self._messages.find(
                {"device_id": device_id, "sensor": sensor, "timestamp": {"$gte": since}},
                {"timestamp": 1, "value": 1},
                batch_size=_BATCH,
                limit=MAX_READINGS,
            )
            rows = list(self._left_out.read(COLLECTION_MESSAGES, found, partial(_reading, sensor)))
            if rows:
                t_ms = np.array([row[0] for row in rows], dtype=np.int64)
                self._sink.ingest_focus_history(device_id, sensor, t_ms, np.array([row[1] for row in rows]))


def _reading(sensor: str, row: Mapping[str, Any]) -> tuple[int, float]:
    return documents.time_ms(row, "timestamp"), documents.sensor_value(row, "value", sensor)
