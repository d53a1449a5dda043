"""Reads from Kafka, writes to MongoDB: the two ends of the aggregates job, and its Spark session."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
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


#: Of MongoDB's driver in the sink: how long it waits for a server, a connection, an answer.
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
        "spark.ui.showConsoleProgress": "false",
        **REDACTION,
        "spark.sql.session.timeZone": "UTC",
        # A failed write is repeated by the job, with the whole batch; four attempts each waiting for MongoDB only hide it.
        "spark.task.maxFailures": "1",
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        "spark.sql.streaming.stateStore.providerClass": _STATE_STORES[settings.state_store],
        "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
        "spark.sql.streaming.maxBatchesToRetainInMemory": "1",
        # Each batch writes most of the state anew: 100 of them would fill the disk with many devices.
        "spark.sql.streaming.minBatchesToRetain": "20",
        **(more or {}),
    }
    builder = SparkSession.builder.appName(name)
    for key, value in conf.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


#: To Spark's Kafka source, of a partition: its beginning.
_EARLIEST = -2


def read(
    session: SparkSession,
    settings: JobSettings,
    *,
    topics: Sequence[str] = (names.TOPIC_MESSAGES,),
    begin: str = "earliest",
    from_ms: int | None = None,
    few_wait: bool = False,
) -> DataFrame:
    """The topics' records. Lost offsets fail the query: they are never skipped silently.

    Args:
        begin: Where to begin without a checkpoint; see `starting_offsets`.
        from_ms: Begin with what arrived at or after this time instead, epoch ms.
        few_wait: Collect few records for some time instead of running a batch for them.
    """
    where = {"startingOffsets": begin}
    if from_ms is not None:
        where = {"startingTimestamp": str(from_ms), "startingOffsetsByTimestampStrategy": "latest"}
    reader = (
        session.readStream.format("kafka")
        .option("kafka.bootstrap.servers", settings.kafka_bootstrap)
        .option("subscribe", ",".join(topics))
        .option("kafka.isolation.level", "read_committed")
        .options(**where)
        .option("failOnDataLoss", "true")
        .option("maxOffsetsPerTrigger", settings.max_offsets_per_trigger)
    )
    if few_wait and settings.min_offsets_per_trigger:
        reader = reader.option("minOffsetsPerTrigger", settings.min_offsets_per_trigger).option(
            "maxTriggerDelay", f"{int(settings.max_trigger_delay_s * 1000)}ms"
        )
    return reader.load()


def starting_offsets(offsets: Mapping[int, int], partitions: Mapping[str, Iterable[int]]) -> str:
    """Where to begin, as Spark's Kafka source takes it.

    Args:
        offsets: Of the readings' topic; empty: everything from its beginning.
        partitions: Of every topic that is read: all must be named.
    """
    if not offsets:
        return "earliest"
    known = {names.TOPIC_MESSAGES: offsets}
    return json.dumps({t: {str(p): known.get(t, {}).get(p, _EARLIEST) for p in ids} for t, ids in partitions.items()})


def write(
    windows: DataFrame, settings: JobSettings, *, collection: str = names.COLLECTION_AGGREGATES, whole_from_ms: int
) -> StreamingQuery:
    """Start writing. A window is replaced by its `_id`, so that a batch may be repeated.

    Args:
        whole_from_ms: See `checkpoint_version.Start`.
    """
    jvm = windows.sparkSession.sparkContext._jvm  # noqa: SLF001  # py4j has no other way
    address = with_options(settings.mongo_address, **_BOUNDS)
    writer = jvm.paai.WindowWriter(address, names.DATABASE, collection, whole_from_ms)  # type: ignore[union-attr]
    stream = (
        windows.writeStream.queryName(names.JOB_AGGREGATE)
        .outputMode("append")
        .trigger(processingTime=f"{int(settings.trigger_s * 1000)} milliseconds")
        .option("checkpointLocation", str(settings.checkpoint_dir))
    )
    stream._jwrite.foreach(writer)  # noqa: SLF001
    return stream.start()


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
