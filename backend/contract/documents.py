"""Stored documents as readers take them: typed fields, and a count of the documents that are left out.

Anyone may have edited what MongoDB holds. A reader takes each field through a function of this module; a document with a field
of the wrong type raises `DamagedError`, is left out and counted by `LeftOut`, and its neighbours are read.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypeGuard, TypeVar

from backend.contract.devices import BY_SENSOR
from backend.contract.figures import plural
from backend.contract.limits import FIRST_TIME_MS, MAX_DEVICE_ID_CHARS
from backend.contract.times import from_datetime

#: Options of every MongoClient: a date outside the years 1 to 9999 and text that is not UTF-8 must not raise while decoding.
DECODING: Final[Mapping[str, Any]] = MappingProxyType(
    {"tz_aware": True, "datetime_conversion": "DATETIME_AUTO", "unicode_decode_error_handler": "replace"}
)
#: Numbers beyond this count as damaged, so that sums and squares of them stay finite.
LARGEST: Final = 1e100
#: MongoDB's condition for what `number` accepts.
IS_NUMBER: Final[Mapping[str, Any]] = MappingProxyType(
    {"$type": ["double", "int", "long"], "$not": {"$type": "array"}, "$gte": -LARGEST, "$lte": LARGEST}
)
#: Seconds between two reports about one collection; a report is due only when the count has grown.
REPORT_S: Final = 3600.0
#: Identities remembered per collection; beyond it documents are no longer counted.
MAX_REMEMBERED: Final = 100_000

Document = Mapping[str, Any]
T = TypeVar("T")
_MISSING: Final = object()


class DamagedError(ValueError):
    """A stored document lacks a field or has one of the wrong type; the message names field and fault."""


def number(document: Document, path: str) -> float:
    """Return the finite number at `path`.

    Raises:
        DamagedError: it is missing or not a number.
    """
    value = _at(document, path)
    if is_number(value):
        return float(value)
    raise DamagedError(f"{path} {_fault(value, 'a number')}")


def optional_number(document: Document, path: str) -> float | None:
    """Return the number at `path`; None where it is missing or null.

    Raises:
        DamagedError: it is something else.
    """
    value = _at(document, path)
    return None if value is None or value is _MISSING else number(document, path)


def sensor_value(document: Document, path: str, sensor: str, *, slack: float = 0.0) -> float:
    """Return the number at `path`, a value of `sensor`; the range of a sensor that is not in force is not known.

    Args:
        slack: How far beyond the range it may be, for rounded averages.

    Raises:
        DamagedError: it is missing, not a number or outside the sensor's range.
    """
    value, known = number(document, path), BY_SENSOR.get(sensor)
    if known is not None and not known.minimum - slack <= value <= known.maximum + slack:
        raise DamagedError(f"{path} is outside the range of {sensor}")
    return value


def count(document: Document, path: str, *, least: int = 0) -> int:
    """Return the whole number at `path`.

    Raises:
        DamagedError: it is missing, not a whole number or less than `least`.
    """
    found = number(document, path)
    if found != int(found) or not least <= found < 2**53:
        raise DamagedError(f"{path} is not a count of at least {least}")
    return int(found)


def time_ms(document: Document, path: str) -> int:
    """Return the time at `path` in milliseconds since the epoch.

    Raises:
        DamagedError: it is missing, not a date or outside the years 1583 to 9999.
    """
    value = _at(document, path)
    if not isinstance(value, datetime):
        raise DamagedError(f"{path} {_fault(value, 'a date of the years 1583 to 9999')}")
    found = from_datetime(value)
    if found < FIRST_TIME_MS:
        raise DamagedError(f"{path} is not a date of the years 1583 to 9999")
    return found


def text(document: Document, path: str, *, most: int = 500) -> str:
    """Return the text at `path`, which must hold 1 to `most` characters.

    Raises:
        DamagedError: it is missing, not text, empty or too long.
    """
    value = _at(document, path)
    if not isinstance(value, str):
        raise DamagedError(f"{path} {_fault(value, 'text')}")
    if not 0 < len(value) <= most:
        raise DamagedError(f"{path} has {len(value)} characters, not 1 to {most}")
    return value


def optional_text(document: Document, path: str) -> str:
    """Return the text at `path`; empty where it is missing or null.

    Raises:
        DamagedError: it is something else.
    """
    value = _at(document, path)
    if value is None or value is _MISSING:
        return ""
    if not isinstance(value, str):
        raise DamagedError(f"{path} is not text")
    return value


def device_id(document: Document) -> str:
    """Return the field `device_id`.

    Raises:
        DamagedError: as `text`.
    """
    return text(document, "device_id", most=MAX_DEVICE_ID_CHARS)


def flag(document: Document, path: str) -> bool:
    """Return the boolean at `path`.

    Raises:
        DamagedError: it is missing or not a boolean.
    """
    value = _at(document, path)
    if not isinstance(value, bool):
        raise DamagedError(f"{path} {_fault(value, 'true or false')}")
    return value


def is_number(value: object) -> TypeGuard[float]:
    """Return whether `value` is a finite number within ±`LARGEST`; booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


def _at(document: Document, path: str) -> Any:
    found: Any = document
    for part in path.split("."):
        if not isinstance(found, Mapping):
            return _MISSING
        found = found.get(part, _MISSING)
    return found


def _fault(value: object, wanted: str) -> str:
    return "is missing" if value is _MISSING else f"is not {wanted}"


class LeftOut:
    """Counts the stored documents that the readers of one process leave out. Any thread.

    Each document counts once, however often it is read. Each collection is reported once, and again when the count has grown,
    at most every `REPORT_S`.

    Args:
        report: Takes the sentence for people.
        clock: Monotonic seconds.
    """

    def __init__(
        self, report: Callable[[str], object] = lambda _: None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._report, self._clock = report, clock
        self._lock = threading.Lock()
        self._seen: dict[str, set[str]] = {}
        self._example: dict[str, str] = {}
        self._records: dict[str, tuple[int, str]] = {}
        self._reported: dict[str, tuple[int, float]] = {}

    def counts(self) -> dict[str, int]:
        """Return the number of documents left out, by collection."""
        with self._lock:
            return {collection: len(seen) for collection, seen in self._seen.items()}

    def total(self) -> int:
        """Return the number of documents left out in all collections."""
        return sum(self.counts().values())

    def note(self, collection: str, key: object, why: str) -> None:
        """Count a document.

        Args:
            collection: Where it is.
            key: Its `_id`.
            why: The fault, as in `DamagedError`.
        """
        identity = repr(key)[:200]
        with self._lock:
            seen = self._seen.setdefault(collection, set())
            if len(seen) < MAX_REMEMBERED:
                seen.add(identity)
            self._example.setdefault(collection, f"{why} (_id {identity[:80]})")

    def add_records(self, topic: str, n: int, why: str) -> None:
        """Count records of a topic, which have no identity: each must be given once."""
        with self._lock:
            self._records[topic] = (self._records.get(topic, (0, ""))[0] + n, why)

    def read(self, collection: str, documents: Iterable[Document], take: Callable[[Document], T]) -> Iterator[T]:
        """Yield what `take` makes of each document; those for which it raises `DamagedError` are counted and left out."""
        for document in documents:
            try:
                taken = take(document)
            except DamagedError as error:
                self.note(collection, document.get("_id"), str(error))
            else:
                yield taken

    def report(self) -> None:
        """Report what is due; call it after a round of reading, so that one sentence covers the whole round."""
        now = self._clock()
        with self._lock:
            counted = {
                name: (len(seen), left_out_sentence(len(seen), name, self._example[name])) for name, seen in self._seen.items()
            }
            counted |= {f"topic {name}": (n, _records_sentence(n, name, why)) for name, (n, why) in self._records.items()}
            due: list[str] = []
            for name, (n, sentence) in counted.items():
                reported, at = self._reported.get(name, (0, -REPORT_S))
                if n > reported and now - at >= REPORT_S:
                    self._reported[name] = (n, now)
                    due.append(sentence)
        for sentence in due:
            self._report(sentence)


def left_out_sentence(n: int, collection: str, example: str) -> str:
    """Return the sentence that tells a person what was left out, why and what to do."""
    return f"{plural(n, 'document')} of {collection} left out: {example}. Correct or delete such documents in MongoDB."


def _records_sentence(n: int, topic: str, why: str) -> str:
    return f"{plural(n, 'record')} of the topic {topic} left out: {why}. Check who else writes to it."
