"""Records of `dead_letters` as the sink writes them, and as anybody may: read as far as they go."""

import math
import threading
from typing import Any

import pytest

from backend.contract.names import JOB_AGGREGATE, TOPIC_DEAD_LETTERS
from desktop.model.refused.compare import Reader
from desktop.model.refused.letters import LetterStore
from desktop.services.dead_letters import KEPT_VALUE_BYTES, LetterSink, read_letter
from desktop.services.kafka_feed import KafkaFeed, KafkaLogin
from desktop.services.refused import read_reader
from tests.helpers.fake_topic import FakeTopic
from tests.helpers.wait import wait_until

Header = tuple[str, bytes | None]

HEADERS: list[Header] = [
    ("__connect.errors.topic", b"processed_messages"),
    ("__connect.errors.partition", b"2"),
    ("__connect.errors.offset", b"4711"),
    ("__connect.errors.exception.message", b"range: value is outside the range of its sensor."),
]


class Record:
    def __init__(
        self, value: bytes | None = b"{}", headers: Any = HEADERS, key: bytes | None = b"dev", stamp: int = 5_000
    ) -> None:
        self._parts = value, headers, key, stamp

    def value(self) -> bytes | None:
        return self._parts[0]

    def headers(self) -> Any:
        return self._parts[1]

    def key(self) -> bytes | None:
        return self._parts[2]

    def timestamp(self) -> tuple[int, int]:
        return 1, self._parts[3]


def test_what_the_sink_writes() -> None:
    found = read_letter(Record())
    assert (found.topic, found.partition, found.offset, found.code) == ("processed_messages", 2, 4711, "range")
    assert (found.key, found.value, found.size, found.at, found.source) == ("dev", b"{}", 2, 5.0, (2, 4711))
    assert found.reason == "range: value is outside the range of its sensor."


def test_a_large_value_is_kept_in_part() -> None:
    found = read_letter(Record(b"x" * 60_000))
    assert (len(found.value or b""), found.size) == (KEPT_VALUE_BYTES, 60_000)


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [],
        [("__connect.errors.offset", b"x"), ("__connect.errors.partition", None)],
        [("__connect.errors.exception.message", b"\xff\xfe"), ("other", b"1")],
        [("__connect.errors.offset", b"9" * 5000)],
    ],
)
def test_what_anybody_writes_is_never_an_error(headers: list[Header] | None) -> None:
    found = read_letter(Record(None, headers, None, -1))
    assert (found.value, found.size, found.source, found.code) == (None, 0, None, "other")
    assert math.isnan(found.at)
    assert found.reason


def test_the_feed_counts_what_the_topic_holds_and_begins_at_its_beginning() -> None:
    topic, store = FakeTopic(TOPIC_DEAD_LETTERS, partitions=1), LetterStore()
    for i in range(5):
        topic.produce(str(i).encode(), t_ms=i)
    sink = LetterSink(store)
    seen: list[Any] = []

    def decode(messages: Any, /, *, received: float, live: bool) -> list[Any]:
        seen.extend(messages)
        return []

    feed: KafkaFeed[Any] = KafkaFeed(
        login=KafkaLogin("nowhere"), sink=sink, decode=decode, topic=TOPIC_DEAD_LETTERS, span_s=1e7, clock=lambda: 1e6,
        make_consumer=topic.consumer, topic_id=topic.topic_id, on_recreated=seen.clear,
        look_s=0, retry_s=0.01,
    )  # fmt: skip
    assert feed.records_held == -1
    stop = threading.Event()
    thread = threading.Thread(target=feed.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: len(seen) == 5 and sink.lag == 0, 5, "all letters")
        assert [message.value() for message in seen] == [b"0", b"1", b"2", b"3", b"4"]
        assert (feed.records_held, feed.span) == (5, ({0: 0}, {0: 5}))
        topic.produce(b"5", t_ms=5)
        wait_until(lambda: feed.records_held == 6, 5, "the next one")
        topic.recreate()
        topic.produce(b"new")
        wait_until(lambda: [m.value() for m in seen] == [b"new"], 5, "the topic made anew")
        wait_until(lambda: feed.records_held == 1, 5, "its count")
    finally:
        stop.set()
        thread.join(5)


def test_the_counters_of_a_job() -> None:
    document = {
        "_id": JOB_AGGREGATE,
        "invalid_rows": 4,
        "first_offsets": {"0": 10, "1": 0},
        "partitions": {"0": {"end": 20}, "1": {"end": 7}},
    }
    assert read_reader(document) == Reader("Spark", 4, {0: 10, 1: 0}, {0: 20, 1: 7})


@pytest.mark.parametrize(
    "changed",
    [
        {"invalid_rows": "4"},
        {"invalid_rows": None},
        {"first_offsets": None},
        {"first_offsets": {"x": 1}},
        {"first_offsets": {"0": float("inf"), "1": 0}},
        {"partitions": 5},
        {"partitions": {"0": 5, "1": {}}},
        {"partitions": {"0": {"end": 20}}},
    ],
)
def test_a_document_that_somebody_edited_is_left_out(changed: dict[str, Any]) -> None:
    document = {
        "_id": JOB_AGGREGATE,
        "invalid_rows": 4,
        "first_offsets": {"0": 10, "1": 0},
        "partitions": {"0": {"end": 20}, "1": {"end": 7}},
    }
    assert read_reader(document | changed) is None
