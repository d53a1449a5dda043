"""A query over as many devices as one may hold, on each stand-in for MongoDB."""

from collections.abc import Callable
from typing import Any

import pymongo
import pytest

from backend.contract.devices import BY_SENSOR, SENSORS
from backend.contract.limits import MAX_QUERY_DEVICES
from backend.contract.names import COLLECTION_MESSAGES, DATABASE, IDENTITY_FIELDS
from backend.contract.times import to_datetime
from backend.paai.history import DEVICES_AT_ONCE, FEW_DEVICES, MongoHistory
from tests.helpers.mongo_server import MongoServer

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

TIME_MS = 1_700_000_000_000


def value_of(device_id: str, sensor: str) -> float:
    """A good value, another for each device."""
    known = BY_SENSOR[sensor]
    return known.minimum + int(device_id[1:]) % 256 * (known.maximum - known.minimum) / 256


def fill(stand_in: MongoServer, device_ids: list[str], values: Callable[[str, str], list[float]]) -> None:
    """Readings of each device and sensor, a millisecond apart."""
    with pymongo.MongoClient[dict[str, Any]](stand_in.uri) as client:
        raw = client[DATABASE][COLLECTION_MESSAGES]
        raw.delete_many({})
        raw.create_index([(name, 1) for name in IDENTITY_FIELDS], unique=True)
        documents = [
            {"device_id": d, "sensor": s, "timestamp": to_datetime(TIME_MS + n), "value": value}
            for d in device_ids
            for s in SENSORS
            for n, value in enumerate(values(d, s))
        ]
        for at in range(0, len(documents), 4000):
            raw.insert_many(documents[at : at + 4000], ordered=False)


async def test_ten_thousand_devices_of_four_sensors_within_30_s(stand_in: MongoServer) -> None:
    device_ids = [f"d{n:05d}" for n in range(MAX_QUERY_DEVICES)]
    fill(stand_in, device_ids, lambda d, s: [value_of(d, s)])
    history = MongoHistory(uri=stand_in.uri, select_timeout_s=5.0, query_timeout_s=30.0)
    try:
        rows = await history.statistics(device_ids, SENSORS, from_ms=None, to_ms=TIME_MS + 10)
        few = await history.statistics(device_ids[:FEW_DEVICES], SENSORS, from_ms=None, to_ms=TIME_MS + 10)
    finally:
        await history.close()
    assert [(row.device_id, row.sensor) for row in rows] == [(d, s) for d in device_ids for s in sorted(SENSORS)]
    assert all((row.average, row.count) == (value_of(row.device_id, row.sensor), 1) for row in rows)
    assert rows[: len(few)] == few


@pytest.mark.parametrize("damaged", [False, True], ids=["good", "damaged"])
async def test_devices_asked_for_together_are_those_asked_for_one_by_one(stand_in: MongoServer, *, damaged: bool) -> None:
    """Also where every third device has a value that only somebody's own hand can have stored."""
    device_ids = [f"e{n:03d}" for n in range(FEW_DEVICES + DEVICES_AT_ONCE + 1)]
    fill(stand_in, device_ids, lambda d, s: [value_of(d, s), *([1e9] if damaged and int(d[1:]) % 3 == 0 else [])])
    history = MongoHistory(uri=stand_in.uri, select_timeout_s=5.0, query_timeout_s=30.0)
    try:
        for sensors in (("humidity",), SENSORS):
            together = await history.statistics([*device_ids, "nobody"], sensors, from_ms=TIME_MS, to_ms=TIME_MS + 10)
            one_by_one = [
                row for d in device_ids for row in await history.statistics([d], sensors, from_ms=TIME_MS, to_ms=TIME_MS + 10)
            ]
            assert together == one_by_one
            assert [(row.device_id, row.average, row.count) for row in together if row.sensor == "humidity"] == [
                (d, value_of(d, "humidity"), 1) for d in device_ids
            ]
        assert await history.statistics(device_ids, SENSORS, from_ms=TIME_MS + 10, to_ms=TIME_MS + 20) == []
    finally:
        await history.close()
