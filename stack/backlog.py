"""What waits in Kafka before the test reading of `up`, and whether the sink is on its way to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from backend.contract.figures import plural
from backend.contract.login import kafka_client_config
from backend.contract.names import SINK_GROUP, TOPIC_MESSAGES

#: Connect commits every 5 s; a rate over less would jump.
_OVER_S: Final = 9.0
#: Kafka keeps readings for 24 h; what takes half of that is no backlog that ends by itself.
_MOST_S: Final = 12 * 3600.0
_TIMEOUT_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Offsets:
    """Offsets of the readings' topic by partition.

    Attributes:
        committed: Where the sink continues.
        ends: Last stable offsets.
    """

    committed: Mapping[int, int]
    ends: Mapping[int, int]


class OffsetSource(Protocol):
    """Reads offsets; blocks for seconds at most."""

    def read(self) -> Offsets | None:
        """None while Kafka does not respond."""
        ...

    def close(self) -> None: ...


class BacklogMeter:
    """Measures how fast the sink approaches the test reading.

    Offsets are committed in steps, so that the rate is taken from one commit to another.
    """

    def __init__(self) -> None:
        self._ends: Mapping[int, int] | None = None
        self._commits: list[tuple[float, int]] = []
        self.waiting = 0

    def add(self, now: float, offsets: Offsets) -> None:
        """Take in what is known as of `now`, in seconds of any one clock; first after the test reading was posted."""
        if self._ends is None:
            self._ends = dict(offsets.ends)
        waiting = sum(max(0, end - offsets.committed.get(partition, 0)) for partition, end in self._ends.items())
        # The first change has an unknown beginning: it only starts the measurement.
        if self._commits or (self.waiting and waiting != self.waiting):
            if not self._commits or waiting < self._commits[-1][1]:
                self._commits.append((now, waiting))
            elif waiting > self._commits[-1][1]:
                self._commits = []  # the sink's group began anew
        self.waiting = waiting

    @property
    def stored_per_s(self) -> float:
        """Readings a second; 0 while no rate is known."""
        if not self._commits:
            return 0.0
        (began, before), (ended, after) = self._commits[0], self._commits[-1]
        return (before - after) / (ended - began) if ended - began >= _OVER_S else 0.0

    def is_draining(self) -> bool:
        """Whether readings wait before the test reading and are stored so fast that it is stored within `_MOST_S`."""
        return self.waiting > 0 and self.stored_per_s * _MOST_S >= self.waiting

    def sentence(self) -> str:
        """How many wait, at which rate they are stored, and for how long."""
        rate = self.stored_per_s
        if rate <= 0:
            return f"{plural(self.waiting, 'reading')} {'waits' if self.waiting == 1 else 'wait'} in Kafka."
        minutes = max(1, round(self.waiting / rate / 60))
        per_s = plural(round(rate), "reading") if rate >= 1 else "less than 1 reading"
        return (
            f"{plural(self.waiting, 'reading')} {'waits' if self.waiting == 1 else 'wait'} in Kafka, for about {minutes} min: "
            f"{per_s}/s {'is' if round(rate) <= 1 else 'are'} stored."
        )


class KafkaOffsets:
    """`OffsetSource` on confluent-kafka. Reads the sink's offsets without joining its group."""

    def __init__(self, *, bootstrap: str, user: str | None = None, password: str | None = None) -> None:
        config: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "group.id": SINK_GROUP,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "log_level": 0,
            **kafka_client_config(user, password),
        }
        self._consumer = Consumer(config)

    def read(self) -> Offsets | None:
        """See `OffsetSource`."""
        try:
            topic = self._consumer.list_topics(TOPIC_MESSAGES, timeout=_TIMEOUT_S).topics.get(TOPIC_MESSAGES)
            if topic is None or topic.error is not None:
                return None
            committed: dict[int, int] = {}
            ends: dict[int, int] = {}
            wanted = [TopicPartition(TOPIC_MESSAGES, partition) for partition in topic.partitions]
            for found in self._consumer.committed(wanted, timeout=_TIMEOUT_S):
                low, ends[found.partition] = self._consumer.get_watermark_offsets(found, timeout=_TIMEOUT_S, cached=False)
                committed[found.partition] = max(found.offset, low)
        except KafkaException:
            return None
        return Offsets(committed, ends)

    def close(self) -> None:
        """Close the client."""
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
