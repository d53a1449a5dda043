"""The checkpoint against the topic: wiped, made anew, aged out, or fine."""

import json
from pathlib import Path

import pytest

from spark.checkpoint import (
    DamagedCheckpointError,
    Position,
    ResetNeededError,
    TopicRange,
    check,
    read_position,
    remember_topic,
    set_aside_unfinished,
)

TOPIC = "processed_messages"


def topic(begin: int = 0, end: int = 100, topic_id: str = "A") -> TopicRange:
    return TopicRange(topic_id, {0: begin}, {0: end})


def position(done: int = 50, planned: int = 60, topic_id: str = "A") -> Position:
    return Position(topic_id, {0: done}, {0: planned})


def test_no_checkpoint_fits_every_topic() -> None:
    check(None, topic(), name=TOPIC)


@pytest.mark.parametrize(
    ("begin", "end"),
    [(0, 100), (50, 100), (0, 60)],
    ids=["in the middle", "aged out up to where it stands", "at its end"],
)
def test_what_fits(begin: int, end: int) -> None:
    check(position(), topic(begin, end), name=TOPIC)


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
        check(position(), found, name=TOPIC)
    assert "python -m" not in str(caught.value)  # the target says the command: it knows the data folder


def test_an_unknown_topic_id_is_no_other_topic() -> None:
    check(position(topic_id=""), topic(), name=TOPIC)
    check(position(), topic(topic_id=""), name=TOPIC)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Three batches planned, two of them committed."""
    (tmp_path / "commits").mkdir()
    (tmp_path / "offsets").mkdir()
    for n, offset in ((0, 10), (1, 20), (2, 30)):
        lines = ["v1", json.dumps({"batchWatermarkMs": 0}), json.dumps({TOPIC: {"0": offset, "1": offset + 1}})]
        (tmp_path / "offsets" / str(n)).write_text("\n".join(lines), encoding="utf-8")
        (tmp_path / "offsets" / f".{n}.crc").write_bytes(b"crc")
    for n in (0, 1):
        (tmp_path / "commits" / str(n)).write_text("v1\n{}", encoding="utf-8")
    (tmp_path / "metadata").write_text('{"id":"x"}', encoding="utf-8")
    remember_topic(tmp_path, "A")
    return tmp_path


def test_the_position_is_read_from_sparks_own_logs(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert read_position(tmp_path_factory.mktemp("none"), TOPIC) is None
    assert read_position(directory, TOPIC) == Position("A", {0: 20, 1: 21}, {0: 30, 1: 31})
    assert set_aside_unfinished(directory) == ""


@pytest.mark.parametrize("content", [b"", b"\0" * 40, b"\n"])
def test_an_empty_plan_of_a_batch_that_was_never_committed_is_set_aside(directory: Path, content: bytes) -> None:
    (directory / "offsets" / "2").write_bytes(content)
    assert "offsets/2" in set_aside_unfinished(directory)
    assert read_position(directory, TOPIC) == Position("A", {0: 20, 1: 21}, {0: 20, 1: 21})
    assert not (directory / "offsets" / ".2.crc").exists()
    assert (directory / "set-aside" / "offsets-2").read_bytes() == content
    assert set_aside_unfinished(directory) == ""


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("offsets/1", b"", "empty"),
        ("offsets/2", b'v1\n{}\n{"processed_mess', "does not hold offsets"),
        ("commits/1", b"", "empty"),
        ("commits/1", b"\0\0", "empty"),
        ("commits/1", b"v1", "incomplete"),
        ("paai-topic.json", b"", "empty"),
        ("paai-topic.json", b"[]", "no JSON object"),
        ("paai-topic.json", b"\xff\xfe", "no text"),
        ("metadata", b"", "empty"),
    ],
)
def test_other_damage_is_named_with_its_file_and_needs_a_reset(directory: Path, file: str, content: bytes, why: str) -> None:
    (directory / file).write_bytes(content)
    assert set_aside_unfinished(directory) == ""
    with pytest.raises(DamagedCheckpointError, match=f"The file {file} of the checkpoint is damaged: .*{why}"):
        read_position(directory, TOPIC)


def test_an_empty_plan_of_a_committed_batch_is_damage(directory: Path) -> None:
    (directory / "commits" / "2").write_text("v1\n{}", encoding="utf-8")
    (directory / "offsets" / "2").write_bytes(b"")
    assert set_aside_unfinished(directory) == ""
    with pytest.raises(DamagedCheckpointError, match="offsets/2"):
        read_position(directory, TOPIC)
