"""What MongoDB knows of predictions: the anomalies of the last hours, expected values of a device that has come into focus,
who has seen to what, and how far the prediction is."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract import documents, times
from backend.contract.devices import SENSORS
from backend.contract.documents import DamagedError, LeftOut
from backend.contract.names import (
    COLLECTION_MODEL_STATE,
    COLLECTION_PREDICTIONS,
    COLLECTION_PROGRESS,
    DATABASE,
    JOB_PREDICT,
)
from desktop.model.predictions.event import EventKey
from desktop.model.predictions.record import Prediction
from desktop.model.predictions.store import PredictionStore
from desktop.services.acknowledgements import Acknowledgements
from desktop.services.job_progress import ProgressFields, read_progress
from desktop.services.mongo import Document, reason
from desktop.services.predictions_feed import stored_prediction

#: How far back anomalies are listed.
PAST_S: Final = 6 * 3600
#: They are read in slices, newest first; one begins with this length and is longer where there are few.
SLICE_S: Final = 600
MAX_SLICE_S: Final = 3600
_FEW: Final = 500
#: Bound of what is read of the past in all: a fleet that is wholly odd fills the list with its newest hour.
MAX_PAST: Final = 20_000
#: The reading that ended a silence is looked for so far.
AFTER_SILENCE_S: Final = 3600
#: Silences of the past whose end is looked for, each by one look into an index.
MAX_SILENCES: Final = 300
POLL_S: Final = 1.0
RETRY_S: Final = 2.0
#: A device's expected values are read again after so long: those of the moment were neither stored nor awaited then.
SETTLE_S: Final = 6.0
_MAX_EXPECTED: Final = 36_000
_BATCH: Final = 1_000
_MAX_VERSION_CHARS: Final = 40


class PredictionsHistory:
    """Fills a store until told to stop; survives outages by itself. `run` is for a thread of its own.

    Args:
        client: Opened by `desktop.services.mongo.open_client`; not closed here.
        store: What is filled.
        acknowledgements: Polled with the rest.
        span_s: How much of a focus device's past is read.
        clock: Seconds since the epoch.
        left_out: Counts damaged documents.
    """

    def __init__(
        self,
        *,
        client: MongoClient[Document],
        store: PredictionStore,
        acknowledgements: Acknowledgements,
        span_s: float = 3600.0,
        clock: Callable[[], float] = time.time,
        left_out: LeftOut | None = None,
    ) -> None:
        database = client[DATABASE]
        self._predictions = database[COLLECTION_PREDICTIONS]
        self._progress = database[COLLECTION_PROGRESS]
        self._models = database[COLLECTION_MODEL_STATE]
        self._store, self._acknowledgements = store, acknowledgements
        self._span_s, self._clock, self._left_out = span_s, clock, left_out or LeftOut()
        self._past_ms: int | None = None  # the past is known from here on
        self._slice_s = SLICE_S
        self._looked_at = -math.inf
        self._read = 0
        self._silences = 0
        self._focus: tuple[str, ...] = ()
        self._due: dict[str, list[float]] = {}  # when each focus device is still to be read
        self._wake = threading.Event()

    def set_focus(self, device_ids: Sequence[str]) -> None:
        """Read these devices' expected values; any thread, does not block."""
        self._focus = tuple(device_ids)
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Poll until `stop` is set."""
        while not stop.is_set():
            try:
                more = self.poll()
            except PyMongoError as error:
                self._store.note(trouble=reason(error))
                stop.wait(RETRY_S)
                continue
            self._wake.wait(0.02 if more else POLL_S)
            self._wake.clear()

    def poll(self) -> bool:
        """One look at everything that is due. True while there is more of the past.

        Raises:
            PyMongoError: MongoDB does not answer.
        """
        now = self._clock()
        if not 0 <= now - self._looked_at < POLL_S:
            self._read_status()
            self._acknowledgements.poll()
            self._looked_at = now
        self._read_focus(now)
        more = self._read_past(now)
        self._store.note(looked=True, trouble="", past_read=not more)
        if not more:  # one sentence for the whole past
            self._left_out.report()
        return more

    def _read_status(self) -> None:
        told = self._progress.find_one({"_id": JOB_PREDICT}) or {}
        promoted = self._models.find_one({"_id": "promoted"}) or {}
        progress = read_progress(told, self._left_out)
        self._store.note(
            promoted=self._version(promoted),
            told_at=progress.at if told else math.nan,
            scoring=ProgressFields(told, self._left_out).text("model"),
            per_s=progress.processed_per_s,
            lag=progress.lag,
        )

    def _version(self, promoted: Document) -> str:
        try:
            return documents.text(promoted, "version", most=_MAX_VERSION_CHARS) if promoted.get("version") else ""
        except DamagedError as error:
            self._left_out.note(COLLECTION_MODEL_STATE, promoted.get("_id"), str(error))
            return ""

    def _read_past(self, now: float) -> bool:
        limit_ms = int((now - PAST_S) * 1000)
        if self._past_ms is None:
            # A little into the future: a fast clock's anomalies are shown too.
            self._past_ms = int((now + SLICE_S) * 1000)
        if self._past_ms <= limit_ms or self._read >= MAX_PAST:
            return False
        begin_ms = max(self._past_ms - self._slice_s * 1000, limit_ms)
        found = self._anomalies(begin_ms, self._past_ms)
        self._read += len(found)
        self._slice_s = min(2 * self._slice_s, MAX_SLICE_S) if len(found) < _FEW else SLICE_S
        self._store.ingest(found)
        for p in found:
            if p.value != p.value and self._silences < MAX_SILENCES:
                self._silences += 1
                self._find_end(p)
        self._past_ms = begin_ms
        return True

    def _anomalies(self, begin_ms: int, end_ms: int) -> list[Prediction]:
        found = self._predictions.find(
            {"anomaly": True, "timestamp": {"$gte": times.to_datetime(begin_ms), "$lt": times.to_datetime(end_ms)}},
            batch_size=_BATCH,
            limit=MAX_PAST,
        )
        return [p for p in self._left_out.read(COLLECTION_PREDICTIONS, found, stored_prediction) if p.sensor in SENSORS]

    def _find_end(self, silence: Prediction) -> None:
        after = {
            "$gt": times.to_datetime(silence.t_ms),
            "$lte": times.to_datetime(silence.t_ms + AFTER_SILENCE_S * 1000),
        }
        found = self._predictions.find(
            {"device_id": silence.device_id, "sensor": silence.sensor, "timestamp": after},
            {"timestamp": 1, "value": 1},
            limit=50,
        )
        ends = [
            times.from_datetime(row["timestamp"])
            for row in found
            if documents.is_number(row.get("value")) and isinstance(row.get("timestamp"), datetime)
        ]
        if ends:
            key = EventKey(silence.device_id, silence.sensor, silence.kind, silence.since_ms or silence.t_ms)
            self._store.end_silence(key, min(ends))

    def _read_focus(self, now: float) -> None:
        focus = self._focus
        self._due = {d: self._due.get(d, [now, now + SETTLE_S]) for d in focus}
        for device_id, due in self._due.items():
            if due and due[0] <= now:
                # The second time only what the first cannot have seen.
                span_s = self._span_s if len(due) == 2 else 10 * SETTLE_S
                self._read_expected(device_id, int((now - span_s) * 1000))
                del due[0]

    def _read_expected(self, device_id: str, since_ms: int) -> None:
        for sensor in SENSORS:
            found = self._predictions.find(
                {"device_id": device_id, "sensor": sensor, "timestamp": {"$gte": times.to_datetime(since_ms)}},
                batch_size=_BATCH,
                limit=_MAX_EXPECTED,
            )
            rows = list(self._left_out.read(COLLECTION_PREDICTIONS, found, stored_prediction))
            if rows:
                self._store.ingest(rows)
