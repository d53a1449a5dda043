"""The one place for everything the user should hear of and did not see happen. No Qt; thread-safe.

Fed by code, by unhandled exceptions and by warnings. What is the same within `MERGE_S` becomes one entry with a count, so
that a failing poll neither floods the list nor hides what else happened.
"""

import itertools
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from types import TracebackType
from typing import Final

#: Entries kept; older ones are dropped.
KEEP: Final = 200
MERGE_S: Final = 60.0


class Level(StrEnum):
    """How much it matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing that happened.

    Attributes:
        number: Increases with each new entry; the same when an entry is merged.
        level: See `Level`.
        text: What failed, why, what to do; sentences.
        details: For a report: exception, traceback, versions; may be empty. Never shown unasked.
        at: When it happened last, seconds since the epoch.
        count: How often.
        page: Key of the page where there is more of it; empty for none.
    """

    number: int
    level: Level
    text: str
    details: str
    at: float
    count: int = 1
    page: str = ""


Listener = Callable[[Notification], None]


class Notifications:
    """Keeps and distributes notifications.

    Listeners are called on the thread that reports, outside the lock; a GUI listener must hand over by a signal.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._entries: deque[Notification] = deque(maxlen=KEEP)
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for each notification from now on. Returns what ends it."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def entries(self) -> list[Notification]:
        """All kept, newest first."""
        with self._lock:
            return list(reversed(self._entries))

    def info(self, text: str) -> Notification:
        """Something that happened as it should, unseen."""
        return self._add(Level.INFO, text, "")

    def warning(self, text: str, details: str = "", *, page: str = "") -> Notification:
        """Something to look at; `page` is the key of the page where there is more of it."""
        return self._add(Level.WARNING, text, details, page)

    def error(self, text: str, details: str = "") -> Notification:
        """Something failed: `text` says what, why, what to do."""
        return self._add(Level.ERROR, text, details)

    def exception(self, error: BaseException, doing: str) -> Notification:
        """An exception that nobody expected. The user reads a sentence; the traceback is in the details.

        Args:
            error: What was raised.
            doing: What was being done: "reading the fleet".
        """
        text = f"An error occurred while {doing}: {describe(error)} The monitor keeps running. Copy the details to report it."
        return self._add(Level.ERROR, text, format_traceback(error, error.__traceback__))

    def _add(self, level: Level, text: str, details: str, page: str = "") -> Notification:
        now = self._clock()
        with self._lock:
            for i, old in enumerate(self._entries):
                if old.text == text and old.level == level and now - old.at < MERGE_S:
                    entry = replace(old, at=now, count=old.count + 1, details=details or old.details)
                    del self._entries[i]
                    break
            else:
                entry = Notification(next(self._numbers), level, text, details, now, page=page)
            self._entries.append(entry)
            listeners = list(self._listeners)
        for listener in listeners:
            listener(entry)
        return entry


def describe(error: BaseException) -> str:
    """The error as one sentence: its message, or its kind where it has none. Never a traceback."""
    text = " ".join(str(error).split()) or f"{type(error).__name__} without a message"
    if len(text) > 300:
        text = text[:299] + "…"
    return text if text.endswith((".", "!", "?", "…")) else text + "."


def format_traceback(error: BaseException, tb: TracebackType | None) -> str:
    """What a report needs; not for showing."""
    return "".join(traceback.format_exception(type(error), error, tb)).rstrip()
