"""The job's batches: the same documents whatever was killed when, and whatever model comes in between."""

import random
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.predictor.models.bundle import Bundle
from spark.predict_rows import Rows
from spark.predict_scorer import BatchScorer, newest
from spark.predict_state import StateStore
from tests.helpers.models import bundle
from tests.helpers.series import Arrivals, fleet

Document = dict[str, Any]
MODEL = bundle(version="v1")
ARRIVALS = fleet(5, devices=4, seconds=420)


def batches(arrivals: Arrivals, size: int) -> list[dict[int, Rows]]:
    """The arrivals as batches of two shards: devices 0 and 1, and 2 and 3."""
    result = []
    for a in range(0, len(arrivals), size):
        ids, sensors, t_ms, values = arrivals.part(a, a + size)
        good = np.isfinite(values)
        shard = np.array([int(i[-1]) // 2 for i in ids])
        cut = {}
        for number in (0, 1):
            at = np.flatnonzero(good & (shard == number))
            if at.size:
                cut[number] = Rows([ids[i] for i in at], sensors[at], t_ms[at], values[at])
        result.append(cut)
    return result


class Killed(Exception):  # noqa: N818
    """The process dies."""


def run(
    directory: Path, cuts: list[dict[int, Rows]], *, kills: Collection[int] = (), model: Bundle = MODEL
) -> dict[str, Document]:
    """All documents by `_id` after the batches; a killed batch comes again in a new process."""
    stored: dict[str, Document] = {}
    left = set(kills)
    batch = 0
    while batch < len(cuts):
        scorer = BatchScorer(store=StateStore(directory), model=lambda: model, version=lambda _: model)
        try:
            while batch < len(cuts):
                answer = scorer.score(batch, cuts[batch])
                if batch in left:
                    left.discard(batch)
                    # Some of it was written, and Spark does not know.
                    stored |= {row["_id"]: row for row in answer.documents[: len(answer.documents) // 2]}
                    raise Killed
                stored |= {row["_id"]: row for row in newest(answer.documents)}
                batch += 1
        except Killed:
            continue
    return stored


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Document]:
    return run(tmp_path_factory.mktemp("undisturbed"), batches(ARRIVALS, 40))


def test_every_reading_has_one_document_and_every_silence_too(undisturbed: dict[str, Document]) -> None:
    identities = {(d, int(t)) for d, t, v in zip(ARRIVALS.ids, ARRIVALS.t_ms, ARRIVALS.values, strict=True) if np.isfinite(v)}
    plain = [row for key, row in undisturbed.items() if key.count("/") == 2]

    assert {(row["device_id"], row["timestamp"]) for row in plain} <= identities
    assert len(plain) > 0.98 * len(identities)  # a late reading has a document of its own kind
    kinds = {row["kind"] for row in undisturbed.values() if row["anomaly"]}
    assert kinds == {"spike", "drift", "stuck", "dropout", "late", "duplicate"}
    assert all(row["reason"] for row in undisturbed.values() if row["anomaly"])


@pytest.mark.parametrize("seed", [1, 2])
def test_kills_change_nothing(tmp_path: Path, undisturbed: dict[str, Document], seed: int) -> None:
    cuts = batches(ARRIVALS, 40)
    kills = set(random.Random(seed).sample(range(len(cuts)), 6))

    assert run(tmp_path, cuts, kills=kills) == undisturbed


def test_the_size_of_batches_changes_nothing(tmp_path: Path, undisturbed: dict[str, Document]) -> None:
    other = run(tmp_path, batches(ARRIVALS, 173))

    assert other.keys() == undisturbed.keys()
    for key, row in other.items():
        for name in ("anomaly", "kind", "reason", "since"):
            assert row[name] == undisturbed[key][name], key
        assert row["score"] == pytest.approx(undisturbed[key]["score"], abs=1e-6)


def test_a_damaged_snapshot_is_replaced_by_the_one_before(tmp_path: Path, undisturbed: dict[str, Document]) -> None:
    cuts = batches(ARRIVALS, 40)
    assert len(cuts) > 33
    run(tmp_path, cuts[:33])
    for path in sorted(tmp_path.glob("snapshot-*.state"))[-2:]:
        path.write_bytes(path.read_bytes()[:-10])

    scorer = BatchScorer(store=StateStore(tmp_path), model=lambda: MODEL, version=lambda _: MODEL)
    found = {row["_id"]: row for row in scorer.score(33, cuts[33]).documents}

    assert found
    assert found.keys() <= undisturbed.keys()


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "zeros": lambda data: b"\0" * len(data),
    "cut": lambda data: data[: len(data) // 2],
    "foreign": lambda _: b"[1, 2]",
    "flipped": lambda data: data[:40] + bytes(255 - b for b in data[40:80]) + data[80:],
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state after 33 batches."""
    directory = tmp_path_factory.mktemp("kept")
    run(directory, batches(ARRIVALS, 40)[:33])
    return directory


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("pattern", ["journal-32.npz", "journal-31.npz", "snapshot-*.state", "snapshot-*.json"])
def test_damaged_files_of_the_state_never_stop_the_job(tmp_path: Path, kept: Path, pattern: str, how: str) -> None:
    cuts = batches(ARRIVALS, 40)
    shutil.copytree(kept, tmp_path, dirs_exist_ok=True)
    damaged = list(tmp_path.glob(pattern))
    assert damaged
    for path in damaged:
        path.write_bytes(DAMAGE[how](path.read_bytes()))

    scorer = BatchScorer(store=StateStore(tmp_path), model=lambda: MODEL, version=lambda _: MODEL)

    assert scorer.score(33, cuts[33]).scored == sum(len(rows) for rows in cuts[33].values())
    assert scorer.score(34, cuts[34]).scored


def test_without_a_model_nothing_is_scored_and_one_that_comes_is_used(tmp_path: Path) -> None:
    current: list[Bundle | None] = [None]
    scorer = BatchScorer(store=StateStore(tmp_path), model=lambda: current[0])
    cuts = batches(ARRIVALS, 200)

    assert scorer.score(0, cuts[0]).documents == []
    current[0] = MODEL
    assert {row["model"] for row in scorer.score(1, cuts[1]).documents} == {"v1"}
    current[0] = bundle(version="v2")
    answer = scorer.score(2, cuts[2])
    assert {row["model"] for row in answer.documents} == {"v2"}
    # What was known about the devices stays: something is expected of the very first reading.
    assert answer.documents[0]["expected"] is not None


def test_old_files_go(tmp_path: Path) -> None:
    run(tmp_path, batches(ARRIVALS, 12))

    assert len(list(tmp_path.glob("journal-*"))) <= 61
    assert len(list(tmp_path.glob("snapshot-*.json"))) <= 2


def test_a_state_of_another_layout_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cuts = batches(ARRIVALS, 200)
    run(tmp_path, cuts[:2])
    (tmp_path / "layout").unlink()  # as an earlier version left it: a shard was a partition

    scorer = BatchScorer(store=StateStore(tmp_path), model=lambda: MODEL, version=lambda _: MODEL)
    found = scorer.score(2, cuts[2]).documents

    assert found[0]["expected"] is None  # nothing is known about the device
    (aside,) = tmp_path.glob("set-aside-*")
    assert {path.name for path in aside.iterdir()} == {"journal-0.npz", "journal-1.npz"}
    assert "Scoring begins anew" in caplog.text
    StateStore(tmp_path)
    assert len(list(tmp_path.glob("set-aside-*"))) == 1
