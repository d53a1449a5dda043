"""Poison in the topic, and an outage of MongoDB: bad records are set aside, good ones never."""

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import httpx
import pymongo
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from pymongo.database import Database

from backend.contract.names import (
    COLLECTION_MESSAGES,
    COLLECTION_PROGRESS,
    DATABASE,
    JOB_AGGREGATE,
    TOPIC_DEAD_LETTERS,
    TOPIC_MESSAGES,
)
from backend.contract.times import to_iso
from stack.local import daemon
from stack.local.layout import Layout
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem

#: Value and headers.
DeadLetter = tuple[bytes | None, dict[str, Any]]

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]


@pytest.fixture
def database(live_system: LiveSystem) -> Iterator[Database[dict[str, Any]]]:
    with pymongo.MongoClient[dict[str, Any]](live_system.endpoints.mongo, serverSelectionTimeoutMS=2000) as client:
        yield client[DATABASE]


def dead_letters(live: LiveSystem) -> list[DeadLetter]:
    """Value and headers of every dead letter."""
    config = {"bootstrap.servers": live.endpoints.kafka, "group.id": "test", "enable.auto.commit": False}
    consumer = Consumer(config)
    try:
        partitions = consumer.list_topics(TOPIC_DEAD_LETTERS, timeout=10).topics[TOPIC_DEAD_LETTERS].partitions
        wanted = 0
        assigned = []
        for partition in partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(TOPIC_DEAD_LETTERS, partition), timeout=10)
            wanted += high - low
            assigned.append(TopicPartition(TOPIC_DEAD_LETTERS, partition, low))
        consumer.assign(assigned)
        found: list[DeadLetter] = []
        deadline = time.monotonic() + 20
        while len(found) < wanted and time.monotonic() < deadline:
            records = [m for m in consumer.consume(wanted, timeout=1) if m.error() is None]
            found += [(m.value(), dict(cast(Any, m.headers() or []))) for m in records]
        return found
    finally:
        consumer.close()


def message(device_id: str, **changed: Any) -> bytes:
    now = to_iso(time.time_ns() // 1_000_000)
    return json.dumps({"device_id": device_id, "timestamp": now, "sensor": "temperature", "value": 20.5, **changed}).encode()


def test_poison_is_set_aside_and_its_neighbours_are_stored(live_system: LiveSystem, database: Database[dict[str, Any]]) -> None:
    poison: list[bytes | None] = [
        b"not json",
        b"[1, 2",
        b'{"device_id": "poison", "sensor": "temperature"}',
        message("poison", timestamp="yesterday"),
        message("poison", value="warm"),
        message("poison").replace(b"20.5", b"NaN"),
        message("poison", sensor=None),
    ]
    before = len(dead_letters(live_system))
    invalid_before = _invalid_rows(database)
    producer = Producer({"bootstrap.servers": live_system.endpoints.kafka, "linger.ms": 0})
    good = [f"neighbour-{i:02d}" for i in range(2 * len(poison))]
    for i, bad in enumerate(poison):
        for device_id in good[2 * i : 2 * i + 1]:
            producer.produce(TOPIC_MESSAGES, message(device_id), key="same partition")
        producer.produce(TOPIC_MESSAGES, bad, key="same partition")
        for device_id in good[2 * i + 1 : 2 * i + 2]:
            producer.produce(TOPIC_MESSAGES, message(device_id), key="same partition")
    assert producer.flush(20) == 0
    raw = database[COLLECTION_MESSAGES]
    wait_until(lambda: set(raw.distinct("device_id")) >= set(good), 40, "the neighbours in MongoDB", interval_s=0.5)
    wanted = before + len(poison)
    wait_until(lambda: len(dead_letters(live_system)) >= wanted, 30, "the dead letters", interval_s=0.5)
    letters = dead_letters(live_system)
    assert sorted(value or b"" for value, _ in letters[before:]) == sorted(p or b"" for p in poison)
    for value, headers in letters[before:]:
        assert headers["__connect.errors.topic"] == TOPIC_MESSAGES.encode(), value
        reasons = {k for k in headers if "exception" in k}
        assert reasons, f"no reason with {value!r}: {sorted(headers)}"
    assert raw.count_documents({"device_id": "poison"}) == 0
    wait_until(lambda: _invalid_rows(database) >= invalid_before + len(poison), 30, "the Spark job to have counted them")
    rows = {row.service: row for row in live_system.target.status()}
    assert rows["connect"].healthy
    assert rows["spark-job"].healthy


def _invalid_rows(database: Database[dict[str, Any]]) -> int:
    progress = database[COLLECTION_PROGRESS].find_one({"_id": JOB_AGGREGATE})
    return int(progress["invalid_rows"]) if progress else 0


def _taken(live: LiveSystem, reading: dict[str, Any]) -> bool:
    answer = httpx.post(f"{live.endpoints.paai}/api/v1/device", json=reading, timeout=20, trust_env=False)
    assert answer.status_code in (200, 503), answer.text  # 503: not taken, repeat it
    return answer.status_code == 200


def test_an_outage_of_mongodb_diverts_no_good_reading(live_system: LiveSystem, database: Database[dict[str, Any]]) -> None:
    before = len(dead_letters(live_system))
    supervisor = daemon.connect(Layout.of(live_system.data_dir))
    posted = 0
    supervisor.stop("mongodb:mongodb")
    try:
        begun = time.monotonic()
        # Longer than the 20 s for which the sink's driver looks for a server: its task fails for good.
        while time.monotonic() < begun + 30:
            t_ms = time.time_ns() // 1_000_000
            reading = {"device_id": "outage", "tag": "Hygrometer", "timestamp": t_ms / 1000, "humidity": 50}
            wait_until(partial(_taken, live_system, reading), 20, "paai to take a reading", interval_s=0.3)
            posted += 1
            wait_until(lambda: time.time_ns() // 1_000_000 > t_ms + 400, 5, "the next reading")  # noqa: B023
    finally:
        supervisor.start("mongodb:mongodb")

    def stored() -> int:
        try:
            return database[COLLECTION_MESSAGES].count_documents({"device_id": "outage"})
        except pymongo.errors.PyMongoError:
            return 0

    wait_until(lambda: stored() >= posted, 120, f"all {posted} readings in MongoDB", interval_s=0.5)
    assert stored() == posted
    assert len(dead_letters(live_system)) == before
    wait_until(
        lambda: all(row.healthy for row in live_system.target.status()), 90, "every service to be healthy again", interval_s=1
    )
