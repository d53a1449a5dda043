import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.generator.grid import Grid
from backend.generator.phases import assign, phase_ms, slot_count


@pytest.mark.parametrize(("interval_ms", "slots"), [(1000, 20), (100, 2), (330, 6), (3_600_000, 72_000)])
def test_slots_are_at_least_50_ms_long(interval_ms: int, slots: int) -> None:
    assert slot_count(interval_ms) == slots
    phases = [phase_ms(slot, interval_ms) for slot in range(slots)] + [interval_ms]
    assert min(b - a for a, b in itertools.pairwise(phases)) >= 50


@given(st.integers(0, 500), st.integers(1, 100))
def test_slots_are_filled_evenly(n: int, slots: int) -> None:
    load = Counter(assign(n, (), slots))
    counts = [load[slot] for slot in range(slots)]
    assert max(counts) - min(counts) <= 1


@given(st.lists(st.integers(0, 19), max_size=60), st.integers(0, 200))
def test_who_joins_fills_the_gaps(taken: list[int], n: int) -> None:
    before, joined = Counter(taken), Counter(assign(n, taken, 20))
    assert joined.total() == n
    for slot in joined:  # nobody was put on a fuller slot while an emptier one was there
        assert before[slot] + joined[slot] - 1 <= min(before[s] + joined[s] for s in range(20))


@pytest.mark.parametrize("n", [2, 3, 5, 7])
def test_few_devices_lie_far_apart(n: int) -> None:
    slots = sorted(assign(n, (), 20))
    gaps = [(b - a) % 20 or 20 for a, b in zip(slots, [*slots[1:], slots[0]], strict=True)]
    assert min(gaps) >= 20 // (2 * n)


@given(st.sets(st.integers(0, 19), min_size=1), st.integers(0, 10**12), st.integers(0, 5))
def test_the_grid_visits_every_slot_once_an_interval(slots: set[int], time_ms: int, shift_ms: int) -> None:
    grid = Grid(1000, slots, shift_ms=shift_ms)
    visited, at = [], time_ms
    for _ in slots:
        due, slot = grid.after(at)
        assert due > at
        assert (due - shift_ms) % 1000 == phase_ms(slot, 1000)
        visited.append(slot)
        at = due
    assert sorted(visited) == sorted(slots)
    assert at <= time_ms + 1000
