"""Keeps Kafka's topics as wanted: present, with enough partitions, with the retention that the contract names."""

import logging
from dataclasses import dataclass, field
from typing import Protocol

from backend.contract import limits, names
from backend.operator.keeper import Finding

log = logging.getLogger("kafka-operator")


class KafkaUnavailableError(Exception):
    """Kafka did not answer, or answered with an error; the message says which."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as wanted.

    Attributes:
        name: Its name.
        partitions: At least so many; more are left alone (fewer is impossible in Kafka).
        config: Topic-level settings; settings that are not named are left alone.
    """

    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)


def wanted_topics(*, retention_hours: float, retention_bytes: int) -> tuple[TopicSpec, ...]:
    """Every topic of the system. Kafka counts retention bytes per partition, the limit is for the topic.

    The small segment bound matters: only whole segments are removed, and the default of 1 GiB would overshoot the limit.
    """
    retention_ms = str(int(retention_hours * 3_600_000))

    def config(partitions: int) -> dict[str, str]:
        per_partition = retention_bytes // partitions
        return {
            "cleanup.policy": "delete",
            "compression.type": limits.TOPIC_COMPRESSION,
            "retention.ms": retention_ms,
            # Records are judged, ordered and aged out by their arrival, whatever time their producer gave them.
            "message.timestamp.type": "LogAppendTime",
            "retention.bytes": str(per_partition),
            "segment.bytes": str(max(1024 * 1024, min(128 * 1024 * 1024, per_partition // 4))),
        }

    return (
        TopicSpec(names.TOPIC_MESSAGES, names.MESSAGES_PARTITIONS, config(names.MESSAGES_PARTITIONS)),
        TopicSpec(names.TOPIC_PREDICTIONS, names.MESSAGES_PARTITIONS, config(names.MESSAGES_PARTITIONS)),
        # A dead letter is its record and the headers that say why: the largest record must fit with them.
        TopicSpec(names.TOPIC_DEAD_LETTERS, 1, config(1) | {"max.message.bytes": str(2 * 1024 * 1024)}),
        # Aged out by size only: a heartbeat that Spark did not read yet must not be missing after a long stop.
        TopicSpec(names.TOPIC_HEARTBEATS, 1, config(1) | {"retention.ms": "-1", "retention.bytes": str(8 * 1024 * 1024)}),
        TopicSpec(names.TOPIC_CLOCK, 1, config(1) | {"retention.ms": "3600000", "retention.bytes": str(1024 * 1024)}),
    )


class KafkaAdmin(Protocol):
    """The few things that the keeper asks of Kafka. Each call is bounded and raises `KafkaUnavailableError` only."""

    def partitions(self) -> dict[str, int]:
        """Number of partitions of every topic there is."""
        ...

    def configs(self, topics: list[str]) -> dict[str, dict[str, str]]:
        """Effective settings of `topics`."""
        ...

    def create(self, spec: TopicSpec) -> bool:
        """Create a topic, once there are as many brokers as it has copies.

        False when there is one already: a broker that starts lists its topics late.
        """
        ...

    def grow(self, topic: str, partitions: int) -> None:
        """Raise the number of partitions."""
        ...

    def alter(self, topic: str, changes: dict[str, str]) -> None:
        """Set some topic-level settings, leaving the others."""
        ...


class TopicKeeper:
    """See the module.

    Attributes:
        corrections: What was put right since the start, for the log and for tests.
        created: How often each topic was created since the start, by name.
    """

    name = "topics"

    def __init__(self, *, admin: KafkaAdmin, wanted: tuple[TopicSpec, ...]) -> None:
        self._admin, self._wanted = admin, wanted
        self.corrections = 0
        self.created: dict[str, int] = {}

    def step(self) -> Finding:
        try:
            changed = self._reconcile()
        except KafkaUnavailableError as error:
            return Finding(False, f"waits for Kafka: {error}", waiting=True)
        # What was changed is looked at again in the next step before it counts.
        return Finding(not changed, "puts the Kafka topics right" if changed else "")

    def _reconcile(self) -> bool:
        there = self._admin.partitions()
        changed = False
        for spec in self._wanted:
            if spec.name not in there:
                if self._admin.create(spec):
                    self.created[spec.name] = self.created.get(spec.name, 0) + 1
                    log.info("topic %s: created with %d partition(s)", spec.name, spec.partitions)
                changed = True
            elif there[spec.name] < spec.partitions:
                self._admin.grow(spec.name, spec.partitions)
                log.warning("topic %s: partitions raised from %d to %d", spec.name, there[spec.name], spec.partitions)
                changed = True
        existing = [spec.name for spec in self._wanted if spec.name in there]
        actual = self._admin.configs(existing) if existing else {}
        for spec in self._wanted:
            if spec.name not in actual:
                continue
            drift = {k: v for k, v in spec.config.items() if actual[spec.name].get(k) != v}
            if drift:
                self._admin.alter(spec.name, drift)
                log.warning("topic %s: settings put right: %s", spec.name, drift)
                changed = True
        self.corrections += changed
        return changed

    def close(self) -> None:
        """Nothing to let go of: the admin client has no close."""
