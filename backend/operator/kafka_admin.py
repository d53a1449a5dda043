"""`topics.KafkaAdmin` and `lag.OffsetSource` on confluent-kafka."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it re-exports without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from backend.operator.topics import KafkaUnavailableError, TopicSpec

#: librdkafka reports each refused connection; what matters of it is in the state file.
_quiet = logging.getLogger("kafka-operator.librdkafka")
_quiet.setLevel(logging.CRITICAL)


def _why(error: KafkaException) -> str:
    cause = error.args[0] if error.args else error
    return cause.str() if isinstance(cause, KafkaError) else str(cause)


#: After so many calls in a row without an answer the client is replaced: after a broker was killed while it started, one was
#: seen whose requests timed out for ever although the broker answered everybody else.
FAILURES_BEFORE_A_NEW_CLIENT = 3


MakeClient = Callable[[dict[str, Any]], Any]


def _confluent_client(config: dict[str, Any]) -> AdminClient:
    return AdminClient(config, logger=_quiet)


class ConfluentAdmin:
    """Blocking, bounded calls; every failure is a `KafkaUnavailableError`."""

    def __init__(
        self, *, bootstrap: str, timeout_s: float, replication_factor: int = 1, make_client: MakeClient | None = None
    ) -> None:
        """`make_client`: instead of confluent-kafka's, for tests."""
        self._timeout_s, self._replication_factor = timeout_s, replication_factor
        self._config: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "client.id": "kafka-operator",
            "socket.timeout.ms": int(timeout_s * 1000),
            # The default of up to 10 s between attempts would be most of the whole start-up.
            "reconnect.backoff.ms": 100,
            "reconnect.backoff.max.ms": 500,
        }
        self._make_client = make_client or _confluent_client
        self._client = self._make_client(self._config)
        self._failures = 0

    def _failed(self, what: str, why: str) -> KafkaUnavailableError:
        self._failures += 1
        if self._failures >= FAILURES_BEFORE_A_NEW_CLIENT:
            self._failures = 0
            self._client = self._make_client(self._config)
        return KafkaUnavailableError(f"{what}: {why}")

    def _all(self, what: str, futures: Mapping[Any, "Future[Any]"], *, fine: tuple[int, ...] = ()) -> dict[Any, Any]:
        """Answers by key; without those that failed with a code that is fine."""
        results: dict[Any, Any] = {}
        for key, future in futures.items():
            try:
                results[key] = future.result(timeout=self._timeout_s + 1)
            except KafkaException as error:
                cause = error.args[0] if error.args else None
                if isinstance(cause, KafkaError) and cause.code() in fine:
                    continue
                raise self._failed(what, _why(error)) from error
            except TimeoutError as error:
                raise self._failed(what, f"no answer within {self._timeout_s:g} s") from error
        self._failures = 0
        return results

    def partitions(self) -> dict[str, int]:
        try:
            metadata = self._client.list_topics(timeout=min(2.0, self._timeout_s))
        except KafkaException as error:
            raise self._failed("listing topics", _why(error)) from error
        if not metadata.brokers:
            raise KafkaUnavailableError("no broker is registered yet")
        return {name: len(topic.partitions) for name, topic in metadata.topics.items() if topic.error is None}

    def configs(self, topics: list[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
        fine = (KafkaError.UNKNOWN_TOPIC_OR_PART,)
        answers = self._all(
            "reading topic settings", self._client.describe_configs(resources, request_timeout=self._timeout_s), fine=fine
        )
        return {resource.name: {k: e.value for k, e in entries.items()} for resource, entries in answers.items()}

    def create(self, spec: TopicSpec) -> bool:
        topic = NewTopic(
            spec.name, num_partitions=spec.partitions, replication_factor=self._replication_factor, config=dict(spec.config)
        )
        fine = (KafkaError.TOPIC_ALREADY_EXISTS,)
        futures = self._client.create_topics([topic], request_timeout=self._timeout_s)
        return bool(self._all("creating a topic", futures, fine=fine))

    def grow(self, topic: str, partitions: int) -> None:
        futures = self._client.create_partitions([NewPartitions(topic, partitions)], request_timeout=self._timeout_s)
        self._all("adding partitions", futures)

    def alter(self, topic: str, changes: dict[str, str]) -> None:
        entries = [
            ConfigEntry(k, v, source=ConfigSource.DYNAMIC_TOPIC_CONFIG, incremental_operation=AlterConfigOpType.SET)
            for k, v in changes.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
        futures = self._client.incremental_alter_configs([resource], request_timeout=self._timeout_s)
        self._all("setting topic settings", futures)

    def end_offsets(self, topic: str) -> dict[int, int]:
        """The offset after the last record, by partition."""
        partitions = self.partitions().get(topic, 0)
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        wanted = {TopicPartition(topic, p): latest for p in range(partitions)}
        if not wanted:
            return {}
        answers = self._all("reading ends", self._client.list_offsets(wanted, request_timeout=self._timeout_s))
        return {tp.partition: info.offset for tp, info in answers.items()}

    def committed_offsets(self, group: str, topic: str) -> dict[int, int]:
        """What `group` has committed for `topic`, by partition; absent where it has committed nothing."""
        request = [ConsumerGroupTopicPartitions(group)]
        fine = (KafkaError.GROUP_ID_NOT_FOUND,)
        futures = self._client.list_consumer_group_offsets(request, request_timeout=self._timeout_s)
        answers = self._all("reading the sink's offsets", futures, fine=fine)
        return {
            tp.partition: tp.offset
            for answer in answers.values()
            for tp in answer.topic_partitions
            if tp.topic == topic and tp.offset >= 0
        }
