"""`topics.KafkaAdmin` and `lag.OffsetSource` on confluent-kafka."""

import logging
from collections.abc import Mapping
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


class ConfluentAdmin:
    """Blocking, bounded calls; every failure is a `KafkaUnavailableError`."""

    def __init__(self, *, bootstrap: str, timeout_s: float, replication_factor: int = 1) -> None:
        self._timeout_s, self._replication_factor = timeout_s, replication_factor
        self._client = AdminClient(
            {
                "bootstrap.servers": bootstrap,
                "client.id": "kafka-operator",
                "socket.timeout.ms": int(timeout_s * 1000),
                # The default of up to 10 s between attempts would be most of the whole start-up.
                "reconnect.backoff.ms": 100,
                "reconnect.backoff.max.ms": 500,
            },
            logger=_quiet,
        )

    def _all(self, futures: Mapping[Any, "Future[Any]"], *, fine: tuple[int, ...] = ()) -> dict[Any, Any]:
        results: dict[Any, Any] = {}
        for key, future in futures.items():
            try:
                results[key] = future.result(timeout=self._timeout_s + 1)
            except KafkaException as error:
                cause = error.args[0] if error.args else None
                if isinstance(cause, KafkaError) and cause.code() in fine:
                    continue
                raise KafkaUnavailableError(_why(error)) from error
            except TimeoutError as error:
                raise KafkaUnavailableError(f"no answer within {self._timeout_s:g} s") from error
        return results

    def partitions(self) -> dict[str, int]:
        try:
            metadata = self._client.list_topics(timeout=min(2.0, self._timeout_s))
        except KafkaException as error:
            raise KafkaUnavailableError(_why(error)) from error
        if not metadata.brokers:
            raise KafkaUnavailableError("no broker is registered yet")
        return {name: len(topic.partitions) for name, topic in metadata.topics.items() if topic.error is None}

    def configs(self, topics: list[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
        fine = (KafkaError.UNKNOWN_TOPIC_OR_PART,)
        answers = self._all(self._client.describe_configs(resources, request_timeout=self._timeout_s), fine=fine)
        return {resource.name: {k: e.value for k, e in entries.items()} for resource, entries in answers.items()}

    def create(self, spec: TopicSpec) -> None:
        topic = NewTopic(
            spec.name, num_partitions=spec.partitions, replication_factor=self._replication_factor, config=dict(spec.config)
        )
        fine = (KafkaError.TOPIC_ALREADY_EXISTS,)
        self._all(self._client.create_topics([topic], request_timeout=self._timeout_s), fine=fine)

    def grow(self, topic: str, partitions: int) -> None:
        self._all(self._client.create_partitions([NewPartitions(topic, partitions)], request_timeout=self._timeout_s))

    def alter(self, topic: str, changes: dict[str, str]) -> None:
        entries = [
            ConfigEntry(k, v, source=ConfigSource.DYNAMIC_TOPIC_CONFIG, incremental_operation=AlterConfigOpType.SET)
            for k, v in changes.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
        self._all(self._client.incremental_alter_configs([resource], request_timeout=self._timeout_s))

    def end_offsets(self, topic: str) -> dict[int, int]:
        """The offset after the last record, by partition."""
        partitions = self.partitions().get(topic, 0)
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        wanted = {TopicPartition(topic, p): latest for p in range(partitions)}
        if not wanted:
            return {}
        answers = self._all(self._client.list_offsets(wanted, request_timeout=self._timeout_s))
        return {tp.partition: info.offset for tp, info in answers.items()}

    def committed_offsets(self, group: str, topic: str) -> dict[int, int]:
        """What `group` has committed for `topic`, by partition; absent where it has committed nothing."""
        request = [ConsumerGroupTopicPartitions(group)]
        fine = (KafkaError.GROUP_ID_NOT_FOUND,)
        futures = self._client.list_consumer_group_offsets(request, request_timeout=self._timeout_s)
        answers = self._all(futures, fine=fine)
        return {
            tp.partition: tp.offset
            for answer in answers.values()
            for tp in answer.topic_partitions
            if tp.topic == topic and tp.offset >= 0
        }
