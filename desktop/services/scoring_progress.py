"""The document `job_progress` as the scoring job writes it. What is absent or odd is unknown, never an error."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract import times
from backend.contract.names import COLLECTION_PROGRESS, DATABASE, JOB_PREDICT
from desktop.model.predictor.training import Scoring
from desktop.services.errors import UnreachableError
from desktop.services.mongo import Document, reason


def read_scoring(document: Mapping[str, Any]) -> Scoring:
    """What the document tells."""
    at = document.get("updated_at")
    return Scoring(
        at=times.from_datetime(at) / 1e3 if isinstance(at, datetime) else 0.0,
        per_s=_number(document.get("input_rows_per_second")),
        lag=_count(document.get("lag"), -1),
        scored=_count(document.get("scored")),
        anomalies=_count(document.get("anomalies")),
        invalid=_count(document.get("invalid_rows")),
        model=str(document.get("model") or ""),
    )


def fetch_scoring(client: MongoClient[Document]) -> Scoring | None:
    """How far the scoring job is; None where it never told. Blocking.

    Raises:
        UnreachableError: MongoDB does not answer.
    """
    try:
        found = client[DATABASE][COLLECTION_PROGRESS].find_one({"_id": JOB_PREDICT})
    except PyMongoError as error:
        raise UnreachableError("MongoDB does not answer", why=f"{reason(error)}.", remedy="See the Services page.") from error
    return read_scoring(found) if found is not None else None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _count(value: object, unknown: int = 0) -> int:
    number = _number(value)
    return int(number) if math.isfinite(number) else unknown
