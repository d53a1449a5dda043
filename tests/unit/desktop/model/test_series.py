"""Focus curves: time order, gaps, and decimation that hides no spike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.model.series import Series, decimate, gaps_after, to_curve

BASE = 1_795_499_070_000


def series(times: list[int], values: list[float] | None = None) -> Series:
    made = Series()
    made.add(np.array(times, dtype=np.int64), np.array(values if values is not None else times, dtype=np.float64))
    return made


@given(st.lists(st.lists(st.tuples(st.integers(0, 40), st.floats(-5, 5)), max_size=10), max_size=8))
def test_any_order_of_arrival_gives_one_ascending_series_with_the_last_value(batches: list[list[tuple[int, float]]]) -> None:
    made = Series()
    wanted: dict[int, float] = {}
    for batch in batches:
        made.add(np.array([t for t, _ in batch], dtype=np.int64), np.array([v for _, v in batch]))
        wanted.update(batch)
    t_ms, value = made.columns()
    assert list(zip(t_ms.tolist(), value.tolist(), strict=True)) == sorted(wanted.items())


def test_the_past_from_a_slower_source_never_replaces_what_is_known() -> None:
    made = series([10, 20], [1.0, 2.0])
    made.add_older(np.array([5, 20]), np.array([0.0, 99.0]))
    assert made.columns()[1].tolist() == [0.0, 1.0, 2.0]


def test_the_length_is_bounded() -> None:
    made = Series(max_readings=100)
    for start in range(0, 1000, 10):
        made.add(np.arange(start, start + 10), np.arange(10.0))
    assert (len(made), made.columns()[0][0], made.dropped) == (100, 900, 900)


@given(
    values=st.lists(st.floats(-100, 100), min_size=1, max_size=400),
    most=st.integers(2, 60),
    offset=st.integers(0, 1000),
)
def test_decimation_keeps_first_last_and_every_extreme(values: list[float], most: int, offset: int) -> None:
    value = np.array(values)
    chosen = decimate(value, most, offset)
    assert (chosen[0], chosen[-1]) == (0, len(value) - 1)
    assert (np.diff(chosen) > 0).all()
    assert (value[chosen].min(), value[chosen].max()) == (value.min(), value.max())
    if len(value) > most:
        assert len(chosen) <= most + 6
        # Each group of neighbours keeps its own extremes, so no spike hides anywhere.
        size = 1 << ((-(-2 * len(value) // most)) - 1).bit_length()
        for begin in range(-(offset % size), len(value), size):
            group = value[max(begin, 0) : begin + size]
            kept = [value[i] for i in chosen if max(begin, 0) <= i < begin + size]
            assert (min(kept), max(kept)) == (group.min(), group.max())


def test_the_choice_does_not_change_while_the_view_moves() -> None:
    value = np.random.default_rng(3).normal(size=10_000)
    whole = {int(i) for i in decimate(value[:8_000], 200, 0)}
    moved = {int(i) + 500 for i in decimate(value[500:8_500], 200, 500)}
    inner = {i for i in whole if 1_000 <= i < 7_500}
    assert inner == {i for i in moved if 1_000 <= i < 7_500}


@pytest.mark.parametrize(
    ("times", "gaps"),
    [
        ([0, 1000, 2000, 3000], []),
        ([0, 1000, 2000, 4400, 5400, 6400], []),  # 2.4 intervals
        ([0, 1000, 2000, 4600, 5600, 6600], [2]),  # 2.6 intervals
        ([0, 10_000, 20_000, 30_000, 31_000, 32_000, 33_000, 34_000, 35_000], []),  # the interval was changed
        ([0, 1000], []),
        ([0, 4000], [0]),  # too little is known: over 3 s
        ([0], []),
    ],
)
def test_gaps(times: list[int], gaps: list[int]) -> None:
    made = series(times)
    assert gaps_after(np.array(times), made.interval_ms()).tolist() == gaps


def test_a_gap_becomes_one_nan_between_its_readings() -> None:
    made = series([BASE + t for t in (0, 1000, 2000, 9000, 10_000, 11_000)], [1, 2, 3, 4, 5, 6])
    curve = to_curve(made, "d", BASE, BASE + 11_000, 1000)
    assert curve is not None
    assert np.isnan(curve.value).tolist() == [False, False, False, True, False, False, False]
    assert (np.diff(curve.t) > 0).all()
    assert curve.t[2] < curve.t[3] < curve.t[4]


def test_a_gap_survives_decimation() -> None:
    times = list(range(0, 400_000, 100)) + list(range(500_000, 900_000, 100))
    curve = to_curve(series([BASE + t for t in times]), "d", BASE, BASE + 900_000, 100)
    assert curve is not None
    assert len(curve.t) < 500
    breaks = np.flatnonzero(np.isnan(curve.value))
    assert len(breaks) == 1
    at = curve.t[breaks[0]] - BASE / 1000
    assert 399 < at < 501


def test_the_line_reaches_both_edges_of_the_view() -> None:
    made = series([BASE + t * 1000 for t in range(100)])
    curve = to_curve(made, "d", BASE + 10_500, BASE + 20_500, 1000)
    assert curve is not None
    assert (curve.t[0], curve.t[-1]) == (BASE / 1000 + 10, BASE / 1000 + 21)


def test_nothing_in_view_is_no_curve() -> None:
    made = series([BASE, BASE + 1000])
    assert to_curve(made, "d", BASE + 60_000, BASE + 70_000, 100) is None
    assert to_curve(Series(), "d", 0, 1, 100) is None


def test_drawn_arrays_cannot_be_written() -> None:
    curve = to_curve(series([BASE, BASE + 1000, BASE + 2000]), "d", BASE, BASE + 2000, 100)
    assert curve is not None
    with pytest.raises(ValueError, match="read-only"):
        curve.t[0] = 0
