"""The Kafka feed against a topic in memory: from an hour ago to now, through outages and a topic made anew."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from backend.contract import times
from backend.contract.messages import DeviceMessage, encode
from desktop.model.readings import ReadingBatch
from desktop.services.decode import decode_messages
from desktop.services.kafka_feed import KafkaFeed, KafkaLogin
from desktop.services.kafka_position import PartitionRange, start_offsets
from tests.helpers.fake_topic import HIDDEN, FakeTopic
from tests.helpers.wait import wait_until

NOW = 1_795_499_070.0


class Sink:
    def __init__(self) -> None:
        self.ids: list[str] = []
        self.live: list[bool] = []
        self.malformed = 0
        self.lag: list[int] = []

    def ingest(self, batch: ReadingBatch) -> None:
        self.ids += batch.device_ids
        self.live += [batch.live] * len(batch)
        self.malformed += len(batch.refused)

    def note_lag(self, records: int) -> None:
        self.lag.append(records)


def put(topic: FakeTopic, device: str, *, partition: int = 0, age_s: float = 0.0) -> None:
    t_ms = int((NOW - age_s) * 1000)
    topic.produce(encode(DeviceMessage(device, times.to_iso(t_ms), "temperature", 1.0)), partition=partition, t_ms=t_ms)


@contextmanager
def running(topic: FakeTopic, sink: Sink, max_backfill: int = 1000) -> Iterator[KafkaFeed[ReadingBatch]]:
    ticks = iter(range(10**9))
    feed = KafkaFeed(
        login=KafkaLogin("nowhere"), sink=sink, decode=decode_messages,
        clock=lambda: NOW + next(ticks) * 1e-2, make_consumer=topic.consumer,
        topic_id=topic.topic_id,
        look_s=0.001, max_backfill=max_backfill, retry_s=0.01,
    )  # fmt: skip
    stop = threading.Event()
    thread = threading.Thread(target=feed.run, args=(stop,))
    thread.start()
    try:
        yield feed
    finally:
        stop.set()
        thread.join(5)
        assert not thread.is_alive()
        assert all(c.closed for c in topic.consumers)


def test_the_last_hour_of_all_partitions_then_what_comes() -> None:
    topic, sink = FakeTopic(), Sink()
    put(topic, "too old", age_s=7200)
    put(topic, "old", age_s=1000)
    put(topic, "other", partition=2, age_s=10)
    with running(topic, sink) as feed:
        wait_until(lambda: feed.state.caught_up, 5, "the past")
        put(topic, "new", partition=1)
        wait_until(lambda: "new" in sink.ids, 5, "what comes")
        assert sorted(sink.ids) == ["new", "old", "other"]
        assert sink.live[sink.ids.index("old")] is False
        assert sink.live[sink.ids.index("new")] is True
        wait_until(lambda: 0 in sink.lag, 5, "a lag of 0")
    config = topic.consumers[0].config
    assert config["enable.auto.commit"] is False


def test_markers_and_aborted_records_at_the_end_are_no_lag() -> None:
    topic, sink = FakeTopic(), Sink()
    put(topic, "a")
    for _ in range(3):
        topic.produce(HIDDEN, t_ms=int(NOW * 1000))
    with running(topic, sink) as feed:
        wait_until(lambda: feed.state.caught_up, 5, "the end behind the markers")
        wait_until(lambda: 0 in sink.lag, 5, "a lag of 0")


def test_a_held_partition_is_named_and_not_caught_up_while_the_others_go_on() -> None:
    topic, sink = FakeTopic(), Sink()
    put(topic, "a")
    with running(topic, sink) as feed:
        wait_until(lambda: feed.state.caught_up, 5, "the past")
        topic.open[1] = 0
        put(topic, "held", partition=1)
        wait_until(lambda: feed.state.held, 30, "the transaction to be noticed")
        assert [(h.partition, h.records) for h in feed.state.held] == [(1, 1)]
        assert not feed.state.caught_up
        assert sink.lag[-1] == 1
        put(topic, "other")
        wait_until(lambda: "other" in sink.ids, 5, "another partition's reading")
        assert "held" not in sink.ids
        topic.open.clear()
        wait_until(lambda: "held" in sink.ids and feed.state.caught_up and not feed.state.held, 5, "its end")
        assert sink.live[sink.ids.index("held")]


def test_a_poisoned_record_is_counted_and_the_rest_is_read() -> None:
    topic, sink = FakeTopic(), Sink()
    put(topic, "a")
    topic.produce(b"\x00 not json", t_ms=int(NOW * 1000))
    topic.produce(None, t_ms=int(NOW * 1000))
    put(topic, "b")
    with running(topic, sink):
        wait_until(lambda: sink.ids == ["a", "b"], 5, "both readings")
    assert sink.malformed == 2


def test_an_outage_is_told_with_its_beginning_and_ends_by_itself() -> None:
    topic, sink = FakeTopic(), Sink()
    put(topic, "before")
    with running(topic, sink) as feed:
        wait_until(lambda: sink.ids == ["before"], 5, "the first reading")
        topic.down = True
        wait_until(lambda: not feed.state.answering, 5, "the outage to be noticed")
        since = feed.state.since
        wait_until(lambda: sink.lag[-1] == -1, 5, "the lag to be unknown")
        assert "broker is down" in feed.state.reason
        assert feed.state.since == since
        put(topic, "after")
        topic.down = False
        wait_until(lambda: sink.ids == ["before", "after"], 5, "the reading after it")
        wait_until(lambda: feed.state.answering, 5, "the end of the outage")


def test_it_may_begin_during_an_outage() -> None:
    topic, sink = FakeTopic(), Sink()
    topic.down = True
    with running(topic, sink) as feed:
        wait_until(lambda: "broker is down" in feed.state.reason, 5, "the reason")
        topic.down = False
        put(topic, "a")
        wait_until(lambda: sink.ids == ["a"], 5, "the reading")


def test_a_topic_made_anew_is_read_from_its_beginning() -> None:
    topic, sink = FakeTopic(), Sink()
    for i in range(5):
        put(topic, f"old{i}")
    with running(topic, sink):
        wait_until(lambda: len(sink.ids) == 5, 5, "the old topic")
        topic.recreate()
        put(topic, "new")
        wait_until(lambda: sink.ids[-1] == "new", 5, "the new topic")
    assert len(sink.ids) == 6


def test_a_topic_that_does_not_exist_yet_is_waited_for() -> None:
    topic, sink = FakeTopic(), Sink()
    topic.exists = False
    with running(topic, sink) as feed:
        wait_until(lambda: feed.state.topic_missing and feed.state.answering, 5, "it to be told")
        topic.exists = True
        put(topic, "a")
        wait_until(lambda: sink.ids == ["a"] and not feed.state.topic_missing, 5, "the reading")


def test_a_topic_that_is_gone_for_a_moment_is_not_read_again() -> None:
    """A broker that has just started does not know its topics for a moment."""
    topic, sink = FakeTopic(), Sink()
    put(topic, "a")
    with running(topic, sink) as feed:
        wait_until(lambda: sink.ids == ["a"], 5, "the first reading")
        topic.exists = False
        wait_until(lambda: feed.state.topic_missing, 5, "it to be told")
        put(topic, "b")
        topic.exists = True
        wait_until(lambda: len(sink.ids) > 1 and not feed.state.topic_missing, 5, "the reading after it")
    assert sink.ids == ["a", "b"]


def test_a_topic_made_anew_that_has_grown_beyond_the_old_one_is_read_from_its_beginning() -> None:
    topic, sink = FakeTopic(), Sink()
    put(topic, "old")
    with running(topic, sink) as feed:
        wait_until(lambda: sink.ids == ["old"], 5, "the old topic")
        topic.exists = False
        wait_until(lambda: feed.state.topic_missing, 5, "it to be told")
        topic.recreate()
        for i in range(3):
            put(topic, f"new{i}")
        topic.exists = True
        wait_until(lambda: len(sink.ids) == 4, 5, "the new topic")


def test_a_new_partition_is_read_and_nothing_twice() -> None:
    topic, sink = FakeTopic(), Sink()
    put(topic, "a")
    with running(topic, sink):
        wait_until(lambda: sink.ids == ["a"], 5, "the first reading")
        topic.low[3] = 0
        topic.records[3] = []
        put(topic, "b", partition=3)
        wait_until(lambda: sink.ids == ["a", "b"], 5, "the new partition")


def test_the_past_is_bounded_and_the_newest_are_kept() -> None:
    topic, sink = FakeTopic(), Sink()
    for i in range(100):
        put(topic, f"d{i}", partition=i % 2)
    with running(topic, sink, max_backfill=10) as feed:
        wait_until(lambda: feed.state.caught_up, 5, "the past")
        assert sorted(sink.ids) == [f"d{i}" for i in range(90, 100)]


@pytest.mark.parametrize(
    ("ranges", "most", "wanted"),
    [
        ({0: (0, 100, 40)}, 1000, {0: 40}),
        ({0: (0, 100, 40)}, 30, {0: 70}),
        ({0: (50, 100, 40)}, 1000, {0: 50}),
        ({0: (0, 100, 0), 1: (0, 300, 0)}, 100, {0: 75, 1: 225}),
        ({0: (0, 0, 0)}, 10, {0: 0}),
    ],
)
def test_where_to_begin(ranges: dict[int, tuple[int, int, int]], most: int, wanted: dict[int, int]) -> None:
    assert start_offsets({p: PartitionRange(*r) for p, r in ranges.items()}, most) == wanted


def test_login() -> None:
    assert "sasl.username" not in KafkaLogin("b:1").config()
    assert KafkaLogin("b:1", "u", "p").config()["sasl.password"] == "p"
    assert "secret" not in repr(KafkaLogin("b:1", "u", "secret"))


def test_a_refused_login_is_named_until_kafka_answers() -> None:
    topic, sink = FakeTopic(), Sink()
    topic.down = topic.refuses_login = True
    with running(topic, sink) as feed:
        wait_until(lambda: "refuses the login" in feed.state.reason, 5, "the reason")
        topic.refuses_login = False
        wait_until(lambda: "refuses" not in feed.state.reason, 5, "another reason")
        topic.down = False
        wait_until(lambda: feed.state.answering and not feed.state.reason, 5, "Kafka to answer")
