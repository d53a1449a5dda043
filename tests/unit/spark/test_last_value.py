"""Of readings with the same identity the last counts in their window."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import DoubleType, LongType, StringType, StructField, StructType, TimestampType

from backend.contract.times import to_datetime
from spark.transform import WindowRules, windows

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

VALID = StructType(
    [
        StructField("device_id", StringType()),
        StructField("sensor", StringType()),
        StructField("timestamp", TimestampType()),
        StructField("value", DoubleType()),
        StructField("offset", LongType()),
    ]
)
#: A whole window's start.
BASE_MS = 1_700_000_000_000


def average(spark: SparkSession, folder: Path, values: Sequence[float]) -> float:
    """Average of the window of one reading that comes with these values one after the other, in a stream."""
    source, out = folder / "in", folder / "out"
    rows = [("a", "temperature", to_datetime(BASE_MS + 1000), value, offset) for offset, value in enumerate(values)]
    # A reading a minute later closes the window.
    rows.append(("b", "temperature", to_datetime(BASE_MS + 60_000), 0.0, len(values)))
    for number, row in enumerate(rows):
        spark.createDataFrame([row], VALID).coalesce(1).write.parquet(str(source / f"{number:03}"))
    stream = spark.readStream.schema(VALID).option("maxFilesPerTrigger", 1).parquet(str(source / "*"))
    query = (
        windows(stream, rules=WindowRules())
        .writeStream.trigger(availableNow=True)
        .option("checkpointLocation", str(folder / "checkpoint"))
        .format("parquet")
        .option("path", str(out))
        .start()
    )
    assert query.awaitTermination(240)
    (window,) = spark.read.parquet(str(out)).where("device_id = 'a'").collect()
    return float(window["avg"])


def test_a_correction_replaces_what_it_corrects(spark: SparkSession, tmp_path: Path) -> None:
    assert average(spark, tmp_path, [10.0, 20.0]) == 20.0


@pytest.mark.xfail(
    strict=True, reason="row 8: exact repetitions are dropped before the last is chosen; the new aggregate operator mends it"
)
def test_a_value_that_comes_back_counts_again(spark: SparkSession, tmp_path: Path) -> None:
    assert average(spark, tmp_path, [10.0, 20.0, 10.0]) == 10.0
