"""What refused-record counters the jobs report in `job_progress`. What is absent or of another type is left out."""

from collections.abc import Mapping
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract.names import COLLECTION_PROGRESS, DATABASE, JOB_AGGREGATE, JOB_PREDICT
from desktop.model.refused.compare import Reader
from desktop.services.errors import UnreachableError
from desktop.services.mongo import Document, reason

TITLES: Final = {JOB_AGGREGATE: "Spark", JOB_PREDICT: "The prediction job"}


def fetch_readers(client: MongoClient[Document]) -> list[Reader]:
    """Return what each job refused since its start. Blocking.

    Raises:
        UnreachableError: MongoDB does not respond.
    """
    try:
        found = list(client[DATABASE][COLLECTION_PROGRESS].find({"_id": {"$in": list(TITLES)}}))
    except PyMongoError as error:
        raise UnreachableError("MongoDB does not respond", why=reason(error)) from error
    return [reader for reader in map(read_reader, found) if reader is not None]


def read_reader(document: Mapping[str, Any]) -> Reader | None:
    """Return what a job's document says; None when it does not say it."""
    refused, partitions = document.get("invalid_rows"), document.get("partitions")
    first = _offsets(document.get("first_offsets"))
    if not isinstance(partitions, Mapping) or not isinstance(refused, int) or isinstance(refused, bool) or not first:
        return None
    end = _offsets({p: at.get("end") if isinstance(at, Mapping) else None for p, at in partitions.items()})
    if end.keys() != first.keys():
        return None
    return Reader(TITLES[str(document["_id"])], refused, first, end)


def _offsets(value: object) -> dict[int, int]:
    if not isinstance(value, Mapping):
        return {}
    try:
        return {int(partition): int(offset) for partition, offset in value.items()}
    except (TypeError, ValueError, OverflowError):
        return {}
