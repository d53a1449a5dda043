"""A batch of Spark → readings by shard, in the order of offsets; and the stream as a whole on files."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import BinaryType, IntegerType, LongType, StructField, StructType, TimestampType

from backend.contract.times import to_datetime, to_iso
from spark.predict import Batches, Counters, collect
from spark.predict_scorer import BatchScorer
from spark.predict_state import StateStore
from tests.helpers.models import bundle
from tests.unit.spark.test_predict_rows import NOW_MS, record

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

RECORDS = StructType(
    [
        StructField("partition", IntegerType()),
        StructField("offset", LongType()),
        StructField("value", BinaryType()),
        StructField("timestamp", TimestampType()),
    ]
)


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def write(self, documents: list[dict[str, object]]) -> None:
        self.rows += documents


def at(later_ms: int) -> datetime:
    return datetime.fromtimestamp((NOW_MS + later_ms) / 1000, UTC)


def test_readings_of_a_device_come_in_the_order_of_arrival_then_partition_and_offset(spark: SparkSession) -> None:
    rows: list[tuple[int, int, bytes | None, datetime]] = [
        (2, 7, record(value=4), at(1)),
        (1, 6, record(value=3), at(1)),
        (1, 5, record(value=2), at(1)),
        (0, 9, record(value=5), at(2)),
        (2, 6, record(value=1), at(0)),
        (1, 8, None, at(0)),
    ]

    found, first_arrival_ms = collect(spark.createDataFrame(rows, RECORDS))

    assert first_arrival_ms == NOW_MS
    (shard,) = found.shards.values()
    assert (shard.values.tolist(), found.refused) == ([1.0, 2.0, 3.0, 4.0, 5.0], 1)


def test_a_device_without_a_key_is_scored_once(spark: SparkSession, tmp_path: Path) -> None:
    """Its records lie on three partitions: one state of one device goes through all of them."""
    times = [NOW_MS + i * 1000 for i in range(12)]
    rows = [(i % 3, i // 3, record(timestamp=to_iso(t)), to_datetime(t)) for i, t in enumerate(times)]
    kept = Kept()
    scorer = BatchScorer(store=StateStore(tmp_path), model=lambda: bundle(version="v1"))
    Batches(scorer=scorer, sink=kept, counters=Counters())(spark.createDataFrame(rows, RECORDS), 0)  # type: ignore[arg-type]

    assert [row["timestamp"] for row in kept.rows] == times
    assert [row["expected"] is None for row in kept.rows] == [True] + [False] * 11  # a first reading has no expectation


@pytest.fixture
def folder(tmp_path: Path, spark: SparkSession) -> Iterator[Path]:
    yield tmp_path
    for query in spark.streams.active:
        query.stop()


def test_a_stream_is_scored_and_goes_on_where_it_stopped(spark: SparkSession, folder: Path) -> None:
    source, checkpoint = folder / "in", folder / "checkpoint"
    source.mkdir()

    def add(number: int) -> None:
        times = [NOW_MS + (10 * number + i) * 1000 for i in range(10)]
        rows = [
            (0, 10 * number + i, record(timestamp=to_datetime(t).isoformat(timespec="milliseconds")[:23] + "Z"), to_datetime(t))
            for i, t in enumerate(times)
        ]
        spark.createDataFrame(rows, RECORDS).coalesce(1).write.mode("append").parquet(str(source))

    def run() -> tuple[Kept, Counters]:
        kept, counters = Kept(), Counters()
        scorer = BatchScorer(store=StateStore(checkpoint / "shards"), model=lambda: bundle(version="v1"))
        batches = Batches(scorer=scorer, sink=kept, counters=counters)  # type: ignore[arg-type]
        stream = spark.readStream.schema(RECORDS).parquet(str(source))
        query = (
            stream.writeStream.trigger(availableNow=True)
            .option("checkpointLocation", str(checkpoint))
            .foreachBatch(batches)
            .start()
        )
        assert query.awaitTermination(120)
        return kept, counters

    add(0)
    first, counters = run()
    add(1)
    second, _ = run()

    assert counters.values()["scored"] == 10
    assert [row["expected"] is None for row in first.rows[:2]] == [True, False]
    assert len(second.rows) == 10
    assert second.rows[0]["expected"] is not None  # the state came back
