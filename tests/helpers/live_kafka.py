"""Kafka as the integration tests use it: write records, read a topic from a position, wait for nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from confluent_kafka import Consumer, Message, Producer, TopicPartition


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic.

    Attributes:
        key: As text; empty where there is none.
        key_bytes: As it is.
    """

    key: str
    key_bytes: bytes | None
    value: bytes | None
    headers: dict[str, str]


def produce(bootstrap: str, topic: str, records: Iterable[tuple[str, bytes | None]]) -> None:
    """Write records, key and value, in order; returns once all are acknowledged."""
    failed: list[object] = []
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 2, "log_level": 0})
    count = 0
    for key, value in records:
        producer.produce(topic, key=key, value=value, on_delivery=lambda error, _m: failed.append(error) if error else None)
        producer.poll(0)
        count += 1
    assert producer.flush(60) == 0
    assert not failed, failed
    assert count


def transactional(bootstrap: str, name: str, *, timeout_ms: int = 60_000) -> Producer:
    """A producer that is ready to begin its first transaction."""
    options = {"transactional.id": name, "transaction.timeout.ms": timeout_ms, "log_level": 0}
    made = Producer({"bootstrap.servers": bootstrap, **options})
    made.init_transactions(60)
    return made


def ends(bootstrap: str, topic: str) -> dict[int, int]:
    """The offset after the last record, by partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "tests", "log_level": 0})
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=20)[1] for p in partitions}
    finally:
        consumer.close()


def read_between(bootstrap: str, topic: str, start: dict[int, int], end: dict[int, int]) -> list[Record]:
    """All records from `start` to `end`, both as `ends` gave them."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "tests", "enable.auto.commit": False, "log_level": 0})
    wanted = sum(end[p] - start.get(p, 0) for p in end)
    found: list[Record] = []
    try:
        consumer.assign([TopicPartition(topic, p, start.get(p, 0)) for p in end])
        for _ in range(600):
            if len(found) >= wanted:
                break
            found += [_record(m) for m in consumer.consume(500, timeout=0.1) if m.error() is None]
    finally:
        consumer.close()
    return found


def _record(message: Message) -> Record:
    headers = cast("list[tuple[str, bytes | None]]", message.headers() or [])  # its type allows more than Kafka gives
    return Record(_text(message.key()), _bytes(message.key()), message.value(), {name: _text(value) for name, value in headers})


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _text(value: str | bytes | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""
