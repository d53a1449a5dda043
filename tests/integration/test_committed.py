"""Aborted and open transactions, the broker's stamp and clocks against a broker alone: what needs neither Connect nor Spark."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaError, KafkaException, Producer, TopicPartition

from backend.common.errors import UnavailableError
from backend.common.metrics import Metrics
from backend.contract import limits, names
from backend.contract.messages import DeviceMessage, encode
from backend.contract.times import to_iso
from backend.operator.kafka_admin import ConfluentAdmin
from backend.operator.kafka_offsets import ConfluentOffsets
from backend.operator.lag import LagWatch
from backend.operator.topics import TopicKeeper, wanted_topics
from backend.paai import metric_defs
from backend.paai.delivery import broker_stamp
from backend.paai.producer_options import PublisherOptions
from backend.paai.publisher import Publisher
from desktop.services.decode import decode_messages
from desktop.services.kafka_feed import KafkaFeed, KafkaLogin
from desktop.services.sink_lag import SinkLag
from tests.helpers.live_kafka import transactional
from tests.helpers.live_window import Chart, running
from tests.helpers.paai import until
from tests.helpers.secured_kafka import secured_kafka
from tests.helpers.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker with the topics as the operator keeps them; one of them was made with the producer's time."""
    with secured_kafka(tmp_path_factory.mktemp("kafka")) as running:
        admin = ConfluentAdmin(bootstrap=running.internal, timeout_s=20)
        wanted = wanted_topics(retention_hours=24, retention_bytes=2**30)
        keeper = TopicKeeper(admin=admin, wanted=wanted)
        wait_until(lambda: keeper.step().converged, 60, "the topics")
        admin.alter(names.TOPIC_MESSAGES, {"message.timestamp.type": "CreateTime"})
        wait_until(lambda: keeper.step().converged, 60, "the topics to be put right")
        yield running.internal


def send(producer: Producer, device_id: str, partition: int, count: int = 1, *, stamp_ms: int = 0) -> list[Any]:
    """Produce readings of now; returns what the broker acknowledged."""
    acknowledged: list[Any] = []
    for n in range(count):
        value = encode(DeviceMessage(device_id, to_iso(int(time.time() * 1000) - n), "temperature", 20.0))
        producer.produce(
            names.TOPIC_MESSAGES, value, device_id, partition,
            timestamp=stamp_ms, on_delivery=lambda error, message: acknowledged.append((error, message)),
        )  # fmt: skip
    assert producer.flush(30) == 0
    return acknowledged


def commit_as_the_sink(kafka: str, ends: dict[int, int]) -> None:
    """Commit what Connect would: the offset after the last reading that it got."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": names.SINK_GROUP, "enable.auto.commit": False})
    try:
        consumer.commit(offsets=[TopicPartition(names.TOPIC_MESSAGES, p, o) for p, o in ends.items()], asynchronous=False)
    finally:
        consumer.close()


def test_aborted_readings_are_nobody_s_and_markers_leave_no_lag(kafka: str) -> None:
    chart, login = Chart(), KafkaLogin(kafka)
    feed = KafkaFeed(login=login, sink=chart, decode=decode_messages)
    sink_lag = SinkLag(login=login, poll_s=0.2)
    watch = LagWatch(source=ConfluentOffsets(bootstrap=kafka, timeout_s=20))
    with running(feed), running(sink_lag):
        producer = transactional(kafka, "aborts")
        producer.begin_transaction()
        send(producer, "kept", 0, 3)
        producer.commit_transaction(30)
        producer.begin_transaction()
        send(producer, "aborted", 0, 100)
        producer.abort_transaction(30)
        wait_until(lambda: chart.ids.count("kept") == 3, 30, "the committed readings")
        assert watch.look(time.monotonic()).records > 0  # the sink has nothing yet
        commit_as_the_sink(kafka, {0: 3})
        wait_until(lambda: watch.look(time.monotonic()).records == 0, 30, "the operator's lag of 0", interval_s=0.2)
        wait_until(lambda: sink_lag.progress.lag == 0, 30, "the window's lag of the sink of 0")
        wait_until(lambda: chart.lag == 0 and feed.state.caught_up, 30, "the window's own lag of 0")
        assert "aborted" not in chart.ids


def test_an_open_transaction_is_named_and_its_readings_come_when_it_ends(kafka: str) -> None:
    chart = Chart()
    feed = KafkaFeed(login=KafkaLogin(kafka), sink=chart, decode=decode_messages)
    watch = LagWatch(source=ConfluentOffsets(bootstrap=kafka, timeout_s=20))
    with running(feed):
        wait_until(lambda: feed.state.caught_up, 30, "the feed to catch up")
        producer = transactional(kafka, "holds")
        producer.begin_transaction()
        send(producer, "held", 1, 7)
        wait_until(lambda: [(h.partition, h.records) for h in feed.state.held] == [(1, 7)], 30, "the partition to be named")
        assert not feed.state.caught_up
        assert chart.lag == 7
        wait_until(
            lambda: [h.partition for h in watch.look(time.monotonic()).held] == [1], 30, "the operator too", interval_s=0.5
        )
        send(Producer({"bootstrap.servers": kafka}), "other", 2)
        wait_until(lambda: "other" in chart.ids, 10, "another partition's reading")
        assert "held" not in chart.ids
        producer.commit_transaction(30)
        wait_until(lambda: chart.ids.count("held") == 7 and feed.state.caught_up, 30, "the held readings")
        wait_until(lambda: not watch.look(time.monotonic()).held, 30, "the operator to be content")


def test_no_client_may_hold_a_partition_longer_than_the_limit(kafka: str) -> None:
    with pytest.raises(KafkaException) as caught:
        transactional(kafka, "long", timeout_ms=limits.TRANSACTION_MAX_S * 1000 + 1)
    assert caught.value.args[0].code() == KafkaError.INVALID_TRANSACTION_TIMEOUT


@pytest.mark.parametrize(
    "stamp_ms", [1_000, -1, int(time.time() * 1000) - 3_000, 4_102_444_800_000], ids=["1970", "negative", "late", "2100"]
)
def test_the_broker_stamps_arrival_whatever_the_producer_wrote(kafka: str, stamp_ms: int) -> None:
    before_ms = int(time.time() * 1000)
    ((error, message),) = send(Producer({"bootstrap.servers": kafka}), "stamped", 0, stamp_ms=stamp_ms)
    assert error is None
    assert message.timestamp()[0] == TIMESTAMP_LOG_APPEND_TIME
    assert before_ms <= broker_stamp(message) <= int(time.time() * 1000)


async def test_paai_takes_nothing_with_a_clock_that_differs_from_the_broker_s(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 3_000_000_000)
    publisher = Publisher(options=PublisherOptions(kafka), metrics=Metrics(metric_defs.ALL))
    await publisher.start()
    try:
        await until(lambda: bool(publisher.problem), "the difference to be noticed", timeout_s=30)
        assert "ahead of the Kafka broker's" in await publisher.check()
        with pytest.raises(UnavailableError, match="clock"):
            await publisher.publish_one(DeviceMessage("skewed", to_iso(real() // 1_000_000), "temperature", 20.0))
        monkeypatch.setattr(time, "time_ns", real)
        await until(lambda: not publisher.problem, "the clocks to agree", timeout_s=30)
        await publisher.publish_one(DeviceMessage("agreed", to_iso(real() // 1_000_000), "temperature", 20.0))
    finally:
        await publisher.stop()
