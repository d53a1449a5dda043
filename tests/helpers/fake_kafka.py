"""A producer without Kafka: keeps what was produced and acknowledges it on `poll`, like librdkafka in the caller's thread."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException

from backend.contract.names import MESSAGES_PARTITIONS, TOPIC_CLOCK, TOPIC_MESSAGES

Report = Callable[[Any, Any], None]


class FakeProducer:
    """In place of `confluent_kafka.Producer`.

    Attributes:
        delivered: (key, value) of every acknowledged record, in order.
        waiting: Records produced and not acknowledged yet.
        hold: While True, `poll` acknowledges nothing.
        error: What the next acknowledgements say instead of success.
        reachable, topic_exists: What `list_topics` finds.
        capacity: `produce` raises BufferError beyond this.
        polls_with_work: Polls that acknowledged something: the round trips.
        clock_asked: Records that ask for the broker's clock and were not acknowledged yet.
        broker_ahead_ms: The broker's clock minus this one.
        config: As given by the publisher.
    """

    def __init__(self, on_delivered: Callable[[str, bytes], None] | None = None) -> None:
        self.delivered: list[tuple[str, bytes]] = []
        self.waiting: list[tuple[str, bytes, Report]] = []
        self.hold = False
        self.error: KafkaError | None = None
        self.reachable = self.topic_exists = True
        self.capacity = 10**9
        self.polls_with_work = 0
        self.clock_asked: list[Report] = []
        self.broker_ahead_ms = 0
        self.config: dict[str, Any] = {}
        self.opened = 0
        self._events: list[KafkaError] = []
        self._on_delivered = on_delivered

    def factory(self, config: dict[str, Any]) -> "FakeProducer":
        """Hand this very object out as a new producer."""
        self.config, self.opened = config, self.opened + 1
        return self

    def event(self, error: KafkaError) -> None:
        """Have the next `poll` report an error of the client."""
        self._events.append(error)

    def produce(self, topic: str, value: bytes, key: str, partition: int, on_delivery: Report, /) -> None:
        if topic == TOPIC_CLOCK:
            self.clock_asked.append(on_delivery)
            return
        assert (topic, partition) == (TOPIC_MESSAGES, -1)
        if len(self.waiting) >= self.capacity:
            raise BufferError("queue full")
        self.waiting.append((key, value, on_delivery))

    def poll(self, timeout: float) -> int:
        assert timeout == 0, "the loop must not block"
        for event in self._events:
            self.config["error_cb"](event)
        self._events.clear()
        for report in [] if self.hold else self.clock_asked[:]:
            self.clock_asked.remove(report)
            report(self.error, self._message())
        return 0 if self.hold else self._acknowledge(self.error)

    def _acknowledge(self, error: KafkaError | None) -> int:
        records, self.waiting = self.waiting, []
        self.polls_with_work += bool(records)
        for key, value, report in records:
            if error is None:
                self.delivered.append((key, value))
                if self._on_delivered is not None:
                    self._on_delivered(key, value)
            report(error, self._message())
        return len(records)

    def _message(self) -> Any:
        """What a delivery report hands out: with the broker's stamp."""
        stamp_ms = int(time.time() * 1000) + self.broker_ahead_ms
        return SimpleNamespace(timestamp=lambda: (TIMESTAMP_LOG_APPEND_TIME, stamp_ms))

    def flush(self, timeout: float) -> int:
        return len(self.waiting)

    def purge(self, in_queue: bool = True, in_flight: bool = True, blocking: bool = True) -> None:
        self._acknowledge(KafkaError(KafkaError._PURGE_QUEUE))

    def list_topics(self, topic: str, timeout: float) -> Any:
        if not self.reachable:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        partitions = dict.fromkeys(range(MESSAGES_PARTITIONS)) if self.topic_exists else {}
        error = None if self.topic_exists else KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        return SimpleNamespace(topics={topic: SimpleNamespace(error=error, partitions=partitions)})
