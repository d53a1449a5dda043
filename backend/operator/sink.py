"""The sink connector's configuration, and why each line is so."""

from backend.contract import limits, names
from backend.contract.mongo_uri import with_options
from backend.contract.rule_settings import rule_settings

_SINK = "com.mongodb.kafka.connect.sink"
_BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"


def sink_config(*, mongo_uri: str, tasks: int, replication_factor: int = 1) -> dict[str, str]:
    """What ``PUT /connectors/NAME/config`` gets.

    Args:
        mongo_uri: MongoDB as Connect reaches it; placeholders of its FileConfigProvider may stand in it.
        tasks: At most the topic's partitions.
        replication_factor: Of the topic of dead letters, should Connect be quicker to make it than the operator.
    """
    identity = ",".join(names.IDENTITY_FIELDS)
    return {
        "name": names.SINK_CONNECTOR,
        # MongoDB's own sink, which fails a task for every whole bulk write that fails, whoever's record was the reason.
        "connector.class": "paai.IsolatingSinkConnector",
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
        # What passes cannot fail a bulk write.
        "key.converter": _BYTES,
        "value.converter": _BYTES,
        # Nobody reads headers. Connect's default converter parses each: a long row of digits takes it minutes.
        "header.converter": _BYTES,
        "transforms": "reading",
        "transforms.reading.type": "paai.ReadingTransform",
        "transforms.reading.settings": rule_settings(),
        # One document per identity: a retry or a replay replaces, and raw keeps the last value. Within one unordered bulk
        # the driver and the server keep the order of replacements of the same key.
        "document.id.strategy": f"{_SINK}.processor.id.strategy.PartialValueStrategy",
        "document.id.strategy.partial.value.projection.type": "AllowList",
        "document.id.strategy.partial.value.projection.list": identity,
        "document.id.strategy.overwrite.existing": "true",
        "writemodel.strategy": f"{_SINK}.writemodel.strategy.ReplaceOneBusinessKeyStrategy",
        # One bulk write a poll; unordered, so that a bad record does not take its neighbours along.
        "bulk.write.ordered": "false",
        "max.batch.size": "0",
        "consumer.override.max.poll.records": "5000",
        "consumer.override.auto.offset.reset": "earliest",
        # Aborted transactions are readings for nobody.
        "consumer.override.isolation.level": "read_committed",
        # Connect diverts what it cannot convert; the connector what MongoDB refuses as data. "data" and not "all": with
        # "all" an outage of MongoDB would send whole batches of good readings to the dead letters.
        "errors.tolerance": "all",
        "mongo.errors.tolerance": "data",
        "errors.log.enable": "false",
        "mongo.errors.log.enable": "false",
        "errors.deadletterqueue.topic.name": names.TOPIC_DEAD_LETTERS,
        "errors.deadletterqueue.topic.replication.factor": str(replication_factor),
        "errors.deadletterqueue.context.headers.enable": "true",
        # A dead letter that is too large for its producer would be lost without a message. The producer judges unpacked
        # records: those that the topic takes have less than 24 MiB.
        "producer.override.max.request.size": str(32 * 1024 * 1024),
        "producer.override.compression.type": limits.TOPIC_COMPRESSION,
    }
