"""What the job says of itself."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from backend.contract.names import TOPIC_MESSAGES
from spark.progress import Progress


def batch(*, late: int = 0, invalid: int = 0, end: int = 100, latest: int = 100, took_ms: int = 400) -> dict[str, Any]:
    return {
        "batchId": 7,
        "timestamp": "2026-11-24T05:00:00.000Z",
        "numInputRows": 50,
        "inputRowsPerSecond": 50.0,
        "processedRowsPerSecond": 100.0,
        "durationMs": {"triggerExecution": took_ms},
        "eventTime": {"watermark": "2026-11-24T04:59:57.000Z"},
        "stateOperators": [{"numRowsTotal": 3, "memoryUsedBytes": 10}],
        "sources": [
            {
                "startOffset": {TOPIC_MESSAGES: {"0": 50}},
                "endOffset": {TOPIC_MESSAGES: {"0": end}},
                "latestOffset": {TOPIC_MESSAGES: {"0": latest}},
            }
        ],
        "observedMetrics": {
            "input": {"invalid_rows": invalid, "rows": 50},
            "windows": {"late": late, "conflicts": 1, "duplicates": 4, "windows": 2},
        },
    }


@pytest.fixture
def job() -> Progress:
    return Progress(job="aggregate", topic=TOPIC_MESSAGES, trigger_s=1.0)


def test_counts_add_up_since_the_start(job: Progress) -> None:
    job.add(batch(late=2, invalid=1))
    document = job.add(batch(late=3, latest=140))
    assert document["_id"] == "aggregate"
    assert (document["late_rows"], document["invalid_rows"], document["conflicts"], document["windows_total"]) == (5, 1, 2, 4)
    assert document["duplicates"] == 8
    assert document["partitions"] == {"0": {"start": 50, "end": 100, "lag": 40}}
    assert document["lag"] == 40


def test_counters_name_the_offsets_at_which_they_begin(job: Progress) -> None:
    assert job.add(batch())["first_offsets"] == {"0": 50}
    later = batch(end=180, latest=180)
    later["sources"][0]["startOffset"][TOPIC_MESSAGES]["0"] = 100
    later["sources"][0]["endOffset"][TOPIC_MESSAGES]["1"] = 7
    assert job.add(later)["first_offsets"] == {"0": 50, "1": 0}


def test_it_says_how_far_behind_it_is_and_why(job: Progress) -> None:
    job.add(batch(latest=1500, took_ms=3100))
    assert job.hint() == "Spark is 14 s behind because batches take 3.1 s"


def test_silence_is_told_unless_there_is_nothing_to_do(job: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    job.add(batch())
    monkeypatch.setattr(time, "monotonic", lambda: now + 40)
    assert "has finished no batch for" in job.hint()
    job.idle()
    assert job.hint() == ""


def test_the_watermark_follows_the_newest_reading_and_never_goes_back() -> None:
    job = Progress(job="aggregate", topic=TOPIC_MESSAGES, trigger_s=1.0, watermark_s=3)
    found = batch()
    found["eventTime"]["watermark"] = "2026-11-24T04:59:50.000Z"  # Spark's own, in steps of a window
    found["observedMetrics"]["input"]["newest_ms"] = 1_795_496_398_500
    assert job.add(found)["watermark"] == datetime(2026, 11, 24, 4, 59, 55, 500_000, UTC)
    found["observedMetrics"]["input"]["newest_ms"] = 1_795_496_000_000
    assert job.add(found)["watermark"] == datetime(2026, 11, 24, 4, 59, 55, 500_000, UTC)
    assert job.add(batch())["watermark"] == datetime(2026, 11, 24, 4, 59, 57, tzinfo=UTC)
