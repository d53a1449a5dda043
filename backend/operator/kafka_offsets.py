"""`lag.OffsetSource` on confluent-kafka."""

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # it re-exports without saying so

from backend.contract import backlog
from backend.contract.held import Ends
from backend.operator.kafka_admin import ConfluentAdmin
from backend.operator.kafka_calls import why


class ConfluentOffsets(ConfluentAdmin):
    """Blocking, bounded calls; every failure is a `KafkaUnavailableError`."""

    _finder: Consumer | None = None

    def ends(self, topic: str) -> dict[int, Ends]:
        """Both ends by partition; empty where there is no such topic."""
        partitions = self.partitions().get(topic, 0)
        # The high watermark is asked second: it is never below the last stable offset.
        stable = self._latest(topic, partitions, IsolationLevel.READ_COMMITTED)
        high = self._latest(topic, partitions, IsolationLevel.READ_UNCOMMITTED)
        return {partition: Ends(offset, high[partition]) for partition, offset in stable.items()}

    def _latest(self, topic: str, partitions: int, level: IsolationLevel) -> dict[int, int]:
        if not partitions:
            return {}
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        wanted = {TopicPartition(topic, p): latest for p in range(partitions)}
        futures = self._client.list_offsets(wanted, isolation_level=level, request_timeout=self._timeout_s)
        return {tp.partition: info.offset for tp, info in self._all("reading ends", futures).items()}

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

    def find_record(self, topic: str, partition: int, offset: int) -> tuple[int, bool] | None:
        """See `backlog.Find`."""
        try:
            if self._finder is None:
                config = {**self._config, **backlog.FINDER_CONFIG, "group.id": "kafka-operator"}
                self._finder = Consumer(config)
            return backlog.find_record(self._finder, topic, partition, offset)
        except KafkaException as error:
            raise self._failed("reading what waits", why(error)) from error
