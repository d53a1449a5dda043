"""Records that a consumer group has still to read: offsets also count what no reader ever gets.

A transaction's commit marker and aborted records take offsets. A group commits the offset after the last record that it got,
so on an idle topic these stay behind its committed offset for ever. What stands still is read once, up to the first record.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from confluent_kafka import KafkaError, KafkaException, TopicPartition

#: What `find_record` needs of a consumer beside its address.
FINDER_CONFIG: Final[Mapping[str, Any]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "allow.auto.create.topics": False,
    "auto.offset.reset": "earliest",
    "isolation.level": "read_committed",
    "enable.partition.eof": True,
    "queued.max.messages.kbytes": 1024,
    "fetch.wait.max.ms": 50,
    "log_level": 2,
}
_EOF: Final[int] = KafkaError._PARTITION_EOF  # noqa: SLF001

#: Gives the offset of the first record at or after an offset of a partition, and whether there is one; without one, the offset
#: is the end. None when that is not known yet.
Find = Callable[[int, int], tuple[int, bool] | None]


class RecordConsumer(Protocol):
    """What is used of `confluent_kafka.Consumer`."""

    def assign(self, partitions: list[TopicPartition], /) -> None: ...
    def unassign(self) -> None: ...
    def poll(self, timeout: float, /) -> Any: ...


def find_record(
    consumer: RecordConsumer, topic: str, partition: int, offset: int, *, timeout_s: float = 2.0
) -> tuple[int, bool] | None:
    """Read a partition from `offset` to its first record or its end; see `Find`.

    Args:
        consumer: Made with `FINDER_CONFIG`, used for nothing else.

    Raises:
        KafkaException: Kafka refused.
    """
    deadline = time.monotonic() + timeout_s
    consumer.assign([TopicPartition(topic, partition, offset)])
    try:
        while (left := deadline - time.monotonic()) > 0:
            message = consumer.poll(left)
            if message is None:
                continue
            error = message.error()
            if error is None:
                return int(message.offset()), True
            if error.code() == _EOF:
                return int(message.offset()), False
            raise KafkaException(error)
        return None
    finally:
        consumer.unassign()


class Backlog:
    """Count what waits for a group; what stands still between two looks is read once."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._committed: dict[int, int] = {}
        self._empty_to: dict[int, int] = {}  # no record from the committed offset up to here
        self._record: set[int] = set()  # partitions with a record behind `_empty_to`

    def count(self, committed: Mapping[int, int], ends: Mapping[int, int]) -> dict[int, int]:
        """Return the records that wait, by partition; markers and aborted ones are among them while the group moves.

        Args:
            committed: Where the group goes on, of each partition in `ends`.
            ends: Last stable offsets.
        """
        lag: dict[int, int] = {}
        for partition, end in ends.items():
            at = committed[partition]
            if self._committed.get(partition) != at:
                self._committed[partition] = self._empty_to[partition] = at
                self._record.discard(partition)
            elif end > self._empty_to[partition] and partition not in self._record:
                found = self._find(partition, self._empty_to[partition])
                if found is not None:
                    self._empty_to[partition] = max(at, found[0])
                    if found[1]:
                        self._record.add(partition)
            lag[partition] = max(0, end - self._empty_to[partition])
        return lag
