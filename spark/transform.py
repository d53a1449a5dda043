"""Records of Kafka → valid readings → windows. Pure DataFrame → DataFrame, streaming or not; no Python on the executors.

The record rule is our Java class, the same as in the sink (stack/jvm/java).
"""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  # everybody's name for it

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


@dataclass(frozen=True, slots=True)
class WindowRules:
    """How windows are made; see `settings.JobSettings`."""

    window_s: int = limits.WINDOW_S
    watermark_s: int = limits.WATERMARK_S
    allowed_ahead_s: float = limits.MAX_FUTURE_S + 1.0


def parse(records: DataFrame, *, rules: WindowRules) -> DataFrame:
    """Judge records by the record rule, against the broker's stamp: no other clock counts.

    Args:
        records: Kafka's columns `value` (binary), `timestamp` (of the record), `offset`.

    Returns:
        device_id, sensor, timestamp, value, offset, canary, reason (code of a refusal; null for a reading, and only then the
        others are set), valid (never null).
    """
    records.sparkSession.udf.registerJavaFunction(_RULE, _RULE_CLASS, _VERDICT)
    settings = rule_settings(ahead_ms=round(1000 * rules.allowed_ahead_s))
    verdict = F.call_function(_RULE, F.col("value"), F.unix_millis("timestamp"), F.lit(settings))
    return records.select(verdict.alias("v"), "offset").select(
        F.col("v.device_id").alias("device_id"),
        F.col("v.sensor").alias("sensor"),
        F.timestamp_millis("v.time_ms").alias("timestamp"),
        F.col("v.value").alias("value"),
        "offset",
        F.coalesce((F.col("v.time_ms") == CANARY_TIME_MS) & F.col("v.device_id").startswith(CANARY_PREFIX), F.lit(False)).alias(
            "canary"
        ),
        F.col("v.reason").alias("reason"),
        F.col("v.reason").isNull().alias("valid"),
    )


def readings(records: DataFrame, *, rules: WindowRules) -> DataFrame:
    """The valid readings. How many were not is observed as `OBSERVED_INPUT`.invalid_rows.

    A reading stamped too far ahead of its arrival is not valid: it would push the watermark past everybody else.
    """
    parsed = parse(records, rules=rules).observe(
        OBSERVED_INPUT, F.count_if(~F.col("valid")).alias("invalid_rows"), F.count(F.lit(1)).alias("rows")
    )
    return parsed.where(F.col("valid") & ~F.col("canary")).select(*names.IDENTITY_FIELDS, "value", "offset")


def windows(valid: DataFrame, *, rules: WindowRules) -> DataFrame:
    """Tumbling windows by event time, as they are stored.

    Exact repetitions are dropped first, which is also where a reading older than the watermark is left out and counted, one by
    one. The readings of a window are then kept by their time, so that a correction (the same identity with another value)
    replaces what it corrects, as it does in the raw collection, and is counted as a conflict. Which of two is the later one
    says the record's offset: readings of one device are in one partition.

    Args:
        valid: device_id, sensor, timestamp, value, offset.

    Returns:
        _id, window {start, end}, device_id, sensor, avg, min, max, count (int). Corrections are observed as
        `OBSERVED_WINDOWS`.conflicts.
    """
    unique = valid.withWatermark("timestamp", f"{rules.watermark_s} seconds").dropDuplicatesWithinWatermark(
        [*names.IDENTITY_FIELDS, "value"]
    )
    grouped = unique.groupBy(F.window("timestamp", f"{rules.window_s} seconds").alias("window"), "device_id", "sensor").agg(
        F.sort_array(F.collect_list(F.struct("timestamp", "offset", "value"))).alias("all")
    )
    # Sorted by time and offset: the last of each time is the one that counts.
    is_last = F.filter("all", lambda r, i: (i == F.size("all") - 1) | (r["timestamp"] != F.get("all", i + 1)["timestamp"]))
    kept = grouped.withColumn("kept", F.transform(is_last, lambda r: r["value"]))
    count = F.size("kept")
    total = F.aggregate("kept", F.lit(0.0), lambda acc, v: acc + v)
    start = F.date_format(F.col("window.start"), "yyyy-MM-dd'T'HH:mm:ss'Z'")
    return (
        kept.withColumn("conflicts", F.size("all") - count)
        .observe(
            OBSERVED_WINDOWS,
            F.sum("conflicts").alias("conflicts"),
            F.count(F.lit(1)).alias("windows"),
            F.max("window.end").alias("newest_end"),
        )
        .select(
            F.concat_ws("/", start, "sensor", "device_id").alias("_id"),
            "window",
            "device_id",
            "sensor",
            (total / count).alias("avg"),
            F.array_min("kept").alias("min"),
            F.array_max("kept").alias("max"),
            count.alias("count"),
        )
    )


def transform(records: DataFrame, *, rules: WindowRules) -> DataFrame:
    """Kafka's records → documents of the aggregates' collection."""
    return windows(readings(records, rules=rules), rules=rules)
