"""`topics.KafkaAdmin` on confluent-kafka."""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it re-exports without saying so
    AlterConfigOpType,
    ClusterMetadata,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from backend.operator.kafka_calls import KafkaCalls, MakeClient, why
from backend.operator.topics import KafkaUnavailableError, TopicSpec


class ConfluentAdmin(KafkaCalls):
    """Blocking, bounded calls; every failure is a `KafkaUnavailableError`."""

    def __init__(
        self, *, bootstrap: str, timeout_s: float, replication_factor: int = 1, make_client: MakeClient | None = None
    ) -> None:
        """`make_client`: instead of confluent-kafka's, for tests."""
        super().__init__(bootstrap=bootstrap, timeout_s=timeout_s, make_client=make_client)
        self._replication_factor = replication_factor

    def _metadata(self) -> ClusterMetadata:
        try:
            metadata: ClusterMetadata = self._client.list_topics(timeout=min(2.0, self._timeout_s))
        except KafkaException as error:
            raise self._failed("listing topics", why(error)) from error
        if not metadata.brokers:
            raise KafkaUnavailableError("no broker is registered yet")
        return metadata

    def partitions(self) -> dict[str, int]:
        return {name: len(topic.partitions) for name, topic in self._metadata().topics.items() if topic.error is None}

    def configs(self, topics: list[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
        fine = (KafkaError.UNKNOWN_TOPIC_OR_PART,)
        answers = self._all(
            "reading topic settings", self._client.describe_configs(resources, request_timeout=self._timeout_s), fine=fine
        )
        return {resource.name: {k: e.value for k, e in entries.items()} for resource, entries in answers.items()}

    def create(self, spec: TopicSpec) -> bool:
        # A broker that is registered but still fenced counts as a place for copies, never as a preferred leader: of a topic
        # made too early it would not lead a single partition, now or later. Metadata name the brokers that are not fenced.
        there, wanted = len(self._metadata().brokers), self._replication_factor
        if there < wanted:
            raise KafkaUnavailableError(f"{there} of the {wanted} brokers that topic {spec.name} needs are there")
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
