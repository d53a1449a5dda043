"""The checkpoint against the topic: wiped, made anew, aged out, or fine."""

import json
from pathlib import Path

import pytest

from spark.checkpoint import Position, ResetNeededError, TopicRange, check, read_position, remember_topic

TOPIC = "processed_messages"


def topic(begin: int = 0, end: int = 100, topic_id: str = "A") -> TopicRange:
    return TopicRange(topic_id, {0: begin}, {0: end})


def position(done: int = 50, planned: int = 60, topic_id: str = "A") -> Position:
    return Position(topic_id, {0: done}, {0: planned})


def test_no_checkpoint_fits_every_topic() -> None:
    check(None, topic(), name=TOPIC, service="spark-job")


@pytest.mark.parametrize(
    ("begin", "end"),
    [(0, 100), (50, 100), (0, 60)],
    ids=["in the middle", "aged out up to where it stands", "at its end"],
)
def test_what_fits(begin: int, end: int) -> None:
    check(position(), topic(begin, end), name=TOPIC, service="spark-job")


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (topic(topic_id="B"), "removed and created again"),
        (topic(end=59), "partition 0 ends at 59, Spark had already read up to 60"),
        (TopicRange("A", {}, {}), "ends at nothing"),
        (topic(begin=51), "partition 0 begins at 51, Spark had read up to 50"),
    ],
)
def test_what_does_not_fit_says_what_to_do(found: TopicRange, says: str) -> None:
    with pytest.raises(ResetNeededError, match=says) as caught:
        check(position(), found, name=TOPIC, service="spark-job")
    assert "python -m stack reset spark-job" in str(caught.value)


def test_an_unknown_topic_id_is_no_other_topic() -> None:
    check(position(topic_id=""), topic(), name=TOPIC, service="spark-job")
    check(position(), topic(topic_id=""), name=TOPIC, service="spark-job")


def test_the_position_is_read_from_sparks_own_logs(tmp_path: Path) -> None:
    assert read_position(tmp_path, TOPIC) is None
    for n, offset in ((0, 10), (1, 20), (2, 30)):
        (tmp_path / "offsets").mkdir(exist_ok=True)
        lines = ["v1", json.dumps({"batchWatermarkMs": 0}), json.dumps({TOPIC: {"0": offset, "1": offset + 1}})]
        (tmp_path / "offsets" / str(n)).write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "commits").mkdir()
    for n in (0, 1):
        (tmp_path / "commits" / str(n)).write_text("v1\n{}", encoding="utf-8")
    remember_topic(tmp_path, "A")
    assert read_position(tmp_path, TOPIC) == Position("A", {0: 20, 1: 21}, {0: 30, 1: 31})
