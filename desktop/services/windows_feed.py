"""Aggregate windows from MongoDB: those of the whole fleet, combined there, and those of the focus devices.

Twice to four times a second one look, by index, whether there is a window newer than the newest seen; only then are
windows read. A window that is new is read again until it does not change any more, because Spark writes it row by row.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from backend.contract import times
from backend.contract.documents import LeftOut
from backend.contract.names import COLLECTION_AGGREGATES, COLLECTION_PROGRESS, DATABASE, JOB_AGGREGATE
from desktop.model.progress import JobProgress
from desktop.model.windows import WINDOW_MS, Window
from desktop.services.job_progress import read_progress
from desktop.services.mongo import Document, reason
from desktop.services.stored_windows import GOOD_WINDOW, combination, fleet_window, stored_window

#: With the read itself this keeps a window's way from MongoDB to here under half a second.
POLL_S = 0.25
PROGRESS_S = 0.5
#: New windows are read again after these seconds, as long as the last reading changed something …
REREAD_AFTER_S = (0.3, 1.0, 3.0)
#: … but not for ever.
MAX_REREADS = 20
#: Then once so many windows behind them: Spark may write older ones with a new one after an outage.
REREAD_WINDOWS = 3
#: No window that is yet to come begins further ahead.
MAX_FUTURE_MS = 60 * 1000
#: The past is read in slices of this length, newest first, so that no single query takes long …
BACKFILL_SLICE_S = 120
#: … and for at most this long in all.
BACKFILL_MAX_S = 60.0
#: Damaged windows that one look names at most.
MAX_DAMAGED = 1_000
_BATCH = 1_000
_RETRY_S = 1.0
#: MongoDB's codes for a login that is refused or may not read: no fault of a document.
_NOT_ALLOWED = frozenset({13, 18})


class WindowSink(Protocol):
    """What the feed fills; called on the feed's thread."""

    def ingest_windows(self, windows: Iterable[Window]) -> None: ...

    def note_window_delay(self, seconds: float) -> None: ...

    def note_late_rows(self, rows: int) -> None: ...


@dataclass(frozen=True, slots=True)
class MongoState:
    """How the connection is.

    Attributes:
        answering: Whether MongoDB answered the last question.
        since: When that last changed, seconds since the epoch.
        reason: Why it did not.
        newest_window_end: Of the windows seen, seconds since the epoch, or None.
        progress: Of the Spark job, or None where it never told.
    """

    answering: bool
    since: float
    reason: str = ""
    newest_window_end: float | None = None
    progress: JobProgress | None = None


@dataclass(slots=True)
class _Fresh:
    """New windows that may still grow."""

    since_ms: int
    tries: int = 0
    next_at: float = 0.0
    rows: dict[tuple[str, int], int] = field(default_factory=dict)


class WindowsFeed:
    """Feeds a sink until told to stop; survives outages by itself.

    Args:
        client: Opened by `desktop.services.mongo.open_client`; not closed here.
        sink: What is filled.
        span_s: How much of the past is read at the start.
        clock: Seconds since the epoch.
        poll_s: Seconds between two looks.
        left_out: Counts damaged documents.
    """

    def __init__(
        self,
        *,
        client: MongoClient[Document],
        sink: WindowSink,
        span_s: float = 3600.0,
        clock: Callable[[], float] = time.time,
        poll_s: float = POLL_S,
        left_out: LeftOut | None = None,
    ) -> None:
        database = client[DATABASE]
        self._aggregates = database[COLLECTION_AGGREGATES]
        self._progress = database[COLLECTION_PROGRESS]
        self._sink, self._span_s, self._clock, self._poll_s = sink, span_s, clock, poll_s
        self._left_out = left_out or LeftOut()
        self._window_ms = WINDOW_MS  # as long as the newest window seen
        self._state = MongoState(False, clock(), "not asked yet")
        self._newest_ms: int | None = None
        self._fresh: _Fresh | None = None
        self._past_ms: int | None = None  # the past is known from here on
        self._past_until = 0.0
        self._progress_at = 0.0
        self._job: JobProgress | None = None
        self._focus: tuple[str, ...] = ()
        self._focus_done: set[str] = set()
        self._wake = threading.Event()

    @property
    def state(self) -> MongoState:
        """How the connection is; any thread."""
        return self._state

    def set_focus(self, device_ids: Sequence[str]) -> None:
        """Read these devices' windows too, their past first; any thread."""
        self._focus = tuple(device_ids)
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Feed until `stop` is set."""
        while not stop.is_set():
            try:
                self.poll()
            except PyMongoError as error:
                self._note(answering=False, why=reason(error))
                stop.wait(_RETRY_S)
                continue
            self._left_out.report()
            self._note(answering=True)
            # Woken by a change of focus; `stop` is looked at four times a second.
            self._wake.wait(self._poll_s)
            self._wake.clear()

    def poll(self) -> None:
        """One look at everything that is due.

        Raises:
            PyMongoError: MongoDB does not answer.
        """
        now = self._clock()
        if now - self._progress_at >= PROGRESS_S:
            self._read_progress()
            self._progress_at = now
        self._focus_done &= set(self._focus)
        for device_id in self._focus:
            if device_id not in self._focus_done:
                self._read_focus((device_id,), int((now - self._span_s) * 1000))
                self._focus_done.add(device_id)
        if self._newest_ms is None:
            self._newest_ms = int(now * 1000) - BACKFILL_SLICE_S * 1000
            self._past_ms, self._past_until = self._newest_ms, now + BACKFILL_MAX_S
        # Only a good one: a damaged one would be looked at again with every poll.
        if self._aggregates.find_one({"window.end": self._after(self._newest_ms), **GOOD_WINDOW}, {"_id": 1}) is not None:
            self._read_new(self._newest_ms)
        elif self._fresh is not None and now >= self._fresh.next_at:
            self._reread(self._fresh)
        elif self._past_ms is not None:
            self._read_past(now)

    def _read_new(self, after_ms: int) -> None:
        windows, rows = self._combined(after_ms, None)
        if not windows:
            return
        since = min(after_ms, self._fresh.since_ms if self._fresh else after_ms)
        first = self._fresh is None and self._state.newest_window_end is None
        newest = max(windows, key=lambda w: w.end_ms)
        self._newest_ms, self._window_ms = newest.end_ms, newest.end_ms - newest.start_ms
        self._fresh = _Fresh(since, 0, self._clock() + REREAD_AFTER_S[0], rows)
        self._sink.ingest_windows(windows)
        if not first:  # what was there before the start says nothing about the delay
            self._sink.note_window_delay(self._clock() - self._newest_ms / 1e3)
        if self._focus:
            self._read_focus(self._focus, after_ms - self._window_ms)

    def _reread(self, fresh: _Fresh) -> None:
        fresh.tries += 1
        windows, rows = self._combined(fresh.since_ms, None)
        self._sink.ingest_windows(windows)
        if self._focus:
            self._read_focus(self._focus, fresh.since_ms - self._window_ms)
        if rows != fresh.rows and fresh.tries < MAX_REREADS:
            fresh.rows = rows
            fresh.next_at = self._clock() + REREAD_AFTER_S[min(fresh.tries, len(REREAD_AFTER_S) - 1)]
            return
        self._fresh = None
        # What Spark caught up on may have come behind the newest: once more, further back.
        older, _ = self._combined(fresh.since_ms - REREAD_WINDOWS * self._window_ms, fresh.since_ms)
        self._sink.ingest_windows(older)

    def _read_past(self, now: float) -> None:
        """One slice of the past, between two looks at the present."""
        if self._past_ms is None:
            return
        limit_ms = int((now - self._span_s) * 1000)
        if self._past_ms <= limit_ms or now > self._past_until:
            self._past_ms = None
            return
        begin_ms = max(self._past_ms - BACKFILL_SLICE_S * 1000, limit_ms)
        windows, _ = self._combined(begin_ms, self._past_ms)
        self._sink.ingest_windows(windows)
        self._past_ms = begin_ms

    def _after(self, after_ms: int) -> dict[str, datetime]:
        # A window from the far future would otherwise hide all that come before it.
        limit_ms = int(self._clock() * 1000) + self._window_ms + MAX_FUTURE_MS
        return {"$gt": times.to_datetime(after_ms), "$lte": times.to_datetime(limit_ms)}

    def _combined(self, after_ms: int, until_ms: int | None) -> tuple[list[Window], dict[tuple[str, int], int]]:
        """The fleet's windows with after < end ≤ until, and how many rows each was made of."""
        end = self._after(after_ms)
        if until_ms is not None:
            end["$lte"] = times.to_datetime(until_ms)
        match = {"window.end": end}
        found, damaged = self._combination(match)
        if damaged:
            # Rare: a damaged window makes the combination fail or wrong. The good ones are combined without it.
            rows = self._aggregates.find({**match, "$nor": [GOOD_WINDOW]}, batch_size=_BATCH, limit=MAX_DAMAGED)
            for _ in self._left_out.read(COLLECTION_AGGREGATES, rows, stored_window):
                continue
            found, _ = self._combination({**match, **GOOD_WINDOW})
        return [window for window, _ in found], {(w.sensor, w.start_ms): rows for w, rows in found}

    def _combination(self, match: Document) -> tuple[list[tuple[Window, int]], bool]:
        """The fleet's windows, how many rows each was made of, and whether a damaged one is among the rows."""
        try:
            rows = list(self._aggregates.aggregate(combination(match), batchSize=_BATCH))
        except OperationFailure as error:
            if error.code in _NOT_ALLOWED:
                raise
            return [], True  # arithmetic with text
        found = [(fleet_window(row), row) for row in rows]
        good = [(window, int(row["rows"])) for window, row in found if window is not None]
        return good, len(good) < len(found)

    def _read_focus(self, device_ids: Sequence[str], since_ms: int) -> None:
        until_ms = int(self._clock() * 1000) + self._window_ms + MAX_FUTURE_MS
        starts = {"$gte": times.to_datetime(since_ms), "$lte": times.to_datetime(until_ms)}
        for device_id in device_ids:
            found = self._aggregates.find({"device_id": device_id, "window.start": starts}, batch_size=_BATCH)
            self._sink.ingest_windows(list(self._left_out.read(COLLECTION_AGGREGATES, found, stored_window)))

    def _read_progress(self) -> None:
        document = self._progress.find_one({"_id": JOB_AGGREGATE})
        if document is not None:
            self._job = read_progress(document, self._left_out)
            self._sink.note_late_rows(self._job.late_rows)

    def _note(self, *, answering: bool, why: str = "") -> None:
        old = self._state
        since = old.since if old.answering == answering else self._clock()
        newest = self._state.newest_window_end
        if self._newest_ms is not None and (self._fresh is not None or newest is not None):
            newest = self._newest_ms / 1e3
        self._state = MongoState(answering, since, why, newest, self._job)
