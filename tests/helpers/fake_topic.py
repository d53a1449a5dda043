"""A Kafka topic in memory behind the calls of `confluent_kafka.Consumer` that the desktop makes."""

import threading
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException, TopicPartition


class Message:
    """One record."""

    def __init__(self, partition: int, offset: int, value: bytes | None, arrival_ms: int) -> None:
        self._partition, self._offset, self._value, self._arrival_ms = partition, offset, value, arrival_ms

    def error(self) -> KafkaError | None:
        return None

    def value(self) -> bytes | None:
        return self._value

    def timestamp(self) -> tuple[int, int]:
        return TIMESTAMP_LOG_APPEND_TIME, self._arrival_ms

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset


class End(Message):
    """What a consumer is told at the end of a partition."""

    def error(self) -> KafkaError:
        return KafkaError(KafkaError._PARTITION_EOF)


#: A record that no reader of committed records gets: a marker, or an aborted one.
HIDDEN = b"hidden"


class FakeTopic:
    """One topic; None partitions = it does not exist. `down` = the broker does not answer."""

    def __init__(self, name: str = "processed_messages", partitions: int = 3) -> None:
        self.name = name
        self.down = False
        self.refuses_login = False  # why it is down, if it is
        self.exists = True
        self.records: dict[int, list[tuple[int, bytes | None]]] = {p: [] for p in range(partitions)}
        self.low: dict[int, int] = dict.fromkeys(range(partitions), 0)
        self.committed: dict[int, int] = {}  # by the group that is asked for
        self.open: dict[int, int] = {}  # per partition the first offset of an open transaction
        self.consumers: list[FakeConsumer] = []
        self.generation = 0

    def produce(self, value: bytes | None, *, partition: int = 0, t_ms: int = 0) -> None:
        """Append a record."""
        self.records[partition].append((t_ms, value))

    def stable(self, partition: int) -> int:
        """The last stable offset."""
        return self.open.get(partition, len(self.records[partition]))

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
        self._position: dict[int, int] = {}
        self._told: dict[int, int] = {}
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
        high = len(self._topic.records[partition.partition])
        return self._topic.low[partition.partition], high if cached else self._topic.stable(partition.partition)

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        self._check()
        self._at = {p.partition: p.offset for p in partitions}
        self._position, self._told = {}, {}

    def seek(self, partition: TopicPartition) -> None:
        self._check()
        low = self._topic.low[partition.partition]
        self._at[partition.partition] = low if partition.offset == OFFSET_BEGINNING else partition.offset
        self._told.pop(partition.partition, None)

    def position(self, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
        return [TopicPartition(p.topic, p.partition, self._position.get(p.partition, -1001)) for p in partitions]

    def committed(self, partitions: Sequence[TopicPartition], timeout: float) -> list[TopicPartition]:
        self._check()
        return [TopicPartition(p.topic, p.partition, self._topic.committed.get(p.partition, -1001)) for p in partitions]

    def unassign(self) -> None:
        self._at = {}

    def poll(self, timeout: float) -> Message | None:
        """The next record; serves the client's events; there is one where the login is refused."""
        assert not self.closed, "used after close"
        if self._topic.down and self._topic.refuses_login:
            self.config["error_cb"](KafkaError(KafkaError._AUTHENTICATION, "invalid credentials"))
        return next(iter(self.consume(1, timeout) if self._at else ()), None)

    def consume(self, num_messages: int, timeout: float) -> list[Message]:
        assert not self.closed, "used after close"
        found: list[Message] = []
        if not self._topic.down and self._topic.exists:
            for partition, at in self._at.items():
                to = min(at + num_messages - len(found), self._topic.stable(partition))
                records = [(i, t_ms, value) for i, (t_ms, value) in enumerate(self._topic.records[partition][at:to], at)]
                seen = [Message(partition, i, value, t_ms) for i, t_ms, value in records if value != HIDDEN]
                found += seen
                # As the client does: the position is behind the last record that was handed out, the end is told apart.
                self._at[partition] = at + len(records)
                if seen:
                    self._position[partition] = seen[-1].offset() + 1
                if self._at[partition] == self._topic.stable(partition) and self._told.get(partition) != self._at[partition]:
                    self._told[partition] = self._at[partition]
                    found.append(End(partition, self._at[partition], None, 0))
        if not found:
            time.sleep(min(timeout, 0.005))
        return found

    def close(self) -> None:
        self.closed = True
