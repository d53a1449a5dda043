"""Damaged documents on a real stand-in for MongoDB: every reader gives the good ones and names what it leaves out."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract.devices import SENSORS
from backend.contract.names import COLLECTION_MESSAGES, DATABASE
from backend.contract.times import from_datetime
from backend.paai.history import MongoHistory
from backend.paai.listing import GroupedListing, SteppingListing
from desktop.services.mongo import open_client
from stack.mongo.choose import MongoChoice
from tests.helpers import documents as docs
from tests.helpers.mongo_server import MongoServer, mongo_without_auth, stand_ins

pytestmark = pytest.mark.integration

Client = MongoClient[dict[str, Any]]
AT_MS = from_datetime(docs.AT)
#: Far behind every time that a document of these tests has.
TO_MS = from_datetime(docs.AT + timedelta(days=1))


@pytest.fixture(scope="module", params=stand_ins(), ids=lambda choice: choice.kind)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    choice: MongoChoice = request.param
    with mongo_without_auth(choice, tmp_path_factory.mktemp(choice.kind)) as running:
        yield running


@pytest.fixture
def client(server: MongoServer) -> Iterator[Client]:
    with open_client(server.uri) as opened:
        opened.drop_database(DATABASE)
        yield opened


def insert(client: Client, collection: str, documents: list[docs.Document]) -> int:
    """Insert one by one; the Python stand-in refuses some dates. Returns how many are stored."""
    stored = 0
    for document in documents:
        try:
            client[DATABASE][collection].insert_one({**document})
            stored += 1
        except PyMongoError as error:
            assert "out of range" in str(error), document  # noqa: PT017 - only dates may be refused
    return stored


def damaged_readings() -> list[docs.Document]:
    """Every damage, of a device that has good readings too; each `_id` differs."""
    rows = docs.damaged(docs.reading(), dates=True)
    return [{"_id": ObjectId(), **row} for row in rows] + [{"hello": "world"}, {"_id": "text"}, {"_id": {"a": 1}}]


# paai


@pytest.fixture
async def history(server: MongoServer) -> AsyncIterator[MongoHistory]:
    opened = MongoHistory(uri=server.uri, select_timeout_s=10, query_timeout_s=60)
    yield opened
    await opened.close()


async def test_statistics_are_those_of_the_good_readings(client: Client, history: MongoHistory) -> None:
    insert(client, COLLECTION_MESSAGES, damaged_readings())
    good = [docs.reading(at=docs.AT + timedelta(seconds=i), value=20.0 + i) for i in range(1, 4)]
    insert(client, COLLECTION_MESSAGES, [*good, docs.reading("d-2")])
    rows = await history.statistics(["d-1", "d-2", "d-3"], SENSORS, from_ms=AT_MS + 1, to_ms=TO_MS)
    # The second's damaged readings have the good time; those with a damaged time match no bound.
    assert [(r.device_id, r.sensor, r.average, r.maximum, r.minimum, r.count) for r in rows] == [
        ("d-1", "temperature", 22.0, 23.0, 21.0, 3)
    ]
    rows = await history.statistics(["d-1", "d-2"], SENSORS, from_ms=None, to_ms=TO_MS)
    assert [(r.device_id, r.count) for r in rows][-1] == ("d-2", 1)
    by_device = {r.device_id: r for r in rows}
    # Good besides the three: a value that is good as a number (−1, and huge whole numbers), a date in range.
    assert by_device["d-1"].minimum >= -(2.0**63)
    assert by_device["d-1"].maximum <= 2.0**63
    assert history.damaged_total > 10


@pytest.mark.parametrize("kind", [GroupedListing, SteppingListing])
async def test_the_device_list_is_that_of_the_good_readings(client: Client, history: MongoHistory, kind: type[Any]) -> None:
    insert(client, COLLECTION_MESSAGES, damaged_readings())
    insert(client, COLLECTION_MESSAGES, [docs.reading(f"good-{i}") for i in range(3)])
    history.use_listing(kind)
    page = await history.devices(sensors=SENSORS, prefix="", limit=100, after=None)
    found = {(row.device_id, row.sensor): row for row in page.devices}
    assert {("good-0", "temperature"), ("good-1", "temperature"), ("good-2", "temperature")} <= set(found)
    assert found["d-1", "temperature"].first_ms <= AT_MS <= found["d-1", "temperature"].last_ms
    assert all(isinstance(device, str) and 0 < len(device) <= 128 for device, _ in found)
    page = await history.devices(sensors=SENSORS, prefix="good-", limit=2, after=None)
    assert [row.device_id for row in page.devices] == ["good-0", "good-1"]
    assert page.next is not None
    page = await history.devices(sensors=SENSORS, prefix="good-", limit=2, after=page.next)
    assert [row.device_id for row in page.devices] == ["good-2"]
