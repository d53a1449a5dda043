"""Which model is promoted, without the models: light enough for a process that only waits for one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo import MongoClient

from backend.contract.names import COLLECTION_MODEL_STATE, DATABASE

#: `_id` of the document in the collection `model_state`.
PROMOTED: Final = "promoted"
_VERSION: Final = re.compile(r"v[1-9][0-9]{0,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Promotion:
    """What the document says, whatever it holds.

    Attributes:
        version: ``v3``; None for nothing.
        at: When it was promoted.
        before: Versions promoted before, the newest last.
        damaged: There is a document, and it names no model.
    """

    version: str | None
    at: datetime | None
    before: tuple[str, ...]
    damaged: bool


def is_version(text: object) -> bool:
    """Whether this is the name of a model."""
    return isinstance(text, str) and _VERSION.fullmatch(text) is not None


def from_document(found: Mapping[str, Any] | None) -> Promotion:
    """Take the document in; None where there is none."""
    found = found or {}
    version, at, before = found.get("version"), found.get("at"), found.get("before")
    return Promotion(
        version=str(version) if is_version(version) else None,
        at=at if isinstance(at, datetime) else None,
        before=tuple(v for v in before if isinstance(v, str)) if isinstance(before, list) else (),
        damaged=bool(found) and not is_version(version),
    )


def read(client: MongoClient[dict[str, Any]]) -> Promotion:
    """Ask the database.

    Raises:
        PyMongoError: it does not answer, or refuses.
    """
    return from_document(client[DATABASE][COLLECTION_MODEL_STATE].find_one({"_id": PROMOTED}))
