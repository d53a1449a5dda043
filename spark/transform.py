"""Records of Kafka → valid readings → windows. Pure DataFrame → DataFrame, streaming or not; no Python on the executors.

The record rule and the windows are our Java classes (stack/jvm/java); the rule is the same as in the sink.
"""

from dataclasses import dataclass
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  # the conventional alias

from backend.contract import limits, names
from backend.contract.canary import CANARY_PREFIX, CANARY_TIME_MS
from backend.contract.rule_settings import rule_settings

#: The record rule of stack/jvm/java as a function of Spark; the jobs' class path has it.
_RULE_CLASS = "paai.ReadingFunction"
_RULE = "paai_reading"
#: A reason, or else the fields of a reading.
_VERDICT = "reason string, device_id string, sensor string, time_ms bigint, value double"

OBSERVED_INPUT = "input"
OBSERVED_WINDOWS = "windows"

#: Groups that the state is kept in. More than the cores of a large cluster; few, because each costs some time in each batch.
SHARDS: Final = 16


@dataclass(frozen=True, slots=True)
class WindowRules:
    """How windows are made; see `settings.JobSettings`."""

    window_s: int = limits.WINDOW_S
    watermark_s: int = limits.WATERMARK_S
    allowed_ahead_s: float = limits.MAX_FUTURE_S + 1.0


def parse(records: DataFrame, *, rules: WindowRules) -> DataFrame:
    """Judge records by the record rule, against the broker's stamp: no other clock counts.

    Args:
        records: Kafka's columns `value` (binary), `timestamp` (of the record), `topic`, `partition`, `offset`.

    Returns:
        device_id, sensor, time_ms, value, arrival_ms, partition, offset, heartbeat, canary, reason (code of a refusal; null for
        a reading, and only then the fields of a reading are set), valid (never null).
    """
    records.sparkSession.udf.registerJavaFunction(_RULE, _RULE_CLASS, _VERDICT)
    settings = rule_settings(ahead_ms=round(1000 * rules.allowed_ahead_s))
    arrival_ms = F.unix_millis("timestamp")
    verdict = F.call_function(_RULE, F.col("value"), arrival_ms, F.lit(settings))
    heartbeat = F.col("topic") == names.TOPIC_HEARTBEATS
    return records.select(
        verdict.alias("v"), arrival_ms.alias("arrival_ms"), "partition", "offset", heartbeat.alias("heartbeat")
    ).select(
        F.col("v.device_id").alias("device_id"),
        F.col("v.sensor").alias("sensor"),
        F.col("v.time_ms").alias("time_ms"),
        F.col("v.value").alias("value"),
        "arrival_ms",
        "partition",
        "offset",
        "heartbeat",
        F.coalesce((F.col("v.time_ms") == CANARY_TIME_MS) & F.col("v.device_id").startswith(CANARY_PREFIX), F.lit(False)).alias(
            "canary"
        ),
        F.col("v.reason").alias("reason"),
        F.col("v.reason").isNull().alias("valid"),
    )


def readings(records: DataFrame, *, rules: WindowRules) -> DataFrame:
    """The valid readings and the heartbeats. What was read is observed as `OBSERVED_INPUT`.

    A reading stamped too far ahead of its arrival is not valid: it would push the watermark past everybody else.

    Returns:
        device_id, sensor, time_ms, value, arrival_ms, partition, offset, heartbeat (a row whose other columns mean nothing).
    """
    counts = F.col("valid") & ~F.col("canary") & ~F.col("heartbeat")
    parsed = parse(records, rules=rules).observe(
        OBSERVED_INPUT,
        F.count_if(~F.col("valid") & ~F.col("heartbeat")).alias("invalid_rows"),
        F.count_if(~F.col("heartbeat")).alias("rows"),
        F.max(F.when(counts, F.col("time_ms"))).alias("newest_ms"),
    )
    fields = ("device_id", "sensor", "time_ms", "value", "arrival_ms", "partition", "offset", "heartbeat")
    return parsed.where(counts | F.col("heartbeat")).select(*fields)


def windows(valid: DataFrame, *, rules: WindowRules) -> DataFrame:
    """Tumbling windows by event time, as they are stored.

    One stateful step (WindowFunction.java) keeps each identity of an open window once, with the value that came last by
    arrival, then partition and offset. A reading whose window has closed is late.

    Args:
        valid: As `readings` returns them.

    Returns:
        _id, window {start, end}, device_id, sensor, avg, min, max, count (int). What was counted is observed as
        `OBSERVED_WINDOWS`.
    """
    window_ms, watermark_ms = 1000 * rules.window_s, 1000 * rules.watermark_s
    # In steps of a window: the watermark moves when a window closes, and only then a batch without data is worth running.
    reached_ms = F.col("time_ms") - watermark_ms
    stepped = F.timestamp_millis(reached_ms - F.pmod(reached_ms, F.lit(window_ms)) + watermark_ms)
    event = F.when(F.col("heartbeat"), F.timestamp_millis(F.lit(0))).otherwise(stepped)
    device_id = F.when(~F.col("heartbeat"), F.col("device_id"))
    shards = F.when(F.col("heartbeat"), F.sequence(F.lit(0), F.lit(SHARDS - 1))).otherwise(
        F.array(F.pmod(F.hash("device_id", "sensor"), F.lit(SHARDS)))
    )
    sharded = (
        valid.withColumn("event", event)
        .withWatermark("event", f"{rules.watermark_s} seconds")
        .select(
            F.explode(shards).alias("shard"),
            device_id.alias("device_id"),
            "sensor",
            F.coalesce("time_ms", F.lit(0)).alias("time_ms"),
            F.coalesce("value", F.lit(0.0)).alias("value"),
            "arrival_ms",
            "partition",
            "offset",
        )
    )
    session = valid.sparkSession
    function = session.sparkContext._jvm.paai.WindowFunction  # type: ignore[union-attr]  # noqa: SLF001  # py4j has no other way
    made = DataFrame(function.windows(sharded._jdf, window_ms), session)  # noqa: SLF001
    start = F.timestamp_millis("start_ms")
    end = F.timestamp_millis(F.col("start_ms") + window_ms)
    started = F.date_format(start, "yyyy-MM-dd'T'HH:mm:ss'Z'")
    return (
        made.observe(
            OBSERVED_WINDOWS,
            F.sum("late").alias("late"),
            F.sum("duplicates").alias("duplicates"),
            F.sum("conflicts").alias("conflicts"),
            F.count("start_ms").alias("windows"),
            F.max(end).alias("newest_end"),
        )
        .where(F.col("start_ms").isNotNull())
        .select(
            F.concat_ws("/", started, "sensor", "device_id").alias("_id"),
            F.struct(start.alias("start"), end.alias("end")).alias("window"),
            "device_id",
            "sensor",
            "avg",
            "min",
            "max",
            "count",
        )
    )


def transform(records: DataFrame, *, rules: WindowRules) -> DataFrame:
    """Kafka's records → documents of the aggregates' collection."""
    return windows(readings(records, rules=rules), rules=rules)
