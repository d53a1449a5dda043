"""The shard's state as bytes: exact, and nothing else is taken for one."""

import io
import json
import zlib
from dataclasses import fields

import numpy as np
import pytest

from backend.scoring.engine import Engine
from backend.scoring.errors import StateError
from backend.scoring.layout import FEATURE_VERSION
from backend.scoring.state import ShardState, Table
from tests.helpers.series import fleet, profile


def scored() -> ShardState:
    engine = Engine({"temperature": profile()})
    engine.score(*fleet(1, devices=3, seconds=420).part(0, 600))
    return engine.state


def test_a_state_comes_back_exactly() -> None:
    before = scored()

    after = ShardState.from_bytes(before.to_bytes())

    assert after.keys == before.keys
    assert after.clock_ms == before.clock_ms
    for f in fields(Table):
        np.testing.assert_array_equal(getattr(after.table, f.name), getattr(before.table, f.name)[: len(before)])


def test_a_new_device_gets_a_row_and_an_old_one_keeps_its_own() -> None:
    state = scored()

    rows, fresh = state.rows(["device-0", "new", "device-0", "new"], [0, 0, 0, 1])

    assert rows.tolist() == [0, 3, 0, 4]
    assert fresh.tolist() == [3, 4]


@pytest.mark.parametrize("cut", [0, 1, 100, -5])
def test_a_damaged_state_is_refused(cut: int) -> None:
    with pytest.raises(StateError, match="damaged"):
        ShardState.from_bytes(scored().to_bytes()[:cut])


def test_a_state_of_another_version_is_refused() -> None:
    with np.load(io.BytesIO(zlib.decompress(scored().to_bytes()))) as stored:
        arrays = dict(stored)
    head = json.loads(arrays["head"].tobytes())
    arrays["head"] = np.frombuffer(json.dumps({**head, "version": FEATURE_VERSION + 1}).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)

    with pytest.raises(StateError, match="version"):
        ShardState.from_bytes(zlib.compress(buffer.getvalue()))


def test_a_state_with_a_pickle_in_it_is_refused() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, head=np.array([object()], dtype=object))

    with pytest.raises(StateError, match="damaged"):
        ShardState.from_bytes(zlib.compress(buffer.getvalue()))
