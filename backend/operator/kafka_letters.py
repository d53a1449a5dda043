"""`dead_letters.LetterSource` on confluent-kafka."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from backend.contract.headers import read_headers
from backend.contract.names import TOPIC_DEAD_LETTERS
from backend.operator.dead_letters import Letter
from backend.operator.kafka_calls import why
from backend.operator.topics import KafkaUnavailableError

#: How long the first letter may take to come once it is known that there is one.
_WAIT_S: Final = 2.0
_HEADER: Final = "__connect.errors."


class ConfluentLetters:
    """Reads the topic without a group. Blocking, bounded calls; every failure is a `KafkaUnavailableError`."""

    def __init__(
        self,
        *,
        bootstrap: str,
        timeout_s: float,
        topic: str = TOPIC_DEAD_LETTERS,
        make_consumer: Callable[[dict[str, Any]], Any] = Consumer,
    ) -> None:
        """`make_consumer`: instead of confluent-kafka's, for tests."""
        self._topic, self._timeout_s, self._make_consumer = topic, timeout_s, make_consumer
        self._config: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "client.id": "kafka-operator",
            # librdkafka demands one; it is never joined and nothing is committed to it.
            "group.id": "kafka-operator",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            "allow.auto.create.topics": False,
            "socket.timeout.ms": int(timeout_s * 1000),
            "log_level": 2,
        }
        self._open: Any = None

    def read(self, position: Mapping[int, int], most: int) -> list[Letter]:
        try:
            return self._read(position, most)
        except KafkaException as error:
            self.close()  # the next attempt begins with a new client
            raise KafkaUnavailableError(f"reading dead letters: {why(error)}") from error

    @property
    def _client(self) -> Any:
        if self._open is None:
            self._open = self._make_consumer(self._config)
        return self._open

    def _read(self, position: Mapping[int, int], most: int) -> list[Letter]:
        starts = []
        topic = self._client.list_topics(self._topic, timeout=self._timeout_s).topics.get(self._topic)
        for partition in topic.partitions if topic is not None and topic.error is None else ():
            low, high = self._client.get_watermark_offsets(
                TopicPartition(self._topic, partition), timeout=self._timeout_s, cached=False
            )
            at = position.get(partition, low)
            start = low if at > high else max(at, low)
            if start < high:
                starts.append(TopicPartition(self._topic, partition, start))
        if not starts:
            return []
        self._client.assign(starts)
        try:
            messages = self._client.consume(most, timeout=_WAIT_S)
        finally:
            self._client.unassign()
        for error in filter(None, (message.error() for message in messages)):
            if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
                raise KafkaException(error)
        return [_letter(message) for message in messages if message.error() is None]

    def close(self) -> None:
        """Close the consumer."""
        if self._open is not None:
            self._open.close()
            self._open = None


def _letter(message: Any) -> Letter:
    headers = read_headers(message)
    partition, offset = (_number(headers.get(f"{_HEADER}{name}")) for name in ("partition", "offset"))
    source = (partition, offset) if partition >= 0 and offset >= 0 else None
    text = headers.get(f"{_HEADER}exception.message")
    reason = text.decode("utf-8", "replace") if isinstance(text, bytes) else text or ""
    return Letter(message.partition(), message.offset(), reason, source)


def _number(value: bytes | str | None) -> int:
    try:
        return int(value or -1)
    except ValueError:
        return -1
