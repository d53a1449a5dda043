"""The document `job_progress` as the scoring job writes it. A damaged field is unknown, never an error."""

import math

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract.documents import Document
from backend.contract.names import COLLECTION_PROGRESS, DATABASE, JOB_PREDICT
from desktop.model.predictor.training import Scoring
from desktop.services.errors import UnreachableError
from desktop.services.job_progress import ProgressFields
from desktop.services.mongo import Document as MongoDocument
from desktop.services.mongo import reason


def read_scoring(document: Document) -> Scoring:
    """Return what the document holds."""
    fields = ProgressFields(document)
    at = fields.time("updated_at")
    return Scoring(
        at=at if math.isfinite(at) else 0.0,
        per_s=fields.number("input_rows_per_second"),
        lag=fields.count("lag", -1),
        scored=fields.count("scored"),
        anomalies=fields.count("anomalies"),
        invalid=fields.count("invalid_rows"),
        model=fields.text("model"),
    )


def fetch_scoring(client: MongoClient[MongoDocument]) -> Scoring | None:
    """How far the scoring job is; None where it never told. Blocking.

    Raises:
        UnreachableError: MongoDB does not answer.
    """
    try:
        found = client[DATABASE][COLLECTION_PROGRESS].find_one({"_id": JOB_PREDICT})
    except PyMongoError as error:
        raise UnreachableError("MongoDB does not answer", why=f"{reason(error)}.", remedy="See the Services page.") from error
    return read_scoring(found) if found is not None else None
