"""Transactions of any producer: aborted readings are nobody's, an open transaction holds its partition and is named."""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from pymongo import MongoClient

from backend.common.state import read_state
from backend.contract import limits, names
from backend.contract.messages import DeviceMessage, encode
from backend.contract.times import to_iso
from backend.operator.kafka_offsets import ConfluentOffsets
from backend.operator.lag import LagWatch
from desktop.model.health import Link, assess
from desktop.model.observed import HealthInputs
from desktop.model.readings import ReadingBatch
from desktop.services.decode import decode_messages
from desktop.services.kafka_feed import KafkaFeed, KafkaLogin
from desktop.services.sink_lag import SinkLag
from stack.local.layout import Layout
from tests.helpers.live_kafka import transactional
from tests.helpers.live_window import Chart, running
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem
from tests.integration.test_windows import Clock, brute_force, progress, stored

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

Document = dict[str, Any]


@pytest.fixture
def chart() -> Chart:
    return Chart()


@pytest.fixture
def feed(live_system: LiveSystem, chart: Chart) -> Iterator[KafkaFeed[ReadingBatch]]:
    """The window's feed; its own thread until the test ends."""
    made = KafkaFeed(login=KafkaLogin(live_system.endpoints.kafka), sink=chart, decode=decode_messages)
    with running(made):
        yield made


@pytest.fixture
def sink_lag(live_system: LiveSystem) -> Iterator[SinkLag]:
    """The window's look at the sink."""
    made = SinkLag(login=KafkaLogin(live_system.endpoints.kafka))
    with running(made):
        yield made


def send(producer: Producer, partition: int, readings: list[tuple[str, int, float]]) -> None:
    for device_id, t_ms, value in readings:
        message = encode(DeviceMessage(device_id, to_iso(t_ms), "temperature", value))
        producer.produce(names.TOPIC_MESSAGES, message, device_id, partition)
    assert producer.flush(30) == 0


def plain(live: LiveSystem) -> Producer:
    return Producer({"bootstrap.servers": live.endpoints.kafka, "log_level": 0})


def test_aborted_readings_are_nobody_s_and_leave_no_lag(
    live_system: LiveSystem,
    client: "MongoClient[Document]",
    chart: Chart,
    feed: KafkaFeed[ReadingBatch],
    sink_lag: SinkLag,
) -> None:
    clock = Clock(client)
    raw = client[names.DATABASE][names.COLLECTION_MESSAGES]
    aborted, kept, closer = (f"{what}-{os.getpid()}" for what in ("aborted", "kept", "closer"))
    producer = transactional(live_system.endpoints.kafka, f"aborts-{os.getpid()}")
    producer.begin_transaction()
    send(producer, 0, [(aborted, clock.at(n / 50), 20.0) for n in range(100)])
    producer.abort_transaction(30)
    committed = [(kept, clock.at(1 + n / 10), 20.0 + n) for n in range(10)]
    producer.begin_transaction()
    send(producer, 0, committed)
    producer.commit_transaction(30)
    send(plain(live_system), 1, [(closer, clock.at(20), 20.0)])

    wait_until(lambda: raw.count_documents({"device_id": kept}) == 10, 90, "the committed readings in MongoDB")
    wait_until(lambda: stored(client, kept) == brute_force(committed), 180, "their window", interval_s=0.5)
    wait_until(lambda: chart.ids.count(kept) == 10, 30, "the committed readings in the chart")
    assert raw.count_documents({"device_id": aborted}) == 0
    assert stored(client, aborted) == {}
    assert aborted not in chart.ids

    # The last of partition 0 is a marker: what the sink committed stays before the end of the partition.
    producer.begin_transaction()
    send(producer, 2, [(aborted, clock.at(21), 20.0)])
    producer.abort_transaction(30)
    watch = LagWatch(source=ConfluentOffsets(bootstrap=live_system.endpoints.kafka, timeout_s=10))
    wait_until(lambda: watch.look(time.monotonic()).records == 0, 60, "the operator's lag of 0", interval_s=0.5)
    wait_until(lambda: sink_lag.progress.lag == 0, 60, "the window's lag of the sink of 0", interval_s=0.5)
    wait_until(lambda: chart.lag == 0 and feed.state.caught_up, 30, "the window's own lag of 0")


def test_an_open_transaction_holds_its_partition_and_is_named_until_it_ends(
    live_system: LiveSystem, client: "MongoClient[Document]", chart: Chart, feed: KafkaFeed[ReadingBatch]
) -> None:
    clock = Clock(client)
    raw = client[names.DATABASE][names.COLLECTION_MESSAGES]
    held, other, closer = (f"{what}-{os.getpid()}" for what in ("held", "other", "last"))
    operator = Layout.of(live_system.data_dir).state / "kafka-operator.json"
    wait_until(lambda: feed.state.caught_up, 60, "the feed to catch up")
    producer, free = transactional(live_system.endpoints.kafka, f"holds-{os.getpid()}"), plain(live_system)
    producer.begin_transaction()
    send(producer, 1, [(held, clock.at(n / 10), 20.0) for n in range(20)])
    try:
        send(free, 0, [(other, clock.at(3), 20.0)])
        wait_until(lambda: [h.partition for h in feed.state.held] == [1], 30, "the window to name the partition")
        assert not feed.state.caught_up
        assert chart.lag >= 20
        health = assess(HealthInputs(now=time.time(), kafka=Link(True, time.time()), held=feed.state.held))
        assert "An open transaction holds partition 1 since" in health.sentence
        wait_until(lambda: "holds processed_messages partition 1" in read_state(operator).message, 30, "the operator to say so")
        row = next(row for row in live_system.target.status() if row.service == "kafka-operator")
        assert "partition 1 since" in row.message
        # All others go on: chart, raw, and Spark's watermark.
        wait_until(lambda: other in chart.ids, 10, "another partition's reading in the chart")
        wait_until(lambda: raw.count_documents({"device_id": other}) == 1, 60, "and in MongoDB")
        send(free, 0, [(closer, clock.at(16), 20.0)])
        wait_until(lambda: len(stored(client, other)) == 1, 120, "and its window", interval_s=0.5)
        assert held not in chart.ids
        assert raw.count_documents({"device_id": held}) == 0
        before = progress(client)["late_rows"]
    finally:
        producer.commit_transaction(30)
    wait_until(lambda: raw.count_documents({"device_id": held}) == 20, 60, "the held readings in MongoDB")
    wait_until(lambda: chart.ids.count(held) == 20 and feed.state.caught_up, 30, "the held readings in the chart")
    wait_until(lambda: progress(client)["late_rows"] == before + 20, 60, "the late ones to be counted", interval_s=0.5)
    wait_until(lambda: "transaction" not in read_state(operator).message, 30, "the operator to be content")


def test_no_client_may_hold_a_partition_longer_than_the_limit(live_system: LiveSystem) -> None:
    with pytest.raises(KafkaException) as caught:
        transactional(live_system.endpoints.kafka, f"long-{os.getpid()}", timeout_ms=limits.TRANSACTION_MAX_S * 1000 + 1)
    assert caught.value.args[0].code() == KafkaError.INVALID_TRANSACTION_TIMEOUT
