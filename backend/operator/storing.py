"""Whether readings reach MongoDB although the sink confirms nothing: one slow bulk write confirms nothing until its end."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.common.mongo_errors import short
from backend.contract import names


def _now() -> datetime:
    return datetime.now(UTC)


def find_storing(
    client: "MongoClient[dict[str, Any]]",
    *,
    within_s: float,
    now: Callable[[], datetime] = _now,
    database: str = names.DATABASE,
) -> str:
    """Return why a restart of the sink would not help; empty when no reading was stored lately.

    The `_id` of a stored reading holds its time of storing; a replaced reading keeps the first, so repeats are not seen.

    Args:
        client: MongoDB.
        within_s: What counts as lately, in seconds; also how far ahead of `now` MongoDB's clock may be.
    """
    at, span = now(), timedelta(seconds=within_s)
    lately = {"$gt": ObjectId.from_datetime(at - span), "$lte": ObjectId.from_datetime(at + span)}
    try:
        found = client[database][names.COLLECTION_MESSAGES].find_one({"_id": lately}, {"_id": 1})
    except PyMongoError as error:
        return f"MongoDB does not respond: {short(error)}"
    return "" if found is None else "readings are still being stored, slowly. Check the load on MongoDB"
