"""Whether readings still reach MongoDB, asked of each stand-in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient

from backend.contract.names import COLLECTION_MESSAGES, DATABASE
from backend.operator.storing import find_storing
from desktop.services.mongo import open_client
from tests.helpers import documents as docs
from tests.helpers.mongo_server import MongoServer

pytestmark = pytest.mark.integration


def test_only_readings_stored_lately_count(stand_in: MongoServer) -> None:
    with open_client(stand_in.uri) as client:
        raw = client[DATABASE][COLLECTION_MESSAGES]
        now = datetime.now(UTC)
        for seconds in (-3600, -61, 3600):
            raw.insert_one({"_id": ObjectId.from_datetime(now + timedelta(seconds=seconds)), **docs.reading()})
        raw.insert_one({"_id": "edited", **docs.reading()})
        assert find_storing(client, within_s=60, now=lambda: now) == ""
        raw.insert_one(docs.reading(at=docs.AT + timedelta(seconds=1)))
        assert find_storing(client, within_s=60).startswith("readings are still being stored")


def test_a_database_that_does_not_respond_is_named() -> None:
    with MongoClient[dict[str, Any]]("mongodb://127.0.0.1:1/", serverSelectionTimeoutMS=100) as client:
        assert find_storing(client, within_s=60).startswith("MongoDB does not respond: ")
