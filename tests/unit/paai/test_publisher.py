"""The publisher: acknowledged or refused, never in between; bounded; back by itself."""

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from confluent_kafka import KafkaError

from backend.common.errors import UnavailableError
from backend.common.metrics import Metrics
from backend.contract.messages import DeviceMessage
from backend.paai import metric_defs, publisher
from backend.paai.producer_options import PublisherOptions
from backend.paai.publisher import Publisher
from tests.helpers.fake_kafka import FakeProducer
from tests.helpers.paai import until

OPTIONS = PublisherOptions("kafka.invalid:9092", max_messages=50, max_bytes=100_000)


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> FakeProducer:
    monkeypatch.setattr(publisher, "TICK_S", 0.01)
    monkeypatch.setattr(publisher, "PROBE_EVERY_S", 0.01)
    monkeypatch.setattr(publisher, "FLUSH_S", 0.2)
    return FakeProducer()


@pytest_asyncio.fixture
async def started(producer: FakeProducer) -> AsyncIterator[Publisher]:
    made = Publisher(options=OPTIONS, metrics=Metrics(metric_defs.ALL), factory=producer.factory)
    await made.start()
    yield made
    await made.stop()


def message(n: int = 0) -> DeviceMessage:
    return DeviceMessage(f"d{n}", "2023-03-28T20:04:22.000Z", "temperature", float(n))


async def test_acknowledged_before_it_returns(started: Publisher, producer: FakeProducer) -> None:
    producer.hold = True
    task = asyncio.ensure_future(started.publish_one(message(7)))
    await asyncio.sleep(0.05)
    assert not task.done()
    producer.hold = False
    await asyncio.wait_for(task, 5)
    ((key, value),) = producer.delivered
    assert (key, msgspec.json.decode(value, type=DeviceMessage)) == ("d7", message(7))


@pytest.mark.parametrize(("broker_ahead_ms", "words"), [(-3000, "3.0 s ahead of"), (3000, "s behind")])
async def test_a_clock_that_differs_from_the_broker_s_is_named_and_nothing_is_taken_until_it_agrees(
    monkeypatch: pytest.MonkeyPatch, started: Publisher, producer: FakeProducer, broker_ahead_ms: int, words: str
) -> None:
    monkeypatch.setattr(publisher, "CLOCK_S", 0.01)
    monkeypatch.setattr(publisher, "CLOCK_DIFFERS_S", 0.01)
    producer.broker_ahead_ms = broker_ahead_ms
    await until(lambda: bool(started.problem), "the difference")
    assert words in started.problem
    assert "broker" in await started.check()
    with pytest.raises(UnavailableError, match="clock"):
        await started.publish_one(message())
    assert producer.delivered == []
    producer.broker_ahead_ms = 0
    await until(lambda: not started.problem, "the clocks to agree")
    await started.publish_one(message())


async def test_what_readers_would_refuse_as_the_future_is_never_acknowledged(
    started: Publisher, producer: FakeProducer
) -> None:
    """The clock jumps between two measurements."""
    await until(lambda: not producer.clock_asked, "the first answer")
    producer.broker_ahead_ms = -2500
    with pytest.raises(UnavailableError, match="ahead of the Kafka broker's"):
        await started.publish([message(1), message(2)])
    assert "ahead" in started.problem


async def test_a_slow_broker_is_no_clock_that_differs(started: Publisher, producer: FakeProducer) -> None:
    producer.broker_ahead_ms = -900
    await started.publish_one(message())
    assert not started.problem


async def test_producer_is_idempotent_and_gives_up_within_seconds(started: Publisher, producer: FakeProducer) -> None:
    assert producer.config["enable.idempotence"] is True
    assert producer.config["acks"] == "all"
    assert producer.config["message.timeout.ms"] == 5000


async def test_concurrent_single_posts_share_round_trips(producer: FakeProducer) -> None:
    made = Publisher(
        options=PublisherOptions("x", max_messages=10_000), metrics=Metrics(metric_defs.ALL), factory=producer.factory
    )
    await made.start()
    await asyncio.gather(*(made.publish_one(message(n)) for n in range(1000)))
    assert len(producer.delivered) == 1000
    assert producer.polls_with_work <= 5
    await made.stop()


async def test_a_batch_fails_when_one_record_fails(started: Publisher, producer: FakeProducer) -> None:
    producer.capacity = 2
    with pytest.raises(UnavailableError) as caught:
        await started.publish([message(n) for n in range(3)])
    assert caught.value.retry_after_s >= 1
    producer.capacity = 100
    await started.publish([message(n) for n in range(3)])


async def test_in_flight_messages_are_bounded_and_freed(started: Publisher, producer: FakeProducer) -> None:
    producer.hold = True
    tasks = [asyncio.ensure_future(started.publish_one(message(n))) for n in range(50)]
    with pytest.raises(UnavailableError, match="50 readings wait"):
        started.publish_one(message())
    with pytest.raises(UnavailableError):
        await started.publish([message(n) for n in range(2)])
    producer.hold = False
    await asyncio.gather(*tasks)
    await started.publish_one(message())


async def test_in_flight_bytes_are_bounded(producer: FakeProducer) -> None:
    options = PublisherOptions("x", max_messages=10**6, max_bytes=20_000)
    made = Publisher(options=options, metrics=Metrics(metric_defs.ALL), factory=producer.factory)
    await made.start()
    with pytest.raises(UnavailableError):
        await made.publish([message(n) for n in range(200)])
    assert producer.waiting == []
    await made.stop()


async def test_a_lost_broker_is_answered_at_once_and_comes_back(started: Publisher, producer: FakeProducer) -> None:
    producer.reachable = False
    producer.event(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    await until(lambda: bool(started.problem), "the outage to be noticed")
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match="cannot be reached"):
        started.publish_one(message())
    assert time.monotonic() - begun < 0.1
    assert "cannot be reached" in await started.check()
    producer.reachable = True
    await until(lambda: not started.problem, "the broker to be found again")
    await started.publish_one(message())


async def test_a_timed_out_record_is_503_and_closes_the_door_until_kafka_answers(
    started: Publisher, producer: FakeProducer
) -> None:
    producer.reachable = False
    producer.error = KafkaError(KafkaError._MSG_TIMED_OUT)
    with pytest.raises(UnavailableError):
        await started.publish_one(message())
    with pytest.raises(UnavailableError, match=r"did not acknowledge|cannot be reached"):
        started.publish_one(message())
    producer.error, producer.reachable = None, True
    await until(lambda: not started.problem, "recovery")
    await started.publish_one(message())


@pytest.mark.parametrize("code", [KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART])
async def test_a_broker_that_does_not_know_the_topic_for_a_moment_is_asked_again(
    started: Publisher, producer: FakeProducer, code: int
) -> None:
    producer.error = KafkaError(code)
    batch = asyncio.ensure_future(started.publish([message(n) for n in range(20)]))
    one = asyncio.ensure_future(started.publish_one(message(20)))
    await until(lambda: producer.polls_with_work >= 3, "repetitions")
    assert not batch.done()
    assert not one.done()
    assert started.problem == ""
    with pytest.raises(UnavailableError):  # what is repeated counts as in flight
        await started.publish([message(n) for n in range(40)])
    producer.error = None
    await asyncio.wait_for(asyncio.gather(batch, one), 5)
    delivered = [key for key, _ in producer.delivered]
    assert delivered.count("d20") == 1
    assert [key for key in delivered if key != "d20"] == [f"d{n}" for n in range(20)]
    await started.publish([message(n) for n in range(50)])


async def test_a_topic_that_stays_away_is_503_within_the_time_limit(producer: FakeProducer) -> None:
    options = PublisherOptions("kafka.invalid:9092", ack_timeout_s=1.0)
    made = Publisher(options=options, metrics=Metrics(metric_defs.ALL), factory=producer.factory)
    await made.start()
    producer.error = KafkaError(KafkaError._UNKNOWN_TOPIC)
    producer.topic_exists = False
    begun = time.monotonic()
    with pytest.raises(UnavailableError):
        await asyncio.wait_for(made.publish_one(message()), 5)
    assert 0.4 < time.monotonic() - begun < 2
    assert "does not exist" in made.problem
    await made.stop()


async def test_started_before_kafka_and_before_the_topic(producer: FakeProducer) -> None:
    producer.reachable = producer.topic_exists = False
    made = Publisher(options=OPTIONS, metrics=Metrics(metric_defs.ALL), factory=producer.factory)
    await made.start()
    with pytest.raises(UnavailableError):
        made.publish_one(message())
    producer.reachable = True
    await until(lambda: "does not exist" in made.problem, "the missing topic to be named")
    producer.topic_exists = True
    await until(lambda: not made.problem, "the topic")
    await made.publish_one(message())
    await made.stop()


async def test_a_fatal_error_makes_a_new_producer(started: Publisher, producer: FakeProducer) -> None:
    producer.hold = True
    lost = asyncio.ensure_future(started.publish_one(message()))
    await asyncio.sleep(0)
    producer.event(KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "sequence lost", fatal=True))
    await until(lambda: producer.opened == 2, "a new producer")
    with pytest.raises(UnavailableError):
        await lost
    producer.hold = False
    await started.publish_one(message())


async def test_silence_of_the_client_library_does_not_hold_requests_for_ever(
    producer: FakeProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "STALL_GRACE_S", 0.0)
    made = Publisher(
        options=PublisherOptions("x", ack_timeout_s=0.05), metrics=Metrics(metric_defs.ALL), factory=producer.factory
    )
    await made.start()
    producer.hold = True
    with pytest.raises(UnavailableError):
        await asyncio.wait_for(made.publish_one(message()), 5)
    await made.stop()


async def test_stop_waits_for_what_is_in_flight(producer: FakeProducer) -> None:
    made = Publisher(options=OPTIONS, metrics=Metrics(metric_defs.ALL), factory=producer.factory)
    await made.start()
    future = made.publish_one(message())
    await made.stop()
    assert future.done()
    assert future.exception() is None


async def test_stop_does_not_wait_for_ever(producer: FakeProducer) -> None:
    made = Publisher(options=OPTIONS, metrics=Metrics(metric_defs.ALL), factory=producer.factory)
    await made.start()
    producer.hold = True
    future = made.publish_one(message())
    await asyncio.wait_for(made.stop(), 5)
    assert isinstance(future.exception(), UnavailableError)


async def test_a_client_that_left_disturbs_nobody(started: Publisher, producer: FakeProducer) -> None:
    producer.hold = True
    gone = asyncio.ensure_future(started.publish_one(message()))
    stays = asyncio.ensure_future(started.publish_one(message(1)))
    await asyncio.sleep(0)
    gone.cancel()
    producer.hold = False
    await asyncio.wait_for(stays, 5)
