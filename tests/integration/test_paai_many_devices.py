"""A query over as many devices as one may hold, on each stand-in for MongoDB."""

import time
from collections.abc import Iterator
from typing import Any

import pymongo
import pytest

from backend.contract.devices import SENSORS
from backend.contract.limits import MAX_QUERY_DEVICES
from backend.contract.names import COLLECTION_MESSAGES, DATABASE, IDENTITY_FIELDS
from backend.contract.times import to_datetime
from backend.paai.history import DEVICES_AT_ONCE, FEW_DEVICES, MongoHistory
from stack.mongo.choose import MongoChoice
from tests.helpers.mongo_server import MongoServer, mongo_without_auth, stand_ins

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

TIME_MS = 1_700_000_000_000


@pytest.fixture(scope="module", params=stand_ins(), ids=lambda choice: choice.kind)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    choice: MongoChoice = request.param
    with mongo_without_auth(choice, tmp_path_factory.mktemp(choice.kind)) as running:
        yield running


def fill(server: MongoServer, device_ids: list[str]) -> None:
    """One reading of each device and sensor; its value is the device's number."""
    with pymongo.MongoClient[dict[str, Any]](server.uri) as client:
        raw = client[DATABASE][COLLECTION_MESSAGES]
        raw.delete_many({})
        raw.create_index([(name, 1) for name in IDENTITY_FIELDS], unique=True)
        documents = [
            {"device_id": d, "sensor": s, "timestamp": to_datetime(TIME_MS), "value": float(n)}
            for n, d in enumerate(device_ids)
            for s in SENSORS
        ]
        for at in range(0, len(documents), 4000):
            raw.insert_many(documents[at : at + 4000], ordered=False)


async def test_ten_thousand_devices_of_four_sensors_within_30_s(server: MongoServer) -> None:
    device_ids = [f"d{n:05d}" for n in range(MAX_QUERY_DEVICES)]
    fill(server, device_ids)
    history = MongoHistory(uri=server.uri, select_timeout_s=5.0, query_timeout_s=30.0)
    try:
        begun = time.monotonic()
        rows = await history.statistics(device_ids, SENSORS, from_ms=None, to_ms=TIME_MS + 1)
        took_s = time.monotonic() - begun
        few = await history.statistics(device_ids[:FEW_DEVICES], SENSORS, from_ms=None, to_ms=TIME_MS + 1)
    finally:
        await history.close()
    assert took_s < 30.0
    assert [(row.device_id, row.sensor) for row in rows] == [(d, s) for d in device_ids for s in sorted(SENSORS)]
    assert all((row.average, row.count) == (float(row.device_id[1:]), 1) for row in rows)
    assert rows[: len(few)] == few


async def test_devices_asked_for_together_are_those_asked_for_one_by_one(server: MongoServer) -> None:
    device_ids = [f"e{n:03d}" for n in range(FEW_DEVICES + DEVICES_AT_ONCE + 1)]
    fill(server, device_ids)
    history = MongoHistory(uri=server.uri, select_timeout_s=5.0, query_timeout_s=30.0)
    try:
        for sensors in (("humidity",), SENSORS):
            together = await history.statistics([*device_ids, "nobody"], sensors, from_ms=TIME_MS, to_ms=TIME_MS + 1)
            one_by_one = [
                row for d in device_ids for row in await history.statistics([d], sensors, from_ms=TIME_MS, to_ms=TIME_MS + 1)
            ]
            assert together == one_by_one
        assert await history.statistics(device_ids, SENSORS, from_ms=TIME_MS + 1, to_ms=TIME_MS + 2) == []
    finally:
        await history.close()
