"""Records of Kafka → windows, against brute force in Python."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import BinaryType, IntegerType, LongType, StringType, StructField, StructType, TimestampType

from backend.contract import names
from backend.contract.canary import CANARY_TIME_MS, new_canary_id
from backend.contract.limits import FIRST_TIME_MS
from backend.contract.times import to_datetime, to_iso
from spark.transform import OBSERVED_INPUT, OBSERVED_WINDOWS, WindowRules, parse, transform

pytestmark = [
    pytest.mark.timeout(300),
    # pyspark looks at the pandas that is installed and says what it thinks of it.
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

RECORDS = StructType(
    [
        StructField("value", BinaryType()),
        StructField("timestamp", TimestampType()),
        StructField("topic", StringType()),
        StructField("partition", IntegerType()),
        StructField("offset", LongType()),
    ]
)
RULES = WindowRules()
#: A whole window's start.
BASE_MS = 1_700_000_000_000

#: (device_id, sensor, time in ms, value)
Reading = tuple[str, str, int, float]


def value(device_id: str, sensor: str, t_ms: int, number: object) -> bytes:
    return json.dumps({"device_id": device_id, "timestamp": to_iso(t_ms), "sensor": sensor, "value": number}).encode()


def records(spark: SparkSession, values: Sequence[bytes | None], *, published_ms: int = BASE_MS + 60_000) -> DataFrame:
    published = to_datetime(published_ms)
    return spark.createDataFrame([(v, published, names.TOPIC_MESSAGES, 0, n) for n, v in enumerate(values)], RECORDS)


def brute_force(readings: Sequence[Reading]) -> dict[str, tuple[float, float, float, int]]:
    """avg, min, max, count by the window's id; the last of one identity counts."""
    last = {(d, s, t): v for d, s, t, v in readings}
    windows: dict[str, list[float]] = {}
    for (device_id, sensor, t), v in last.items():
        start = datetime.fromtimestamp(t // 10_000 * 10, UTC)
        windows.setdefault(f"{start:%Y-%m-%dT%H:%M:%SZ}/{sensor}/{device_id}", []).append(v)
    return {key: (sum(v) / len(v), min(v), max(v), len(v)) for key, v in windows.items()}


def as_dict(frame: DataFrame) -> dict[str, tuple[float, float, float, int]]:
    rows = frame.collect()
    assert len({r["_id"] for r in rows}) == len(rows)
    for row in rows:
        assert row["window"]["end"] - row["window"]["start"] == timedelta(seconds=10)
        assert row["_id"].endswith(f"/{row['sensor']}/{row['device_id']}")
    return {r["_id"]: (r["avg"], r["min"], r["max"], r["count"]) for r in rows}


def made(seed: int, n: int) -> list[Reading]:
    """Readings of a few devices over half a minute: shuffled, with duplicates and corrections."""
    rng = random.Random(seed)
    sensors = ("temperature", "humidity")
    readings: list[Reading] = [
        (f"d{rng.randrange(3)}", rng.choice(sensors), BASE_MS + rng.randrange(30_000), round(rng.uniform(0, 50), 2))
        for _ in range(n)
    ]
    readings += rng.sample(readings, n // 5)  # delivered twice
    readings += [(d, s, t, v + 1) for d, s, t, v in rng.sample(readings, n // 10)]  # corrected later
    # Edges of a window belong to the one that begins there.
    readings += [("edge", "humidity", BASE_MS + 10_000, 1.0), ("edge", "humidity", BASE_MS + 9_999, 3.0)]
    head = readings[:n]
    rng.shuffle(head)
    return head + readings[n:]


class Stream:
    """The transform as a stream: one file is one batch."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self._spark, self._folder, self._source = spark, folder, folder / "in"
        self._source.mkdir()
        self._offset = self._batches = 0
        self._out: dict[int, dict[str, tuple[float, float, float, int]]] = {}
        self.begin()

    def begin(self) -> None:
        """Start the query, also again from its checkpoint."""
        schema = "value string, timestamp timestamp, topic string, partition int, offset long"
        frame = self._spark.readStream.schema(schema).option("maxFilesPerTrigger", 1).json(str(self._source))
        binary = frame.selectExpr("cast(value as binary) as value", "timestamp", "topic", "partition", "offset")
        self._query = (
            transform(binary, rules=RULES)
            .writeStream.foreachBatch(self._keep)
            .option("checkpointLocation", str(self._folder / "checkpoint"))
            .outputMode("append")
            .start()
        )

    def _keep(self, frame: DataFrame, batch: int) -> None:
        self._out[batch] = as_dict(frame)

    def take(
        self, readings: Sequence[Reading], *, arrival_ms: int = BASE_MS + 90_000, partition: int = 0, heartbeat: bool = False
    ) -> None:
        """One batch, worked off."""
        lines = [self._record(value(*r).decode(), arrival_ms, names.TOPIC_MESSAGES, partition) for r in readings]
        if heartbeat:
            lines.append(self._record("", arrival_ms, names.TOPIC_HEARTBEATS, 0))
        staged = self._folder / f"{self._batches}.json"
        staged.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        staged.rename(self._source / staged.name)
        self._batches += 1
        self._query.processAllAvailable()

    def _record(self, text: str, arrival_ms: int, topic: str, partition: int) -> dict[str, object]:
        self._offset += 1
        arrival = to_iso(arrival_ms)
        return {"value": text, "timestamp": arrival, "topic": topic, "partition": partition, "offset": self._offset}

    @property
    def closed(self) -> dict[str, tuple[float, float, float, int]]:
        """The windows so far, as a collection that replaces by `_id` has them."""
        return {key: window for batch in sorted(self._out) for key, window in self._out[batch].items()}

    def counted(self, name: str, of: str = OBSERVED_WINDOWS) -> int:
        """The sum of an observed figure since the query's start."""
        return sum(int(p["observedMetrics"].get(of, {}).get(name) or 0) for p in self._progress)

    @property
    def watermark(self) -> str:
        return str(self._progress[-1]["eventTime"]["watermark"])

    @property
    def state_bytes(self) -> int:
        """Bytes that the last batch wrote into the state."""
        return max(file.stat().st_size for file in self._folder.glob("checkpoint/state/0/*/*.delta"))

    @property
    def batches(self) -> int:
        return len(self._progress)

    @property
    def _progress(self) -> list[dict[str, Any]]:
        return [json.loads(p.json) for p in self._query.recentProgress if p.observedMetrics]

    def stop(self) -> None:
        """End the query."""
        self._query.stop()


@pytest.fixture
def stream(spark: SparkSession, tmp_path: Path) -> Iterator[Stream]:
    running = Stream(spark, tmp_path)
    yield running
    running.stop()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_windows_equal_brute_force(stream: Stream, seed: int) -> None:
    readings = made(seed, 60)
    stream.take(readings)
    stream.take([("closer", "humidity", BASE_MS + 60_000, 1.0)])
    found = stream.closed
    wanted = brute_force(readings)
    assert found.keys() == wanted.keys()
    for key, (avg, low, high, count) in wanted.items():
        assert found[key][1:] == (low, high, count), key
        assert found[key][0] == pytest.approx(avg, rel=1e-12)


BAD: dict[str, bytes | None] = {
    "not JSON": b"{",
    "no value": None,
    "a list": b"[1]",
    "a value that is text": value("d", "humidity", BASE_MS, "50"),
    "NaN": value("d", "humidity", BASE_MS, 1).replace(b": 1}", b": NaN}"),
    "too much": value("d", "humidity", BASE_MS, 101),
    "an unknown sensor": value("d", "colour", BASE_MS, 1),
    "an empty id": value("", "humidity", BASE_MS, 1),
    "an id that is a number": value("7", "humidity", BASE_MS, 1).replace(b'"7"', b"7"),
    "a time without zone": value("d", "humidity", BASE_MS, 1).replace(b"Z", b""),
    "a time that is a number": b'{"device_id": "d", "timestamp": 1700000000, "sensor": "humidity", "value": 1}',
    "the year 9999": value("d", "humidity", 253_402_300_000_000, 1),
    "far ahead of its own record": value("d", "humidity", BASE_MS + 60_000 + 5_000, 1),
}


@pytest.mark.parametrize("why", BAD)
def test_what_is_no_reading_is_left_out(spark: SparkSession, why: str) -> None:
    good = value("d", "humidity", BASE_MS, 50)
    parsed = parse(records(spark, [good, BAD[why]]), rules=RULES).collect()
    assert [row["valid"] for row in parsed] == [True, False]


def test_the_test_reading_makes_no_window(stream: Stream) -> None:
    stream.take([(new_canary_id(), "temperature", CANARY_TIME_MS, 20.0), ("d", "temperature", BASE_MS, 21.0)])
    stream.take([("closer", "humidity", BASE_MS + 60_000, 1.0)])
    assert [key.rpartition("/")[2] for key in stream.closed] == ["d"]


def test_devices_named_like_the_test_reading_have_windows(stream: Stream) -> None:
    like = sorted(["paai-canary", new_canary_id()])
    stream.take([(device_id, "temperature", BASE_MS, 20.0) for device_id in like])
    stream.take([("closer", "humidity", BASE_MS + 60_000, 1.0)])
    assert sorted(key.rpartition("/")[2] for key in stream.closed) == like


def test_windows_close_and_late_readings_are_left_out_and_counted(stream: Stream) -> None:
    stream.take([("d", "humidity", BASE_MS + s * 1000, 40.0 + s) for s in range(10)])
    stream.take([("d", "humidity", BASE_MS + 8_000, 48.0), ("d", "humidity", BASE_MS + 13_500, 60.0)])  # a duplicate; moves on
    stream.take([("d", "humidity", BASE_MS + 7_500, 99.0), ("d", "humidity", BASE_MS + 14_000, 61.0)])  # too late; on time
    stream.take([("d", "humidity", BASE_MS + 30_000, 70.0)])
    assert sorted(stream.closed.items()) == [
        ("2023-11-14T22:13:20Z/humidity/d", (44.5, 40.0, 49.0, 10)),
        ("2023-11-14T22:13:30Z/humidity/d", (60.5, 60.0, 61.0, 2)),
    ]
    assert (stream.counted("late"), stream.counted("duplicates")) == (1, 1)


def test_readings_from_before_the_epoch_are_late_and_counted(stream: Stream) -> None:
    stream.take([("d", "humidity", BASE_MS, 1.0)])
    stream.take([("d", "humidity", FIRST_TIME_MS, 2.0), ("d", "humidity", -1, 3.0)])
    stream.take([("closer", "humidity", BASE_MS + 60_000, 1.0)])
    assert stream.counted("late") == 2
    assert [key.partition("/")[0] for key in stream.closed] == ["2023-11-14T22:13:20Z"]


def test_a_time_from_before_the_epoch_is_read_as_it_is(spark: SparkSession) -> None:
    times = [FIRST_TIME_MS, FIRST_TIME_MS + 1, -1, 0]
    parsed = parse(records(spark, [value("d", "humidity", t, 50) for t in times]), rules=RULES)
    rows = parsed.select("valid", "time_ms").collect()
    assert [(row["valid"], row["time_ms"]) for row in rows] == [(True, t) for t in times]


def test_a_heartbeat_makes_open_windows_leave_and_nothing_late(stream: Stream) -> None:
    """A fleet behind an outage: what it sends afterwards counts as it would without the heartbeat."""
    before = [("d", "humidity", BASE_MS + s * 1000, 40.0 + s) for s in range(13)]
    before.append(("quiet", "humidity", BASE_MS + 9_500, 5.0))
    after = [("d", "humidity", BASE_MS + s * 1000, 40.0 + s) for s in range(13, 40)]
    after += [("quiet", "humidity", BASE_MS + 9_900, 7.0), ("new", "humidity", BASE_MS + 12_000, 8.0)]
    stream.take(before[:8])
    stream.take(before[8:])
    watermark = stream.watermark
    stream.take([], heartbeat=True)
    assert stream.closed == brute_force(before)
    stream.take([], heartbeat=True)
    assert stream.watermark == watermark
    stream.take([*after[-2:], *after[:6]])
    assert stream.counted("late") == 0
    stream.stop()
    stream.begin()
    stream.take(after[6:-2])
    stream.take([("closer", "humidity", BASE_MS + 60_000, 1.0)])
    assert stream.closed == brute_force(before + after)
    assert stream.counted("late") == 0


def test_a_heartbeat_counts_nowhere(stream: Stream) -> None:
    stream.take([("d", "humidity", BASE_MS, 1.0)], heartbeat=True)
    assert (stream.counted("rows", OBSERVED_INPUT), stream.counted("invalid_rows", OBSERVED_INPUT)) == (1, 0)
    assert [key.rpartition("/")[2] for key in stream.closed] == ["d"]


def test_the_watermark_moves_when_a_window_closes(stream: Stream) -> None:
    """Readings in between run no batch without data."""
    for second in range(13):
        stream.take([("d", "humidity", BASE_MS + second * 1000, 1.0)])
    batches = stream.batches
    assert stream.watermark == to_iso(BASE_MS)
    stream.take([("d", "humidity", BASE_MS + 13_000, 1.0)])
    assert stream.watermark == to_iso(BASE_MS + 10_000)
    assert stream.batches == batches + 2
    assert stream.closed == brute_force([("d", "humidity", BASE_MS + s * 1000, 1.0) for s in range(10)])
