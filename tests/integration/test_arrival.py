"""The broker stamps arrival: it decides about the future and about what came last, whatever the producer wrote."""

import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from confluent_kafka import Message, Producer
from pymongo import MongoClient

from backend.common.errors import UnavailableError
from backend.common.metrics import Metrics
from backend.contract import names
from backend.contract.messages import DeviceMessage, encode
from backend.contract.times import to_datetime, to_iso
from backend.operator.kafka_admin import ConfluentAdmin
from backend.paai import metric_defs
from backend.paai.producer_options import PublisherOptions
from backend.paai.publisher import Publisher
from tests.helpers.paai import until
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem
from tests.integration.test_windows import Clock, brute_force, stored

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

Document = dict[str, Any]

_STAMP = "message.timestamp.type"


def value_of(device_id: str, t_ms: int, value: float) -> bytes:
    return encode(DeviceMessage(device_id, to_iso(t_ms), "temperature", value))


def test_a_topic_that_keeps_the_producer_s_time_is_put_right(live_system: LiveSystem) -> None:
    kept = ConfluentAdmin(bootstrap=live_system.endpoints.kafka, timeout_s=10)
    kept.alter(names.TOPIC_MESSAGES, {_STAMP: "CreateTime"})
    wait_until(
        lambda: kept.configs([names.TOPIC_MESSAGES])[names.TOPIC_MESSAGES][_STAMP] == "LogAppendTime",
        60, "the operator to put it right", interval_s=0.5,
    )  # fmt: skip


def test_whatever_time_the_producer_gives_its_record_the_reading_counts(
    live_system: LiveSystem, client: "MongoClient[Document]"
) -> None:
    clock = Clock(client)
    device, closer = f"stamped-{os.getpid()}", f"after-{os.getpid()}"
    producer = Producer({"bootstrap.servers": live_system.endpoints.kafka, "log_level": 0})
    now_ms = int(time.time() * 1000)
    stamps = [1_000, -1, now_ms - 3_000, now_ms + 40 * 86_400_000]
    readings = [(device, clock.at(n), 20.0 + n) for n in range(len(stamps))]
    for stamp_ms, reading in zip(stamps, readings, strict=True):
        producer.produce(names.TOPIC_MESSAGES, value_of(*reading), device, timestamp=stamp_ms)
    assert producer.flush(30) == 0
    producer.produce(names.TOPIC_MESSAGES, value_of(closer, clock.at(20), 20.0), closer)
    assert producer.flush(30) == 0
    raw = client[names.DATABASE][names.COLLECTION_MESSAGES]
    wait_until(lambda: raw.count_documents({"device_id": device}) == len(stamps), 60, "all of them in MongoDB")
    wait_until(lambda: stored(client, device) == brute_force(readings), 180, "and in their window", interval_s=0.5)


@asynccontextmanager
async def publisher(live: LiveSystem) -> AsyncIterator[Publisher]:
    made = Publisher(options=PublisherOptions(live.endpoints.kafka), metrics=Metrics(metric_defs.ALL))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


def test_paai_measures_its_clock(live_system: LiveSystem) -> None:
    answer = httpx.get(f"{live_system.endpoints.paai}/readyz", timeout=30, trust_env=False)
    assert answer.status_code == 200, answer.text
    metrics = httpx.get(f"{live_system.endpoints.paai}/metrics", timeout=30, trust_env=False).text
    assert "paai_clock_ahead_seconds 0.0" in metrics


async def test_paai_is_not_ready_with_a_clock_that_differs_from_the_broker_s(
    live_system: LiveSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 3_000_000_000)
    async with publisher(live_system) as ahead:
        await until(lambda: bool(ahead.problem), "the difference to be noticed", timeout_s=30)
        assert "paai's clock is 3.0 s ahead of the Kafka broker's" in await ahead.check()
        with pytest.raises(UnavailableError, match="clock"):
            await ahead.publish_one(DeviceMessage("skewed", to_iso(real() // 1_000_000), "temperature", 20.0))
        monkeypatch.setattr(time, "time_ns", real)
        await until(lambda: not ahead.problem, "the clocks to agree", timeout_s=30)


def test_the_last_by_arrival_stays_in_raw_for_a_device_without_a_key(
    live_system: LiveSystem, client: "MongoClient[Document]"
) -> None:
    """A consumer reads what waits partition by partition, so not in the order of arrival."""
    device, base_ms, rng = f"keyless-{os.getpid()}", int(time.time() * 1000) - 60_000, random.Random(8)
    producer = Producer({"bootstrap.servers": live_system.endpoints.kafka, "linger.ms": 0, "log_level": 0})
    base = f"{live_system.endpoints.connect}/connectors/{names.SINK_CONNECTOR}"
    httpx.put(f"{base}/pause", timeout=30, trust_env=False).raise_for_status()  # the operator resumes it
    arrived: dict[int, list[tuple[int, int, int, float]]] = {}
    for n in range(60):
        for step, partition in enumerate(rng.sample(range(names.MESSAGES_PARTITIONS), names.MESSAGES_PARTITIONS)):

            def note(error: object, sent: Message, n: int = n, value: float = float(step)) -> None:
                assert error is None
                arrived.setdefault(n, []).append((sent.timestamp()[1], sent.partition() or 0, sent.offset() or 0, value))

            body = value_of(device, base_ms + n, float(step))
            producer.produce(names.TOPIC_MESSAGES, body, None, partition, on_delivery=note)
            assert producer.flush(30) == 0
    # Two may arrive in one millisecond: then the partition decides.
    expected = {to_datetime(base_ms + n): max(places)[3] for n, places in arrived.items()}
    assert len(expected) == 60
    last = f"{device}-last"
    for partition in range(names.MESSAGES_PARTITIONS):
        producer.produce(names.TOPIC_MESSAGES, value_of(last, base_ms + partition, 0.0), None, partition)
    assert producer.flush(30) == 0
    raw = client[names.DATABASE][names.COLLECTION_MESSAGES]
    wait_until(
        lambda: raw.count_documents({"device_id": last}) == names.MESSAGES_PARTITIONS,
        90, "all to be stored",
    )  # fmt: skip
    found = {d["timestamp"]: d["value"] for d in raw.find({"device_id": device})}
    assert found == expected, f"{sum(found[t] != v for t, v in expected.items())} of {len(expected)} are not the last"
