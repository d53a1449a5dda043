"""Reads from Kafka, writes to MongoDB: the two ends of the aggregates job, and its Spark session."""

import json
import logging
from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.listener import (
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)
from pyspark.sql.streaming.query import StreamingQuery

from backend.contract import names
from backend.contract.mongo_uri import with_options
from spark.settings import JobSettings

log = logging.getLogger("spark-job")

_STATE_STORES = {
    "rocksdb": "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
    "memory": "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider",
}


#: The connector closes an unused client after 5 s; windows come every 10 s, and a new client costs a handshake. It reads a
#: system property of the executor, but Spark refuses `-Dspark…` among an executor's options: only the environment carries it.
_KEEP_CLIENTS = "-Dspark.mongodb.keep_alive_ms=600000"
#: Of the driver in the sink: how long it waits for a server, a connection, an answer.
_BOUNDS = {"serverSelectionTimeoutMS": "5000", "connectTimeoutMS": "5000", "socketTimeoutMS": "60000"}


#: MongoDB's address holds the password. Spark would show it as an option of the sink and in plans, on its pages, in logs and in
#: event logs.
REDACTION = {
    "spark.redaction.regex": "(?i)secret|password|token|credential|access[.]?key|uri",
    "spark.sql.redaction.options.regex": "(?i)secret|password|token|credential|url|uri",
    "spark.redaction.string.regex": r"(?<=mongodb://)[^@/\s]+(?=@)|(?<=mongodb\+srv://)[^@/\s]+(?=@)",
}


def build_session(settings: JobSettings, *, name: str, more: dict[str, str] | None = None) -> SparkSession:
    """The Spark session with all that the job needs; the master comes from spark-submit.

    What is set here wins over spark-submit: cores and memory come from the settings.
    """
    conf = {
        "spark.cores.max": str(settings.spark_cores),
        "spark.executor.memory": settings.executor_memory,
        "spark.executorEnv.JAVA_TOOL_OPTIONS": _KEEP_CLIENTS,
        "spark.ui.showConsoleProgress": "false",
        **REDACTION,
        "spark.sql.session.timeZone": "UTC",
        # A failed write is repeated by the job, with the whole batch; four attempts each waiting for MongoDB only hide it.
        "spark.task.maxFailures": "1",
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        "spark.sql.streaming.stateStore.providerClass": _STATE_STORES[settings.state_store],
        "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
        "spark.sql.streaming.maxBatchesToRetainInMemory": "1",
        # Otherwise 128 groups are enough to fall back to sorting.
        "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "100000",
        **(more or {}),
    }
    builder = SparkSession.builder.appName(name)
    for key, value in conf.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def read(session: SparkSession, settings: JobSettings, *, from_ms: int | None = None) -> DataFrame:
    """The topic's records. Lost offsets fail the query: they are never skipped silently.

    Args:
        from_ms: A query without a checkpoint begins with what arrived at or after this time, epoch ms; None: at the beginning.
    """
    begin = {"startingOffsets": "earliest"}
    if from_ms is not None:
        begin = {"startingTimestamp": str(from_ms), "startingOffsetsByTimestampStrategy": "latest"}
    return (
        session.readStream.format("kafka")
        .option("kafka.bootstrap.servers", settings.kafka_bootstrap)
        .option("subscribe", names.TOPIC_MESSAGES)
        .option("kafka.isolation.level", "read_committed")
        .options(**begin)
        .option("failOnDataLoss", "true")
        .option("maxOffsetsPerTrigger", settings.max_offsets_per_trigger)
        .load()
    )


def write(windows: DataFrame, settings: JobSettings, *, collection: str = names.COLLECTION_AGGREGATES) -> StreamingQuery:
    """Start writing. A window is replaced by its `_id`, so that a batch may be repeated."""
    return (
        windows.writeStream.format("mongodb")
        .queryName(names.JOB_AGGREGATE)
        .outputMode("append")
        .trigger(processingTime=f"{int(settings.trigger_s * 1000)} milliseconds")
        .option("checkpointLocation", str(settings.checkpoint_dir))
        .option("connection.uri", with_options(settings.mongo_address, **_BOUNDS))
        .option("database", names.DATABASE)
        .option("collection", collection)
        .option("operationType", "replace")
        .option("upsertDocument", "true")
        .option("ordered", "false")
        .start()
    )


class ProgressListener(StreamingQueryListener):
    """Hands each batch's progress on, as decoded JSON, on Spark's listener thread, and that there was nothing to do."""

    def __init__(self, on_progress: Callable[[dict[str, Any]], None], on_idle: Callable[[], None]) -> None:
        self._on_progress, self._on_idle = on_progress, on_idle

    def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802
        """Nothing to do."""

    def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802
        """An exception here would vanish in Spark's listener bus; it is logged instead."""
        try:
            progress = json.loads(event.progress.json)
            log.debug("batch %s: %s rows, %s", progress["batchId"], progress["numInputRows"], progress["durationMs"])
            self._on_progress(progress)
        except Exception:
            log.exception("the progress of a batch could not be taken in")

    def onQueryIdle(self, event: QueryIdleEvent) -> None:  # noqa: N802
        """Nothing came; Spark says so every ten seconds."""
        self._on_idle()

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:  # noqa: N802
        """The job's own loop notices."""
