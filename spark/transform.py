"""Records of Kafka → valid readings → windows. Pure DataFrame → DataFrame, streaming or not; no Python on the executors."""

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  # everybody's name for it
from pyspark.sql.types import DoubleType, StringType, StructField, StructType

from backend.contract import limits, names
from backend.contract.devices import DEVICE_TYPES

#: The value of a record. All else in it is ignored.
MESSAGE_SCHEMA = StructType(
    [
        StructField("device_id", StringType()),
        StructField("timestamp", StringType()),
        StructField("sensor", StringType()),
        StructField("value", DoubleType()),
    ]
)

#: How the wire writes times, and nothing else: what the sink refuses is no reading here either.
_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
#: `from_json` would turn a number into text; the sink refuses it.
_TEXT_ID = r'"device_id"\s*:\s*"'
#: A record's own time is believed up to this far ahead of the clock here, in seconds.
_RECORD_AHEAD_S = 60

OBSERVED_INPUT = "input"
OBSERVED_WINDOWS = "windows"


@dataclass(frozen=True, slots=True)
class WindowRules:
    """How windows are made; see `settings.JobSettings`."""

    window_s: int = limits.WINDOW_S
    watermark_s: int = limits.WATERMARK_S
    allowed_ahead_s: float = limits.MAX_FUTURE_S + 1.0


def parse(records: DataFrame, *, rules: WindowRules) -> DataFrame:
    """Readings as they came, with a column that says whether they are valid.

    Args:
        records: Kafka's columns `value` (binary), `timestamp` (of the record), `offset`.

    Returns:
        device_id, sensor, timestamp, value, offset, canary, valid (never null).
    """
    text = F.col("value").cast("string")
    message = F.from_json(text, MESSAGE_SCHEMA, {"allowNonNumericNumbers": "false"})
    time = F.when(F.col("m.timestamp").rlike(_TIME), F.col("m.timestamp").try_cast("timestamp"))
    parsed = records.select(text.alias("text"), message.alias("m"), F.col("timestamp").alias("published"), "offset").select(
        F.col("m.device_id").alias("device_id"),
        F.col("m.sensor").alias("sensor"),
        time.alias("timestamp"),
        F.col("m.value").alias("value"),
        "offset",
        "published",
        "text",
    )
    in_range = reduce(
        Column.__or__,
        [(F.col("sensor") == t.sensor) & F.col("value").between(t.minimum, t.maximum) for t in DEVICE_TYPES],
    )
    newest = F.least("published", F.current_timestamp() + F.make_dt_interval(secs=F.lit(_RECORD_AHEAD_S)))
    not_ahead = F.col("timestamp") <= newest + F.make_dt_interval(secs=F.lit(rules.allowed_ahead_s))
    good_id = F.length("device_id").between(1, limits.MAX_DEVICE_ID_CHARS) & F.col("text").rlike(_TEXT_ID)
    return parsed.select(
        "device_id",
        "sensor",
        "timestamp",
        "value",
        "offset",
        F.coalesce(F.col("device_id") == names.CANARY_DEVICE_ID, F.lit(False)).alias("canary"),
        F.coalesce(good_id & in_range & not_ahead, F.lit(False)).alias("valid"),
    )


def readings(records: DataFrame, *, rules: WindowRules) -> DataFrame:
    """The valid readings. How many were not is observed as `OBSERVED_INPUT`.invalid_rows.

    A reading stamped too far ahead of its own record is not valid: it would push the watermark past everybody else.
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
