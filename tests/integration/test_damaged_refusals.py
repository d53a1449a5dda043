"""The count of refused requests after somebody edited it, on each stand-in for MongoDB: counting continues."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from backend.contract.names import COLLECTION_REFUSALS, DATABASE, REFUSED_REQUESTS, REFUSED_REQUESTS_DAMAGED
from backend.paai.refusals.refusal import Refusal
from backend.paai.refusals.store import Batch, MongoRefusals
from desktop.services.mongo import open_client
from tests.helpers.mongo_server import MongoServer

pytestmark = pytest.mark.integration

Document = dict[str, Any]


@pytest.fixture
def client(stand_in: MongoServer) -> Iterator["MongoClient[Document]"]:
    """Of a stand-in, not of the running system; the database is empty."""
    with open_client(stand_in.uri) as opened:
        opened.drop_database(DATABASE)
        yield opened


NO_FIELDS: list[Any] = ["x", None, []]
NO_COUNTS: list[Any] = ["7", None, 2**63 - 1, 1e300, float("nan"), {}, True]
COUNTS = [*NO_FIELDS, *({"body": value} for value in NO_FIELDS), *({"body": {"invalid": value}} for value in NO_COUNTS)]


@pytest.mark.parametrize("edit", [*({"counts": counts} for counts in COUNTS), {"writes": "x"}, {"newest": None}], ids=str)
async def test_refusals_are_counted_on_after_an_edit(
    client: "MongoClient[Document]", stand_in: MongoServer, edit: Document, caplog: pytest.LogCaptureFixture
) -> None:
    collection = client[DATABASE][COLLECTION_REFUSALS]
    store = MongoRefusals(uri=stand_in.uri, timeout_s=10)
    item = Refusal(1, "/", 422, "body", "invalid", "m", None, "t", 1)
    await store.add(Batch({("body", "invalid"): 2, ("sensor", "type"): 4}, (item,)))
    collection.update_one({"_id": REFUSED_REQUESTS}, {"$set": edit})
    edited = collection.find_one({"_id": REFUSED_REQUESTS})
    for _ in range(2):
        await store.add(batch := Batch({("body", "invalid"): 1, ("sensor", "type"): 1}, (item,)))
        await store.add(batch)
    found = await store.requests()
    assert found.counts["body", "invalid"] == (4 if "counts" not in edit else found.counts["body", "invalid"])
    assert found.counts["body", "invalid"] >= 1
    assert found.counts["sensor", "type"] == (2 if "counts" in edit else 6)
    assert len(found.newest) >= 2
    aside = collection.find_one({"_id": REFUSED_REQUESTS_DAMAGED})
    assert edited is not None
    assert aside is not None
    assert aside.keys() == edited.keys() | {"set_aside_at"}
    assert caplog.text.count("was edited and cannot be incremented") == 1
    await store.close()
