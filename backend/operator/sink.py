"""The sink connector's configuration, and why each line is so."""

from backend.contract import limits, names
from backend.contract.mongo_uri import with_options
from backend.contract.rule_settings import rule_settings

_BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"


def sink_config(*, mongo_uri: str, tasks: int, replication_factor: int = 1) -> dict[str, str]:
    """What ``PUT /connectors/NAME/config`` gets.

    Args:
        mongo_uri: MongoDB as Connect reaches it; placeholders of its FileConfigProvider may stand in it.
        tasks: At most the topic's partitions.
        replication_factor: Of the topic of dead letters, should Connect be quicker to make it than the operator.
    """
    return {
        "name": names.SINK_CONNECTOR,
        # Ours (stack/jvm/java): unordered inserts under the unique index. What is stored already gets the later value, what
        # MongoDB refuses as data becomes a dead letter, and only an outage fails the task. A worker of an earlier version does
        # not know the name and keeps its configuration until it is replaced.
        "connector.class": "paai.ReadingSinkConnector",
        "tasks.max": str(tasks),
        "topics": names.TOPIC_MESSAGES,
        # A write that finds MongoDB gone waits 20 s for it, then the task FAILS with its offsets uncommitted; the operator
        # restarts it when MongoDB is back. Journalled, since the offsets are committed on the strength of it.
        "connection.uri": with_options(
            mongo_uri,
            serverSelectionTimeoutMS="20000",
            connectTimeoutMS="5000",
            # Of a database whose node or link is gone nobody tells a write under way that no answer will come.
            socketTimeoutMS="30000",
            w="majority",
            retryWrites="true",
        ),
        "database": names.DATABASE,
        "collection": names.COLLECTION_MESSAGES,
        # The rule judges the bytes: a JSON converter would hide a byte order mark, UTF-16, `021` and trailing text from it.
        "key.converter": _BYTES,
        "value.converter": _BYTES,
        # Nobody reads headers. Connect's default converter parses each: a long row of digits takes it minutes.
        "header.converter": _BYTES,
        "transforms": "reading",
        "transforms.reading.type": "paai.ReadingTransform",
        "transforms.reading.settings": rule_settings(),
        # One bulk write a poll.
        "consumer.override.max.poll.records": "5000",
        "consumer.override.auto.offset.reset": "earliest",
        # Aborted transactions are readings for nobody.
        "consumer.override.isolation.level": "read_committed",
        # Connect diverts what fails the rule; without this it would fail the task.
        "errors.tolerance": "all",
        "errors.log.enable": "false",
        "errors.deadletterqueue.topic.name": names.TOPIC_DEAD_LETTERS,
        "errors.deadletterqueue.topic.replication.factor": str(replication_factor),
        "errors.deadletterqueue.context.headers.enable": "true",
        # A dead letter that is too large for its producer would be lost without a message. The producer judges unpacked
        # records: those that the topic takes have less than 24 MiB.
        "producer.override.max.request.size": str(32 * 1024 * 1024),
        "producer.override.compression.type": limits.TOPIC_COMPRESSION,
    }
