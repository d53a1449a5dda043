"""Checkpoints of earlier plans: set aside, and the job begins at their offsets less the open windows."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from spark import checkpoint_version
from spark.checkpoint import DamagedCheckpointError, TopicRange, read_committed_watermark
from spark.checkpoint_version import ALWAYS, VERSION, Start

TOPIC = "processed_messages"
#: A whole window's start.
BASE_MS = 1_700_000_000_000
WHOLE = TopicRange("A", {0: 0, 1: 0}, {0: 900, 1: 900})


class Kafka:
    """One record each 100 ms on each partition; offset 0 arrived at `first_ms`."""

    def __init__(self, first_ms: int = BASE_MS - 100_000) -> None:
        self.first_ms = first_ms

    def offsets_at(self, arrival_ms: int) -> dict[int, int]:
        return {p: max(0, -(-(arrival_ms - self.first_ms) // 100)) for p in (0, 1)}

    def first_arrivals(self, topic: TopicRange) -> dict[int, int]:
        return {p: self.first_ms + 100 * begin for p, begin in topic.begin.items() if topic.end[p] > begin}


def old_checkpoint(folder: Path, *, batch: int = 4, watermark_ms: int = BASE_MS + 4_321, committed: bool = True) -> None:
    """As f3b9a5a's Spark leaves it."""
    for name in ("offsets", "commits", "state/0/0", "state/1/0", "sources/0"):
        (folder / name).mkdir(parents=True)
    for number, watermark in ((batch - 1, watermark_ms - 1000), (batch, watermark_ms)):
        metadata = json.dumps({"batchWatermarkMs": watermark, "batchTimestampMs": 0, "conf": {}})
        offsets = json.dumps({TOPIC: {"0": 800 + number, "1": 700 + number}})
        (folder / "offsets" / str(number)).write_text(f"v1\n{metadata}\n{offsets}")
        if committed or number < batch:
            (folder / "commits" / str(number)).write_text('v1\n{"nextBatchWatermarkMs":0}')
    (folder / "metadata").write_text('{"id":"x"}')
    (folder / "paai-topic.json").write_text('{"topic_id": "A"}')


def prepare(folder: Path, *, topic: TopicRange = WHOLE, kafka: Kafka | None = None, stored: bool = True) -> tuple[Start, str]:
    kafka = kafka or Kafka()
    return checkpoint_version.prepare(folder, topic, kafka, name=TOPIC, window_s=10, has_windows=lambda: stored)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_watermark_is_that_of_the_last_finished_batch(tmp_path: Path) -> None:
    assert read_committed_watermark(tmp_path) is None
    old_checkpoint(tmp_path, committed=False)
    assert read_committed_watermark(tmp_path) == BASE_MS + 3_321


def test_an_earlier_checkpoint_is_set_aside_and_its_open_windows_are_read_again(tmp_path: Path) -> None:
    old_checkpoint(tmp_path)
    start, said = prepare(tmp_path)
    # From a minute (and what a record may be ahead) before the first open window; offsets are 100 ms apart.
    assert start == Start({0: 380, 1: 380}, BASE_MS)
    assert "earlier version" in said
    (aside,) = (tmp_path / "set-aside").iterdir()
    assert names(aside) == {"offsets", "commits", "state", "sources", "metadata", "paai-topic.json"}
    assert names(tmp_path) == {"set-aside", "paai-version.json"}
    assert prepare(tmp_path) == (start, "")


def test_it_never_begins_behind_the_earlier_one(tmp_path: Path) -> None:
    """A job that was far behind: what it had not read is read."""
    old_checkpoint(tmp_path, watermark_ms=BASE_MS + 4_321)
    start, _ = prepare(tmp_path, kafka=Kafka(first_ms=BASE_MS - 1_000_000))
    assert start.offsets == {0: 804, 1: 704}


def test_a_move_that_was_broken_off_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_checkpoint(tmp_path)
    replace = Path.replace
    moved: list[Path] = []

    def fail(path: Path, target: Path) -> Path:
        if "set-aside" in str(target):
            moved.append(path)
            if len(moved) == 3:
                raise OSError(28, "No space left on device")
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(OSError, match="No space"):
            prepare(tmp_path)
    start, said = prepare(tmp_path)
    assert start == Start({0: 380, 1: 380}, BASE_MS)
    assert said
    assert names(tmp_path) == {"set-aside", "paai-version.json"}


def test_a_first_start_reads_all_and_writes_all(tmp_path: Path) -> None:
    assert prepare(tmp_path / "new", stored=False) == (Start({}, ALWAYS), "")


@pytest.mark.parametrize(
    ("begin", "first_whole"),
    [
        # Complete, or made anew: only what began before its first record may have had readings before it.
        ({0: 0, 1: 0}, BASE_MS - 100_000 + 10_000),
        # Aged out on one partition.
        ({0: 0, 1: 500}, BASE_MS - 50_000 + 10_000),
    ],
)
def test_without_a_checkpoint_stored_windows_are_kept_where_readings_are_gone(
    tmp_path: Path, begin: Mapping[int, int], first_whole: int
) -> None:
    """After `stack reset`."""
    start, _ = prepare(tmp_path / "new", topic=TopicRange("A", begin, WHOLE.end))
    assert start == Start({}, first_whole)


def test_open_windows_whose_readings_aged_out_are_kept(tmp_path: Path) -> None:
    old_checkpoint(tmp_path)
    start, _ = prepare(tmp_path, topic=TopicRange("A", {0: 500, 1: 700}, WHOLE.end), kafka=Kafka(BASE_MS - 60_000))
    assert start.offsets == {0: 500, 1: 700}
    assert start.whole_from_ms == BASE_MS + 20_000


def test_a_checkpoint_of_another_version_is_set_aside_too(tmp_path: Path) -> None:
    old_checkpoint(tmp_path)
    version = {"version": VERSION + 1, "start": {"offsets": {}, "whole_from_ms": 0}, "moving_to": ""}
    (tmp_path / "paai-version.json").write_text(json.dumps(version))
    start, _ = prepare(tmp_path)
    assert start.offsets == {0: 380, 1: 380}
    (aside,) = (tmp_path / "set-aside").iterdir()
    assert aside.name.startswith(f"version-{VERSION + 1}-")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 2}'])
def test_a_damaged_version_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "paai-version.json").write_text(content)
    with pytest.raises(DamagedCheckpointError, match=r"paai-version\.json"):
        prepare(tmp_path)
