"""A replay with repeats, corrections, poisoned records and kills: nothing lost, nothing doubled, the last value kept."""

import os
import signal
import statistics
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract import names
from backend.contract.times import to_datetime
from tests.helpers.live_kafka import ends, produce, read_between
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem
from tests.integration.test_sink import reading, service, task_states

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

Document = dict[str, Any]
Record = tuple[str, bytes | None]

_DEVICES, _EACH = 60, 100


def kill(live: LiveSystem, name: str) -> None:
    os.kill(live.pid(service(live, name)), signal.SIGKILL)


def test_a_replay_with_kills_settles(live_system: LiveSystem, client: "MongoClient[Document]") -> None:
    kafka, raw = live_system.endpoints.kafka, client[names.DATABASE][names.COLLECTION_MESSAGES]
    letters = ends(kafka, names.TOPIC_DEAD_LETTERS)
    base_ms = int(time.time() * 1000) - 600_000
    expected = {(f"replay-{n % _DEVICES}", base_ms + n): n % 50 + 0.5 for n in range(_DEVICES * _EACH)}

    def records(values: dict[tuple[str, int], float]) -> list[Record]:
        return [(device, reading(device, t_ms, value)) for (device, t_ms), value in values.items()]

    def settled() -> bool:
        try:
            found = [(d["device_id"], d["timestamp"], d["value"]) for d in raw.find({"device_id": {"$regex": "^replay-"}})]
        except PyMongoError:  # it was killed
            return False
        assert len({place[:2] for place in found}) == len(found)
        return {place[:2]: place[2] for place in found} == {(d, to_datetime(t)): v for (d, t), v in expected.items()}

    def runs() -> bool:
        try:
            return task_states(live_system) == {"RUNNING"}
        except httpx.HTTPError:  # it was killed
            return False

    first = records(expected)
    produce(kafka, names.TOPIC_MESSAGES, [*first, ("replay-poison-1", b"{nope")])
    wait_until(settled, 120, "the first time to be stored", interval_s=0.5)
    ids = {d["_id"] for d in raw.find({"device_id": {"$regex": "^replay-"}}, {"_id": 1})}

    corrections = {place: value + 1 for place, value in list(expected.items())[::10]}
    fresh = {(f"replay-{n % _DEVICES}", base_ms + 100_000 + n): 1.5 for n in range(1000)}
    expected |= corrections | fresh
    produce(kafka, names.TOPIC_MESSAGES, [*first[:3000], *first[:200] * 5])
    kill(live_system, "connect")
    produce(kafka, names.TOPIC_MESSAGES, [*first[3000:], ("replay-poison-2", b"[]"), *records(corrections)])
    wait_until(runs, 180, "the sink to run again", interval_s=0.05)
    kill(live_system, "mongodb")
    produce(kafka, names.TOPIC_MESSAGES, records(fresh))
    wait_until(settled, 300, "the replay to be settled", interval_s=0.5)
    found = read_between(kafka, names.TOPIC_DEAD_LETTERS, letters, ends(kafka, names.TOPIC_DEAD_LETTERS))
    assert {letter.key for letter in found} == {"replay-poison-1", "replay-poison-2"}
    # A correction keeps the time of storing, by which retention goes.
    assert ids <= {d["_id"] for d in raw.find({"device_id": {"$regex": "^replay-"}}, {"_id": 1})}
    wait_until(runs, 120, "the sink to run", interval_s=0.5)
    wait_until(lambda: all(r.healthy for r in live_system.target.status()), 120, "all to be healthy again", interval_s=0.5)


def test_a_correction_is_seen_within_two_seconds(live_system: LiveSystem, client: "MongoClient[Document]") -> None:
    kafka, raw = live_system.endpoints.kafka, client[names.DATABASE][names.COLLECTION_MESSAGES]
    t_ms = int(time.time() * 1000) - 60_000

    def seen(value: float) -> Callable[[], bool]:
        return lambda: (raw.find_one({"device_id": "corrected"}) or {}).get("value") == value

    took = []
    for n in range(15):
        produce(kafka, names.TOPIC_MESSAGES, [("corrected", reading("corrected", t_ms, float(n)))])
        begun = time.monotonic()
        wait_until(seen(float(n)), 30, "the correction", interval_s=0.02)
        took.append(time.monotonic() - begun)
    assert statistics.median(took) <= 2
    assert raw.count_documents({"device_id": "corrected"}) == 1
