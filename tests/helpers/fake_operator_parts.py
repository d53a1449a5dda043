"""Kafka's admin, Connect and offsets in memory, for tests of the operator's keepers."""

from dataclasses import dataclass, field

from backend.operator.connect_client import ConnectorStatus, ConnectUnavailableError
from backend.operator.topics import KafkaUnavailableError, TopicSpec


@dataclass
class FakeKafka:
    """In place of `ConfluentAdmin`.

    Attributes:
        topics: Partitions and settings, by topic.
        down: While not empty, every call fails with it.
        ends, committed: What `end_offsets` and `committed_offsets` give.
    """

    topics: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    down: str = ""
    ends: dict[int, int] = field(default_factory=dict)
    committed: dict[int, int] = field(default_factory=dict)

    def _answer(self) -> None:
        if self.down:
            raise KafkaUnavailableError(self.down)

    def partitions(self) -> dict[str, int]:
        self._answer()
        return {name: count for name, (count, _) in self.topics.items()}

    def configs(self, topics: list[str]) -> dict[str, dict[str, str]]:
        self._answer()
        return {name: {"compression.type": "producer", **self.topics[name][1]} for name in topics}

    def create(self, spec: TopicSpec) -> None:
        self._answer()
        self.topics[spec.name] = (spec.partitions, dict(spec.config))

    def grow(self, topic: str, partitions: int) -> None:
        self._answer()
        self.topics[topic] = (partitions, self.topics[topic][1])

    def alter(self, topic: str, changes: dict[str, str]) -> None:
        self._answer()
        self.topics[topic][1].update(changes)

    def end_offsets(self, topic: str) -> dict[int, int]:
        self._answer()
        return dict(self.ends)

    def committed_offsets(self, group: str, topic: str) -> dict[int, int]:
        self._answer()
        return dict(self.committed)


@dataclass
class FakeConnect:
    """In place of `HttpConnect`, with one connector.

    Attributes:
        wanted: The connector's configuration, or None where there is none.
        state, tasks, trace: What `status` gives.
        down: While not empty, every call fails with it.
        calls: What was asked for, in order, without the looks.
    """

    wanted: dict[str, str] | None = None
    state: str = "RUNNING"
    tasks: dict[int, str] = field(default_factory=lambda: {0: "RUNNING"})
    trace: str = ""
    down: str = ""
    calls: list[str] = field(default_factory=list)

    def _answer(self, call: str = "") -> None:
        if self.down:
            raise ConnectUnavailableError(self.down)
        if call:
            self.calls.append(call)

    def config(self, name: str) -> dict[str, str] | None:
        self._answer()
        return self.wanted

    def put_config(self, name: str, config: dict[str, str]) -> None:
        self._answer("put")
        self.wanted = dict(config)

    def status(self, name: str) -> ConnectorStatus | None:
        self._answer()
        return ConnectorStatus(self.state, dict(self.tasks), self.trace)

    def restart(self, name: str, *, only_failed: bool) -> None:
        self._answer("restart failed" if only_failed else "restart all")

    def resume(self, name: str) -> None:
        self._answer("resume")
        self.state = "RUNNING"

    def stop(self, name: str) -> None:
        self._answer("stop")
        self.state = "STOPPED"

    def forget_offsets(self, name: str) -> None:
        self._answer("forget")

    def close(self) -> None:
        """Nothing to let go of."""
