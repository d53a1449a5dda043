"""A Kafka topic in memory behind the calls of `confluent_kafka.Consumer` that the desktop makes."""

import threading
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition


class Message:
    """One record."""

    def __init__(self, partition: int, offset: int, value: bytes | None) -> None:
        self._partition, self._offset, self._value = partition, offset, value

    def error(self) -> None:
        return None

    def value(self) -> bytes | None:
        return self._value

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset


class FakeTopic:
    """One topic; None partitions = it does not exist. `down` = the broker does not answer."""

    def __init__(self, name: str = "processed_messages", partitions: int = 3) -> None:
        self.name = name
        self.down = False
        self.refuses_login = False  # why it is down, if it is
        self.exists = True
        self.records: dict[int, list[tuple[int, bytes | None]]] = {p: [] for p in range(partitions)}
        self.low: dict[int, int] = dict.fromkeys(range(partitions), 0)
        self.consumers: list[FakeConsumer] = []
        self.generation = 0

    def produce(self, value: bytes | None, *, partition: int = 0, t_ms: int = 0) -> None:
        """Append a record."""
        self.records[partition].append((t_ms, value))

    def recreate(self) -> None:
        """As if it had been deleted and made anew: empty, offsets from 0."""
        self.generation += 1
        for partition in self.records:
            self.records[partition] = []
            self.low[partition] = 0

    def topic_id(self, config: dict[str, Any], topic: str) -> str:
        """What the desktop asks instead of an AdminClient."""
        return str(self.generation)

    def consumer(self, config: dict[str, Any]) -> "FakeConsumer":
        """What the desktop calls instead of `Consumer`."""
        made = FakeConsumer(self, config)
        self.consumers.append(made)
        return made


class FakeConsumer:
    """Reads a FakeTopic."""

    def __init__(self, topic: FakeTopic, config: dict[str, Any]) -> None:
        self._topic = topic
        self.config = config
        self.closed = False
        self._at: dict[int, int] = {}
        self._thread = threading.get_ident()

    def _check(self) -> None:
        assert threading.get_ident() == self._thread, "a consumer belongs to one thread"
        assert not self.closed, "used after close"
        if self._topic.down:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT, "broker is down"))

    def list_topics(self, topic: str, timeout: float) -> Any:
        self._check()
        error = None if self._topic.exists else KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        partitions = dict.fromkeys(self._topic.records) if self._topic.exists else {}
        return SimpleNamespace(topics={topic: SimpleNamespace(error=error, partitions=partitions)})

    def offsets_for_times(self, partitions: Sequence[TopicPartition], timeout: float) -> list[TopicPartition]:
        self._check()
        found = []
        for p in partitions:
            records = self._topic.records[p.partition]
            offset = next((i for i, (t, _) in enumerate(records) if t >= p.offset), -1)
            found.append(TopicPartition(p.topic, p.partition, offset))
        return found

    def get_watermark_offsets(self, partition: TopicPartition, timeout: float, cached: bool) -> tuple[int, int]:
        self._check()
        return self._topic.low[partition.partition], len(self._topic.records[partition.partition])

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        self._check()
        self._at = {p.partition: p.offset for p in partitions}

    def seek(self, partition: TopicPartition) -> None:
        self._check()
        low = self._topic.low[partition.partition]
        self._at[partition.partition] = low if partition.offset == OFFSET_BEGINNING else partition.offset

    def position(self, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
        return [TopicPartition(p.topic, p.partition, self._at[p.partition]) for p in partitions]

    def poll(self, timeout: float) -> None:
        """Serves the client's events; there is one where the login is refused."""
        assert not self.closed, "used after close"
        if self._topic.down and self._topic.refuses_login:
            self.config["error_cb"](KafkaError(KafkaError._AUTHENTICATION, "invalid credentials"))

    def consume(self, num_messages: int, timeout: float) -> list[Message]:
        assert not self.closed, "used after close"
        found: list[Message] = []
        if not self._topic.down and self._topic.exists:
            for partition, at in self._at.items():
                records = self._topic.records[partition][at : at + num_messages - len(found)]
                found += [Message(partition, at + i, value) for i, (_, value) in enumerate(records)]
                self._at[partition] = at + len(records)
        if not found:
            time.sleep(min(timeout, 0.005))
        return found

    def close(self) -> None:
        self.closed = True
