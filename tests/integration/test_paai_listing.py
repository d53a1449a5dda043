"""Both ways to list devices give what is stored, on whatever database runs."""

import random
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from backend.contract.canary import CANARY_TIME_MS, new_canary_id
from backend.contract.devices import SENSORS
from backend.contract.names import IDENTITY_FIELDS
from backend.contract.times import to_datetime
from backend.paai.listing import GroupedListing, SteppingListing
from backend.paai.summary import DamagedReadings
from tests.integration.conftest import LiveSystem

pytestmark = pytest.mark.integration

Expected = dict[tuple[str, str], list[int]]


def some_readings() -> Expected:
    """Times in ms by device and sensor; some devices have several sensors."""
    draw = random.Random(5)
    ids = [f"{letter}{n}" for letter in "ab" for n in range(30)]
    return {
        (device_id, sensor): [1000 * n for n in range(draw.randint(1, 3))]
        for device_id in [*ids, "paai-canary"]
        for sensor in draw.sample(SENSORS, draw.choice([1, 1, 2, 4]))
    }


@pytest_asyncio.fixture
async def collection(live_system: LiveSystem) -> AsyncIterator[AsyncCollection[dict[str, Any]]]:
    async with AsyncMongoClient[dict[str, Any]](live_system.endpoints.mongo, tz_aware=True) as client:
        database = client[f"listing_{uuid.uuid4().hex[:8]}"]
        made = database["readings"]
        await made.create_index([(name, 1) for name in IDENTITY_FIELDS], unique=True)
        yield made
        await client.drop_database(database.name)


@pytest.mark.parametrize("kind", [SteppingListing, GroupedListing])
async def test_pages_of_any_size_give_everything(
    collection: AsyncCollection[dict[str, Any]], kind: type[SteppingListing] | type[GroupedListing]
) -> None:
    stored = some_readings()
    documents = [
        {"device_id": device_id, "sensor": sensor, "timestamp": to_datetime(ms), "value": 1.0}
        for (device_id, sensor), times in stored.items()
        for ms in times
    ]
    # Who deploys the swarm may not remove its test reading: it lies there until the operator does.
    documents.append(
        {"device_id": new_canary_id(), "sensor": "temperature", "timestamp": to_datetime(CANARY_TIME_MS), "value": 20.0}
    )
    await collection.insert_many(documents)
    for prefix in ("", "a", "b1", "zz"):
        for sensors in (SENSORS, ("humidity",)):
            expected = sorted(
                (device_id, sensor, times[0], times[-1], len(times))
                for (device_id, sensor), times in stored.items()
                if device_id.startswith(prefix) and sensor in sensors
            )
            for limit in (1, 3, 1000):
                listing = kind(collection, DamagedReadings())
                found, last, complete = [], ("", ""), False
                while not complete:
                    rows, last, complete = await listing.rows_after(last, prefix=prefix, sensors=sensors, limit=limit)
                    found += rows
                got = [(row.device_id, row.sensor, row.first_ms, row.last_ms, row.count) for row in found]
                assert got == expected, (prefix, sensors, limit)
