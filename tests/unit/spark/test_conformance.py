"""Every conformance vector through the aggregate job's transform."""

import pytest
from pyspark.sql import Row, SparkSession

from backend.contract.names import TOPIC_MESSAGES
from backend.contract.times import to_datetime, to_iso
from spark.transform import WindowRules, parse, readings
from tests.conformance import vectors
from tests.unit.spark.test_transform import RECORDS

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

VECTORS = vectors.records()


def stored(row: Row) -> dict[str, object]:
    """The fields of a reading as a vector has them."""
    return {key: row[key] for key in ("device_id", "sensor", "value")} | {"timestamp": to_iso(row["time_ms"])}


def test_every_vector_has_its_verdict(spark: SparkSession) -> None:
    records = [(vector.value, to_datetime(vector.arrival_ms), TOPIC_MESSAGES, 0, n) for n, vector in enumerate(VECTORS)]
    frame = spark.createDataFrame(records, RECORDS)
    judged = parse(frame, rules=WindowRules()).orderBy("offset").collect()
    assert len(judged) == len(VECTORS) > 200
    for row, vector in zip(judged, VECTORS, strict=True):
        assert (row["reason"] or "") == vector.reason, vector.name
        assert row["valid"] is (vector.stored is not None), vector.name
        if vector.stored is not None:
            assert stored(row) == vector.stored, vector.name
            assert type(row["value"]) is float

    kept = {row["offset"] for row in readings(frame, rules=WindowRules()).select("offset").collect()}
    assert kept == {n for n, vector in enumerate(VECTORS) if vector.stored is not None}


def test_the_brokers_stamp_counts_and_no_clock_of_the_driver(spark: SparkSession) -> None:
    """Also where the driver's clock is years behind or ahead."""
    for arrival_ms in (1_700_000_000_000, 32_503_680_000_000):
        values = [
            f'{{"device_id":"d","timestamp":"{to_iso(arrival_ms + ahead)}","sensor":"humidity","value":1}}'.encode()
            for ahead in (2_000, 2_001)
        ]
        frame = spark.createDataFrame(
            [(value, to_datetime(arrival_ms), TOPIC_MESSAGES, 0, n) for n, value in enumerate(values)], RECORDS
        )
        assert [row["reason"] for row in parse(frame, rules=WindowRules()).orderBy("offset").collect()] == [None, "future"]
