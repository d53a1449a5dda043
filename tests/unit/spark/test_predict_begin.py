"""Where the prediction job begins: ten minutes before now, or where it stood; and what of a warm-up is published."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spark.checkpoint import Position
from spark.predict_begin import Begin, begin_anew, published, remembered, skipped
from spark.predict_rows import Rows

NOW_MS = 1_700_000_000_000
PUBLISH_MS = NOW_MS


def position(**done: int) -> Position:
    by_partition = {int(name[1:]): offset for name, offset in done.items()}
    return Position("t", by_partition, by_partition)


def test_it_begins_ten_minutes_before_now_and_remembers_it(tmp_path: Path) -> None:
    begin = begin_anew(tmp_path / "new", now_ms=NOW_MS)

    assert begin == Begin(from_ms=NOW_MS - 600_000, publish_ms=NOW_MS)
    assert remembered(tmp_path / "new") == begin
    assert begin.sentence() == ""
    assert remembered(tmp_path) is None


def test_nothing_of_the_checkpoint_before_is_left(tmp_path: Path) -> None:
    (tmp_path / "offsets").mkdir()
    (tmp_path / "offsets" / "7").write_text("v1\n{}\n{}")
    (tmp_path / "paai-topic.json").write_text("{}")

    begin = begin_anew(tmp_path, now_ms=NOW_MS, skipped=12_345, why="The job was away for more than ten minutes.")

    assert [path.name for path in tmp_path.iterdir()] == ["begin.json"]
    assert begin.sentence() == "12\u202f345 readings were not scored. The job was away for more than ten minutes."


def test_a_damaged_file_of_the_begin_is_none(tmp_path: Path) -> None:
    (tmp_path / "begin.json").write_text("{}")
    assert remembered(tmp_path) is None


@pytest.mark.parametrize(
    ("where", "at", "missed"),
    [
        (None, {0: 100}, 0),
        (position(p0=100, p1=50), {0: 100, 1: 40}, 0),
        (position(p0=90, p1=50), {0: 100, 1: 40}, 10),
        (position(p0=90, p1=50), {0: 100, 1: 70}, 30),
        # Planned and never finished: it is read again.
        (position(), {0: 100}, 0),
    ],
)
def test_only_what_nobody_will_score_is_skipped(where: Position | None, at: dict[int, int], missed: int) -> None:
    assert skipped(where, at) == missed


def prediction(t_ms: int) -> dict[str, Any]:
    return {"_id": f"d/temperature/{t_ms}", "device_id": "d", "sensor": "temperature", "timestamp": t_ms}


def rows(*t_ms: int) -> dict[int, Rows]:
    zeros = np.zeros(len(t_ms))
    return {0: Rows(["d"] * len(t_ms), zeros.astype(np.int8), np.array(t_ms, dtype=np.int64), zeros)}


def test_the_warm_up_is_not_published() -> None:
    old, new = prediction(PUBLISH_MS - 1), prediction(PUBLISH_MS)
    found = published(
        [old, new], publish_ms=PUBLISH_MS, first_arrival_ms=PUBLISH_MS - 5, shards=rows(PUBLISH_MS - 1, PUBLISH_MS)
    )
    assert found == [new]


def test_a_reading_of_the_past_that_arrives_later_is_published_and_a_revised_verdict_of_the_warm_up_is_not() -> None:
    late, revised = prediction(PUBLISH_MS - 60_000), prediction(PUBLISH_MS - 1_000)
    found = published([revised, late], publish_ms=PUBLISH_MS, first_arrival_ms=PUBLISH_MS + 1, shards=rows(PUBLISH_MS - 60_000))
    assert found == [late]
