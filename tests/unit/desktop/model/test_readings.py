"""The reading log: order, identity, bounds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from desktop.model.readings import DeviceRegistry, ReadingBatch, ReadingLog, sort_unique, trim

ROWS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3), st.floats(-10, 10)), max_size=60)


def columns(rows: list[tuple[int, int, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.array([r[0] for r in rows], dtype=np.int64),
        np.array([r[1] for r in rows], dtype=np.int32),
        np.array([r[2] for r in rows], dtype=np.float64),
    )


@given(batches=st.lists(ROWS, max_size=5), begin=st.integers(0, 50), length=st.integers(0, 50), device=st.integers(-1, 3))
def test_a_range_is_what_a_plain_list_would_give(
    batches: list[list[tuple[int, int, float]]], begin: int, length: int, device: int
) -> None:
    log = ReadingLog(chunk_readings=7)
    kept: dict[tuple[int, int], float] = {}
    for rows in batches:
        log.append(*columns(rows))
        for t, index, value in rows:
            kept[t, index] = value
    found = log.between(begin, begin + length, None if device < 0 else device)
    wanted = sorted((t, i, v) for (t, i), v in kept.items() if begin <= t < begin + length and device in (-1, i))
    assert list(zip(found.t_ms.tolist(), found.index.tolist(), found.value.tolist(), strict=True)) == wanted


def test_of_one_identity_the_last_value_stays() -> None:
    found = sort_unique(*columns([(5, 1, 1.0), (4, 1, 2.0), (5, 1, 3.0)]))
    assert found.value.tolist() == [2.0, 3.0]


def test_what_a_reader_holds_does_not_change_with_later_readings() -> None:
    log = ReadingLog(chunk_readings=8)
    log.append(*columns([(1, 0, 1.0), (2, 0, 2.0)]))
    before = log.between(0, 100)
    copy = before.value.copy()
    for t in range(3, 40):
        log.append(*columns([(t, 0, 9.0)]))
    assert (before.value == copy).all()


def test_the_oldest_chunk_of_any_sensor_goes_first_and_the_budget_holds() -> None:
    early, late = ReadingLog(chunk_readings=10), ReadingLog(chunk_readings=10)
    early.append(*columns([(t, 0, 0.0) for t in range(40)]))
    late.append(*columns([(t, 0, 0.0) for t in range(1000, 1040)]))
    trim([early, late], max_bytes=10 * 20 * 5)
    assert (len(early), len(late)) == (10, 40)
    assert early.oldest_ms == 30
    assert early.nbytes + late.nbytes <= 10 * 20 * 5


def test_whole_chunks_that_are_too_old_are_dropped() -> None:
    log = ReadingLog(chunk_readings=10)
    log.append(*columns([(t, 0, 0.0) for t in range(35)]))
    log.drop_before(15)
    assert log.oldest_ms == 10


def test_indices_are_stable_and_a_full_registry_gives_minus_one() -> None:
    registry = DeviceRegistry(capacity=2)
    assert registry.indices(["a", "b", "a", "c"]).tolist() == [0, 1, 0, -1]
    assert registry.indices(["c", "b"]).tolist() == [-1, 1]
    assert (registry.find("b"), registry.find("c"), registry.device_id(1), len(registry)) == (1, None, "b", 2)


def test_a_batch_of_rows() -> None:
    batch = ReadingBatch.of([("a", "humidity", 5, 1.5)], received=1.0)
    assert (len(batch), batch.sensor.tolist(), batch.t_ms.tolist(), batch.live) == (1, [2], [5], True)
