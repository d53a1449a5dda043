"""The refusals in MongoDB: one document for all processes, changed by increments, so that no process has a part to clean up.

A write carries an id that the document remembers: repeating a write whose answer was lost changes nothing.
"""

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import pymongo
from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from backend.common.errors import UnavailableError
from backend.contract.documents import DECODING, is_number
from backend.contract.names import (
    COLLECTION_REFUSALS,
    DATABASE,
    REFUSED_RECORDS,
    REFUSED_REQUESTS,
    REFUSED_REQUESTS_DAMAGED,
)
from backend.contract.times import from_datetime
from backend.paai.refusals.refusal import FIELDS, REASONS, Refusal

log = logging.getLogger("paai")

#: Refusals that are kept with their first bytes, over all processes.
KEPT: Final = 100
#: Writes that are remembered. A repeated write is recognised while fewer than these came in between.
_WRITES: Final = 64
#: BadValue, TypeMismatch, PathNotViable, BSONObjectTooLarge: what was edited cannot be incremented or added to.
_FAULTS_OF_THE_DOCUMENT: Final = frozenset({2, 14, 28, 10334, 17419})
#: A count of this size was edited, and could not be incremented for ever.
_MAX_COUNT: Final = 2**53
_LATEST_MS: Final = 253_402_300_799_999

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one write adds.

    Attributes:
        id: Of the write; the same when it is repeated.
        counts: By field and reason.
        newest: At most `KEPT`, oldest first.
    """

    counts: Mapping[tuple[str, str], int]
    newest: Sequence[Refusal]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class RefusedRequests:
    """What is stored of refused requests.

    Attributes:
        counts: By field and reason, since `since_ms`.
        newest: Newest first.
        since_ms: When the first was stored, milliseconds since the epoch; None before.
    """

    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    newest: Sequence[Refusal] = ()
    since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RefusedRecords:
    """What the operator counted in the topic `dead_letters`.

    Attributes:
        by_reason: Dead letters by reason code.
        at_ms: When it counted last, milliseconds since the epoch.
    """

    by_reason: Mapping[str, int] = field(default_factory=dict)
    at_ms: int | None = None


class RefusalStore(Protocol):
    """Where refusals are kept. Every call raises UnavailableError when it cannot be done."""

    async def add(self, batch: Batch) -> None:
        """Add a batch; adding the same one again changes nothing."""
        ...

    async def requests(self) -> RefusedRequests:
        """What is stored of requests."""
        ...

    async def records(self) -> RefusedRecords:
        """What the operator stored of records."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class MongoRefusals:
    """`RefusalStore` in MongoDB. Belongs to one event loop."""

    def __init__(self, *, uri: str, timeout_s: float) -> None:
        ms = int(timeout_s * 1000)
        self._timeout_s = timeout_s
        self._client: AsyncMongoClient[Document] = AsyncMongoClient(
            uri, serverSelectionTimeoutMS=ms, connectTimeoutMS=ms, maxPoolSize=4, appname="paai-refusals", **DECODING
        )
        self._collection = self._client[DATABASE][COLLECTION_REFUSALS]

    async def add(self, batch: Batch) -> None:
        try:
            with pymongo.timeout(self._timeout_s):
                try:
                    whole = await self._write(batch)
                except OperationFailure as error:
                    if error.code not in _FAULTS_OF_THE_DOCUMENT:
                        raise
                    await self._mend()
                    whole = await self._write(batch)
                if not whole:
                    await self._mend()
        except PyMongoError as error:
            raise _unavailable() from error

    async def _write(self, batch: Batch) -> bool:
        """Return whether all counts are readable."""
        change = {
            "$inc": {f"counts.{name}.{reason}": count for (name, reason), count in batch.counts.items()},
            "$push": {
                "writes": {"$each": [batch.id], "$slice": -_WRITES},
                "newest": {"$each": [asdict(item) for item in batch.newest], "$slice": -KEPT},
            },
            "$set": {"updated_at": datetime.now(UTC)},
            "$setOnInsert": {"since": datetime.now(UTC)},
        }
        wanted = {"_id": REFUSED_REQUESTS, "writes": {"$ne": batch.id}}
        try:
            found = await self._change(wanted, change, upsert=True)
        except DuplicateKeyError:
            # The write was done before, or another process made the document at the same moment: without the upsert the
            # second attempt changes nothing in the first case and adds the batch in the second.
            found = await self._change(wanted, change, upsert=False)
        return found is None or _all_readable(found.get("counts"))

    async def _change(self, wanted: Document, change: Document, *, upsert: bool) -> Document | None:
        return await self._collection.find_one_and_update(
            wanted, change, {"counts": 1}, upsert=upsert, return_document=ReturnDocument.AFTER
        )

    async def _mend(self) -> None:
        """Set the document aside and keep what can be read of it."""
        found = await self._collection.find_one({"_id": REFUSED_REQUESTS})
        if found is None:
            return
        now, since = datetime.now(UTC), found.get("since")
        counts: dict[str, dict[str, int]] = {}
        for (name, reason), count in _counts(found.get("counts")).items():
            counts.setdefault(name, {})[reason] = count
        whole = {
            "counts": counts,
            "newest": [asdict(item) for item in map(_read, _list(found.get("newest"))) if item is not None][-KEPT:],
            "writes": [item for item in _list(found.get("writes")) if isinstance(item, str)][-_WRITES:],
            "since": since if isinstance(since, datetime) else now,
            "updated_at": now,
        }
        aside = {"_id": REFUSED_REQUESTS_DAMAGED}
        await self._collection.replace_one(aside, {**found, **aside, "set_aside_at": now}, upsert=True)
        # Unless another process was quicker.
        await self._collection.replace_one({"_id": REFUSED_REQUESTS, "updated_at": found.get("updated_at")}, whole)
        log.warning(
            "The document %s of %s was edited and cannot be incremented: it is kept as %s, counting continues with what is"
            " readable of it. Correct counts while paai is stopped.",
            REFUSED_REQUESTS, COLLECTION_REFUSALS, REFUSED_REQUESTS_DAMAGED,
        )  # fmt: skip

    async def requests(self) -> RefusedRequests:
        found = await self._find(REFUSED_REQUESTS)
        newest = [item for item in map(_read, _list(found.get("newest"))) if item is not None]
        since = found.get("since")
        return RefusedRequests(
            counts=_counts(found.get("counts")),
            newest=sorted(newest, key=lambda item: item.at_ms, reverse=True),
            since_ms=from_datetime(since) if isinstance(since, datetime) else None,
        )

    async def records(self) -> RefusedRecords:
        found = await self._find(REFUSED_RECORDS)
        at = found.get("updated_at")
        return RefusedRecords(
            by_reason=_positive(found.get("by_reason")), at_ms=from_datetime(at) if isinstance(at, datetime) else None
        )

    async def close(self) -> None:
        await self._client.close()

    async def _find(self, key: str) -> Document:
        try:
            with pymongo.timeout(self._timeout_s):
                return await self._collection.find_one({"_id": key}) or {}
        except PyMongoError as error:
            raise _unavailable() from error


def _unavailable() -> UnavailableError:
    return UnavailableError("MongoDB does not respond. Repeat the request.", retry_after_s=2)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _read(value: object) -> Refusal | None:
    """What was stored; None for what somebody edited into something else."""
    if not isinstance(value, dict):
        return None
    try:
        index, at_ms = value.get("index"), int(value["at_ms"])
        if not 0 <= at_ms <= _LATEST_MS:
            return None
        return Refusal(
            at_ms=at_ms,
            path=str(value["path"]),
            status=int(value["status"]),
            field=str(value["field"]),
            reason=str(value["reason"]),
            message=str(value["message"]),
            index=None if index is None else int(index),
            text=str(value["text"]),
            size=max(0, int(value["size"])),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _positive(value: object) -> dict[str, int]:
    """The whole numbers above 0 of a sub-document; what somebody edited into something else is left out."""
    if not isinstance(value, dict):
        return {}
    return {str(k): int(n) for k, n in value.items() if is_number(n) and 0 < n < _MAX_COUNT and n == int(n)}


def _counts(value: object) -> dict[tuple[str, str], int]:
    by_field = value if isinstance(value, dict) else {}
    return {
        (name, reason): count for name in FIELDS for reason, count in _positive(by_field.get(name)).items() if reason in REASONS
    }


def _all_readable(value: object) -> bool:
    """Whether `_counts` leaves out no count: an edited one may be incremented for ever and still be none, as NaN."""
    by_field = value if isinstance(value, dict) else {}
    found = _counts(value)
    return all((name, reason) in found for name in FIELDS for reason in by_field.get(name, ()) if reason in REASONS)
