"""Windows: stored ones win, missing ones come from raw, edges are exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.model.envelope import FleetLattice
from desktop.model.windows import WINDOW_MS, Window, WindowTable, from_buckets, from_readings, to_steps

BASE = 1_795_499_070_000
READINGS = st.lists(st.tuples(st.integers(0, 60_000), st.floats(-50, 50, width=32)), min_size=1, max_size=80)


def window(start_ms: int, avg: float = 1.0, count: int = 10) -> Window:
    return Window("temperature", None, start_ms, start_ms + WINDOW_MS, avg, avg - 1, avg + 1, count)


def brute(readings: list[tuple[int, float]]) -> dict[int, tuple[float, float, float, int]]:
    groups: dict[int, list[float]] = {}
    for t, v in readings:
        groups.setdefault(t // WINDOW_MS * WINDOW_MS, []).append(v)
    return {s: (sum(g) / len(g), min(g), max(g), len(g)) for s, g in groups.items()}


def check(columns: object, wanted: dict[int, tuple[float, float, float, int]]) -> None:
    from desktop.model.windows import Columns

    assert isinstance(columns, Columns)
    assert columns.start_ms.tolist() == sorted(wanted)
    assert (columns.end_ms - columns.start_ms == WINDOW_MS).all()
    for i, start in enumerate(columns.start_ms.tolist()):
        avg, low, high, count = wanted[start]
        assert columns.avg[i] == pytest.approx(avg, abs=1e-6)
        assert (columns.low[i], columns.high[i], columns.count[i]) == (low, high, count)


@settings(max_examples=200)
@given(READINGS)
def test_provisional_windows_of_the_fleet_equal_brute_force(readings: list[tuple[int, float]]) -> None:
    lattice = FleetLattice()
    lattice.add(np.array([BASE + t for t, _ in readings]), np.array([v for _, v in readings]))
    found = from_buckets(lattice.cut(BASE - 20_000, BASE + 90_000, WINDOW_MS))
    check(found, brute([(BASE + t, v) for t, v in readings]))


@settings(max_examples=200)
@given(READINGS)
def test_provisional_windows_of_a_device_equal_brute_force(readings: list[tuple[int, float]]) -> None:
    once = sorted({BASE + t: v for t, v in readings}.items())
    found = from_readings(np.array([t for t, _ in once]), np.array([v for _, v in once]))
    check(found, brute(once))


def test_a_reading_on_the_edge_belongs_to_the_window_that_begins_there() -> None:
    edge = BASE + WINDOW_MS
    lattice = FleetLattice()
    lattice.add(np.array([edge - 1, edge]), np.array([1.0, 2.0]))
    fleet = from_buckets(lattice.cut(BASE, BASE + 20_000, WINDOW_MS))
    device = from_readings(np.array([edge - 1, edge]), np.array([1.0, 2.0]))
    for found in (fleet, device):
        assert found.start_ms.tolist() == [BASE, edge]
        assert found.avg.tolist() == [1.0, 2.0]


def test_a_window_that_is_read_again_replaces_itself() -> None:
    table = WindowTable()
    table.put([window(BASE + WINDOW_MS), window(BASE, 1.0, 5)])
    held = table.columns()
    table.put([window(BASE, 3.0, 10)])
    assert table.columns().start_ms.tolist() == [BASE, BASE + WINDOW_MS]
    assert (table.columns().avg[0], table.columns().count[0]) == (3.0, 10)
    assert held.avg[0] == 1.0  # what a frame holds does not change


def test_old_windows_go() -> None:
    table = WindowTable()
    table.put(window(BASE + i * WINDOW_MS) for i in range(10))
    table.drop_before(BASE + 5 * WINDOW_MS)
    assert table.columns().start_ms[0] == BASE + 4 * WINDOW_MS


def test_raw_fills_only_what_is_not_stored() -> None:
    table = WindowTable()
    table.put([window(BASE, 7.0), window(BASE + 2 * WINDOW_MS, 8.0)])
    t_ms = np.arange(BASE, BASE + 4 * WINDOW_MS, 1000)
    steps = to_steps(table.columns(), from_readings(t_ms, np.ones(len(t_ms))))
    assert steps.start.tolist() == [(BASE + i * WINDOW_MS) / 1000 for i in range(4)]
    assert steps.provisional.tolist() == [False, True, False, True]
    assert steps.avg.tolist() == [7.0, 1.0, 8.0, 1.0]
    assert (steps.end - steps.start == 10).all()


@pytest.mark.parametrize(
    ("begin", "end", "found"),
    [(0, 10_000, [0]), (9_999, 10_001, [0, 10_000]), (10_000, 20_000, [10_000]), (-5, 0, []), (30_000, 40_000, [])],
)
def test_overlap_is_half_open(begin: int, end: int, found: list[int]) -> None:
    table = WindowTable()
    table.put(window(BASE + s) for s in (0, 10_000, 20_000))
    assert (table.columns().overlapping(BASE + begin, BASE + end).start_ms - BASE).tolist() == found


def test_windows_of_another_length_are_what_the_document_says() -> None:
    """No reader has the length as a constant."""
    base = BASE // 60_000 * 60_000
    long = Window("temperature", None, base, base + 60_000, 1.0, 0.0, 2.0, 9)
    table = WindowTable()
    table.put([long])
    assert len(table.columns().overlapping(base + 59_000, base + 61_000)) == 1
    assert len(table.columns().overlapping(base + 60_000, base + 61_000)) == 0
    t_ms = np.arange(base, base + 120_000, 1000)
    made = from_readings(t_ms, np.ones(len(t_ms)), 60_000)
    assert (made.end_ms - made.start_ms).tolist() == [60_000, 60_000]
    assert to_steps(table.columns(), made).provisional.tolist() == [False, True]
