"""What the job says about itself: one document in MongoDB, replaced each batch, and the sentence "Spark is N s behind"."""

import contextlib
import json
import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract import names
from backend.contract.documents import DECODING
from spark.checkpoint import TopicUnavailableError
from spark.transform import OBSERVED_INPUT, OBSERVED_WINDOWS

log = logging.getLogger("spark-job")

Document = dict[str, Any]

#: Batches that take longer than this many triggers are worth a word.
_SLOW_TRIGGERS = 2.0


def _number(value: object) -> float | None:
    """A rate as Spark gives it; it gives Infinity or NaN for a batch of no length."""
    return float(value) if isinstance(value, int | float) and abs(value) < 1e15 else None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str) or not value:
        return None
    # Spark says 1970 while there is no watermark yet.
    time_ = datetime.fromisoformat(value)
    return time_ if time_.year > 1970 else None


class Progress:
    """Sums up the batches of a job since its start: its counters (`late_rows`, `conflicts`, …) begin at 0 with every start, and
    `started_at` tells when that was.

    `add` is called from Spark's listener thread, the rest from any.
    """

    def __init__(self, *, job: str, topic: str, trigger_s: float, watermark_s: float = 0.0) -> None:
        """Args:
        watermark_s: How far the watermark is behind the newest reading.
        """
        self._watermark_s = watermark_s
        self._job, self._topic, self._trigger_s = job, topic, trigger_s
        self._started = datetime.now(UTC)
        self._late = self._invalid = self._conflicts = self._duplicates = self._windows = 0
        self._newest_end: datetime | None = None
        self._newest_ms: int | None = None
        self._first: dict[str, int] = {}
        self._behind_s = 0.0
        self._batch_ms = 0
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def add(self, progress: Mapping[str, Any]) -> Document:
        """Take in one batch.

        Args:
            progress: Spark's StreamingQueryProgress as decoded JSON.

        Returns:
            The document for `job_progress`.
        """
        operators = progress.get("stateOperators", [])
        observed = progress.get("observedMetrics", {})
        rows, made = observed.get(OBSERVED_INPUT) or {}, observed.get(OBSERVED_WINDOWS) or {}
        partitions, lag = self._partitions(progress)
        newest = _time(made.get("newest_end"))
        written = int(made.get("windows") or 0)
        with self._lock:
            self._late += int(made.get("late") or 0)
            self._duplicates += int(made.get("duplicates") or 0)
            self._invalid += int(rows.get("invalid_rows") or 0)
            self._conflicts += int(made.get("conflicts") or 0)
            self._windows += written
            watermark = self._watermark(progress, rows)
            self._newest_end = max(filter(None, (self._newest_end, newest)), default=None)
            self._batch_ms = int(progress.get("durationMs", {}).get("triggerExecution", 0))
            input_rate = _number(progress.get("inputRowsPerSecond")) or 0.0
            processed_rate = _number(progress.get("processedRowsPerSecond")) or 0.0
            # What is left in the topic, at the speed at which it is worked off.
            self._behind_s = lag / processed_rate if processed_rate > 0 else 0.0
            self._last = time.monotonic()
            return {
                "_id": self._job,
                "batch_id": int(progress.get("batchId", -1)),
                "trigger_time": _time(progress.get("timestamp")),
                # Without the heartbeats, where the job has them.
                "input_rows": int(rows.get("rows", progress.get("numInputRows", 0))),
                "input_rows_per_second": input_rate,
                "processed_rows_per_second": processed_rate,
                "batch_duration_ms": self._batch_ms,
                "watermark": watermark,
                "partitions": partitions,
                # Where its counters begin: with `end` of the partitions the records that they are about.
                "first_offsets": dict(self._first),
                "lag": lag,
                "late_rows": self._late,
                "invalid_rows": self._invalid,
                "duplicates": self._duplicates,
                "conflicts": self._conflicts,
                "windows_written": written,
                "windows_total": self._windows,
                "newest_window_end": self._newest_end,
                "state_rows": sum(int(o.get("numRowsTotal", 0)) for o in operators),
                "state_bytes": sum(int(o.get("memoryUsedBytes", 0)) for o in operators),
                "started_at": self._started,
                "updated_at": datetime.now(UTC),
            }

    def _watermark(self, progress: Mapping[str, Any], rows: Mapping[str, Any]) -> datetime | None:
        """The watermark of the next batch. Spark's own moves in steps of a window and is the one of the batch that ended."""
        newest_ms = rows.get("newest_ms")
        if newest_ms is not None:
            self._newest_ms = max(int(newest_ms), self._newest_ms if self._newest_ms is not None else int(newest_ms))
        reached = None
        if self._newest_ms is not None:
            reached = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=self._newest_ms, seconds=-self._watermark_s)
        return max(filter(None, (_time(progress.get("eventTime", {}).get("watermark")), reached)), default=None)

    def idle(self) -> None:
        """Nothing came in: no batch is no delay."""
        with self._lock:
            self._last = time.monotonic()
            self._behind_s = 0.0

    def _partitions(self, progress: Mapping[str, Any]) -> tuple[Document, int]:
        source: Mapping[str, Any] = next(iter(progress.get("sources", [])), {})
        start, end, latest = (self._offsets(source.get(key)) for key in ("startOffset", "endOffset", "latestOffset"))
        partitions = {
            p: {"start": start.get(p, 0), "end": offset, "lag": max(0, latest.get(p, offset) - offset)}
            for p, offset in end.items()
        }
        for p in end:
            self._first.setdefault(p, start.get(p, 0))
        return partitions, sum(p["lag"] for p in partitions.values())

    def _offsets(self, value: object) -> Mapping[str, int]:
        """Offsets of the topic; Spark gives them as an object or as text holding one."""
        if isinstance(value, str):
            value = json.loads(value)
        return value.get(self._topic, {}) if isinstance(value, Mapping) else {}

    def hint(self) -> str:
        """A sentence when the job falls behind, else empty."""
        with self._lock:
            behind, batch_s, silent = self._behind_s, self._batch_ms / 1000, time.monotonic() - self._last
        limit = max(1.0, _SLOW_TRIGGERS * self._trigger_s)
        if silent > 30:
            return f"Spark has finished no batch for {silent:.0f} s"
        if batch_s > limit and behind > limit:
            return f"Spark is {behind:.0f} s behind because batches take {batch_s:.1f} s"
        return ""


class ProgressWriter:
    """Writes the newest document on its own thread, so that a slow MongoDB never holds up a batch."""

    def __init__(self, *, mongo_uri: str, database: str = names.DATABASE) -> None:
        self._client: MongoClient[Document] = MongoClient(
            mongo_uri,
            **DECODING,
            appname="spark-job",
            serverSelectionTimeoutMS=2000,
            connectTimeoutMS=2000,
            socketTimeoutMS=5000,
        )
        self._database = self._client[database]
        self._collection = self._database[names.COLLECTION_PROGRESS]
        self._newest: Document | None = None
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self.mongo_is_up = True

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()

    def put(self, document: Document) -> None:
        """Write this one next; one that was not written yet is forgotten."""
        self._newest = document
        self._wake.set()

    def close(self) -> None:
        """Write what is left, for a moment at most, and stop."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1)
        self._client.close()

    def ping(self) -> bool:
        """Whether MongoDB answers, within about two seconds."""
        with contextlib.suppress(PyMongoError):
            self._client.admin.command("ping")
            return True
        return False

    def has_windows(self) -> bool:
        """Whether a window is stored.

        Raises:
            TopicUnavailableError: MongoDB does not answer.
        """
        try:
            return self._database[names.COLLECTION_AGGREGATES].find_one({}, {"_id": 1}) is not None
        except PyMongoError as error:
            raise TopicUnavailableError(f"MongoDB does not answer: {str(error)[:120]}") from error

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._wake.clear()
            document, self._newest = self._newest, None
            if document is None:
                continue
            try:
                self._collection.replace_one({"_id": document["_id"]}, document, upsert=True)
                self.mongo_is_up = True
            except PyMongoError as error:
                if self.mongo_is_up:
                    log.warning("the progress cannot be stored, MongoDB does not answer: %s", str(error)[:120])
                self.mongo_is_up = False
