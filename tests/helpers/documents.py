"""Stored documents for tests: a good one of each collection, and every way in which somebody may have damaged it."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bson import DatetimeMS, Decimal128, Int64, ObjectId
from hypothesis import strategies as st

Document = dict[str, Any]

#: The time of the good documents.
AT: Final = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)

#: What a field may hold instead of what it should. Dates outside `datetime` are values that only some servers store.
WRONG: Final[tuple[Any, ...]] = (
    None,
    "21,5",
    "",
    "2026-11-28T12:00:00Z",
    True,
    float("nan"),
    float("inf"),
    float("-inf"),
    1e300,
    Int64(2**63 - 1),
    Int64(-(2**63)),
    -1,
    Decimal128("21.5"),
    Decimal128("NaN"),
    b"\xff\x00",
    ObjectId(b"0" * 12),
    [],
    [21.5],
    [AT],
    {},
    {"avg": 1.0},
    {"start": AT, "end": AT},
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, tzinfo=UTC),
    "x" * 5_000,
    "\u202e<b>\x00",
)
#: Dates that BSON can hold and Python's datetime cannot; the Python stand-in refuses to store them.
WRONG_DATES: Final[tuple[Any, ...]] = (
    DatetimeMS(253_402_300_800_000),
    DatetimeMS(-62_167_219_200_001),
    DatetimeMS(2**63 - 1),
    DatetimeMS(-(2**63)),
)


def reading(device_id: str = "d-1", *, at: datetime = AT, value: float = 21.5) -> Document:
    """A good document of `processed_messages`."""
    return {"device_id": device_id, "sensor": "temperature", "timestamp": at, "value": value}


def window(device_id: str = "d-1", *, at: datetime = AT, avg: float = 21.5) -> Document:
    """A good document of `aggregated_messages`."""
    return {
        "_id": f"{at.isoformat()}/temperature/{device_id}",
        "window": {"start": at, "end": at + timedelta(seconds=10)},
        "device_id": device_id,
        "sensor": "temperature",
        "avg": avg,
        "min": avg - 1,
        "max": avg + 1,
        "count": 10,
    }


def prediction(device_id: str = "d-1", *, at: datetime = AT, anomaly: bool = True) -> Document:
    """A good document of `predictions`."""
    return {
        "_id": f"{device_id}/temperature/{at.isoformat()}",
        "device_id": device_id,
        "sensor": "temperature",
        "timestamp": at,
        "value": 40.0,
        "expected": 21.0,
        "lower": 20.0,
        "upper": 22.0,
        "score": 0.9,
        "anomaly": anomaly,
        "reason": "40.0 °C is far above 21.0 °C.",
        "kind": "spike",
        "severity": "warning",
        "since": at,
        "model": "v1",
    }


def progress(job: str = "aggregate", *, at: datetime = AT) -> Document:
    """A good document of `job_progress`."""
    return {
        "_id": job,
        "input_rows_per_second": 100.0,
        "processed_rows_per_second": 200.0,
        "batch_duration_ms": 400,
        "watermark": at,
        "lag": 5,
        "late_rows": 7,
        "scored": 10,
        "anomalies": 1,
        "invalid_rows": 0,
        "model": "v1",
        "updated_at": at,
    }


def acknowledgement(key: str, *, at: datetime = AT) -> Document:
    """A good document of `anomaly_acknowledgements`."""
    return {"_id": key, "at": at, "by": "Ada"}


def paths(document: Document, prefix: str = "") -> Iterator[str]:
    """Every field, also of nested documents, with dots."""
    for key, value in document.items():
        path = f"{prefix}{key}"
        yield path
        if isinstance(value, dict):
            yield from paths(value, f"{path}.")


def replaced(document: Document, path: str, value: Any) -> Document:
    """A copy with another value at `path`."""
    result = copy.deepcopy(document)
    *parents, last = path.split(".")
    at = result
    for part in parents:
        at = at[part]
    at[last] = value
    return result


def without(document: Document, path: str) -> Document:
    """A copy that lacks the field at `path`."""
    result = copy.deepcopy(document)
    *parents, last = path.split(".")
    at = result
    for part in parents:
        at = at[part]
    del at[last]
    return result


def damaged(document: Document, *, dates: bool = False) -> list[Document]:
    """Copies of a good document, each with one field damaged or missing; the `_id` stays.

    Args:
        document: A good one.
        dates: Also with dates that Python cannot hold.
    """
    fields = [path for path in paths(document) if path != "_id"]
    values = WRONG + WRONG_DATES if dates else WRONG
    return [without(document, path) for path in fields] + [
        replaced(document, path, value) for path in fields for value in values
    ]


_SCALARS = st.one_of(
    st.sampled_from(WRONG + WRONG_DATES),
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=200),
    st.binary(max_size=20),
    st.datetimes(timezones=st.just(UTC)),
)
#: Anything that a document may hold.
VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3), max_leaves=6
)


@st.composite
def mutations(draw: st.DrawFn, good: Document) -> Document:
    """A good document with some fields replaced, removed or added; sometimes one that has nothing in common with it."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.dictionaries(st.sampled_from([*good, "other"]), VALUES, max_size=6))
    document = copy.deepcopy(good)
    for path in draw(st.lists(st.sampled_from(list(paths(good))), min_size=0, max_size=3, unique=True)):
        try:
            document = without(document, path) if draw(st.booleans()) else replaced(document, path, draw(VALUES))
        except (KeyError, TypeError, IndexError):
            continue  # a parent was replaced before
    if draw(st.booleans()):
        document["other"] = draw(VALUES)
    return document
