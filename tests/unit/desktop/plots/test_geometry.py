import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.model.snapshot import Curve, Envelope, Steps
from desktop.plots.geometry import (
    curve_line,
    curve_points,
    envelope_polygon,
    focus_extent,
    mean_line,
    same,
    same_envelope,
    settled,
    step_bands,
    step_bars,
    step_line,
    value_extent,
)

NAN = float("nan")


def envelope(mean: list[float], bucket_s: float = 1.0) -> Envelope:
    m = np.array(mean, np.float64)
    return Envelope(np.arange(len(m), dtype=np.float64) * bucket_s, m - 1, m + 1, m, np.where(np.isfinite(m), 3, 0), bucket_s)


def steps(avg: list[float], *, start: list[float] | None = None, provisional: list[bool] | None = None) -> Steps:
    a = np.array(avg, np.float64)
    begin = np.array(start if start is not None else [10.0 * i for i in range(len(a))], np.float64)
    flags = np.array(provisional if provisional is not None else [False] * len(a))
    return Steps(begin, begin + 10, a, a - 2, a + 2, np.full(len(a), 5), flags)


def parts(x: np.ndarray, connect: np.ndarray) -> list[list[float]]:
    """The x of each joined part."""
    found: list[list[float]] = [[]]
    for value, joined in zip(x.tolist(), connect.tolist(), strict=True):
        found[-1].append(value)
        if not joined:
            found.append([])
    return [p for p in found if p]


def test_mean_line_goes_through_bucket_centres_and_ends_at_the_outer_edges() -> None:
    line = mean_line(envelope([5, 6, 7]))
    assert line.x.tolist() == [0.0, 0.5, 1.5, 2.5, 3.0]
    assert line.y.tolist() == [5, 5, 6, 7, 7]
    assert parts(line.x, line.connect) == [line.x.tolist()]


def test_an_empty_bucket_is_a_gap_in_line_and_fill() -> None:
    env = envelope([5, 6, NAN, 7, NAN])
    line = mean_line(env)
    assert parts(line.x, line.connect) == [[0.0, 0.5, 1.5, 2.0], [3.0, 3.5, 4.0]]
    outline = envelope_polygon(env)
    assert np.isfinite(outline.x).all()
    assert np.isfinite(outline.y).all()
    spans = [(min(p), max(p)) for p in parts(outline.x, outline.connect)]
    assert spans == [(0.0, 2.0), (3.0, 4.0)]


def test_outline_runs_along_the_maxima_and_back_along_the_minima() -> None:
    outline = envelope_polygon(envelope([5, 7]))
    assert outline.x.tolist() == [0.0, 0.5, 1.5, 2.0, 2.0, 1.5, 0.5, 0.0]
    assert outline.y.tolist() == [6, 6, 8, 8, 6, 6, 4, 4]


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.one_of(st.just(NAN), st.floats(-50, 50)), max_size=60))
def test_every_bucket_with_data_is_drawn_and_no_other(mean: list[float]) -> None:
    env = envelope(mean)
    covered = [(min(p), max(p)) for p in parts(*(lambda v: (v.x, v.connect))(mean_line(env)))]
    for i, value in enumerate(mean):
        inside = any(low <= i + 0.25 and i + 0.75 <= high for low, high in covered)
        assert inside == bool(np.isfinite(value))


def test_nothing_gives_nothing() -> None:
    for vertices in (mean_line(envelope([])), envelope_polygon(envelope([NAN])), step_line(steps([]), provisional=False)):
        assert len(vertices.x) == len(vertices.connect) == 0


def test_curve_keeps_its_gaps() -> None:
    curve = Curve("a", np.array([0.0, 1, 2, 3, 4]), np.array([1.0, 2, NAN, 4, 5]))
    line = curve_line(curve)
    assert line.x.tolist() == [0, 1, 3, 4]
    assert parts(line.x, line.connect) == [[0, 1], [3, 4]]


def test_readings_are_dots_where_there_is_room_and_else_only_lone_ones() -> None:
    curve = Curve("a", np.array([0.0, 1, 2, 3, 4]), np.array([1.0, NAN, 3, NAN, 5]))
    wide, _ = curve_points(curve, seconds_per_pixel=0.1, spacing_px=7)
    assert wide.tolist() == [0, 2, 4]
    dense = Curve("a", np.array([0.0, 1, 2, 3, 4]), np.array([1.0, 2, NAN, 4, NAN]))
    narrow, values = curve_points(dense, seconds_per_pixel=10.0, spacing_px=7)
    assert narrow.tolist() == [3]
    assert values.tolist() == [4]


def test_steps_stand_exactly_on_their_windows() -> None:
    line = step_line(steps([5, 6, 8]), provisional=False)
    assert line.x.tolist() == [0, 10, 10, 20, 20, 30]
    assert line.y.tolist() == [5, 5, 6, 6, 8, 8]
    assert parts(line.x, line.connect) == [line.x.tolist()]


def test_a_missing_window_is_not_bridged() -> None:
    line = step_line(steps([5, 6], start=[0, 20]), provisional=False)
    assert parts(line.x, line.connect) == [[0, 10], [20, 30]]


def test_provisional_windows_are_apart() -> None:
    both = steps([5, 6, 7], provisional=[False, False, True])
    assert step_line(both, provisional=False).x.tolist() == [0, 10, 10, 20]
    assert step_line(both, provisional=True).x.tolist() == [20, 30]
    bands = step_bands(both, provisional=False)
    assert bands.start.tolist() == [0, 10]
    assert bands.low.tolist() == [3, 4]
    assert bands.high.tolist() == [7, 8]


def test_extent_takes_only_what_is_visible() -> None:
    env = envelope([5, 50, 6])
    assert value_extent(2.0, 3.0, env, (), steps([])) == (5.0, 7.0)
    curve = Curve("a", np.array([2.5, 9.0]), np.array([11.0, 99.0]))
    assert value_extent(2.0, 3.0, env, (curve,), steps([])) == (5.0, 11.0)
    assert value_extent(2.0, 3.0, env, (), steps([20])) == (5.0, 22.0)
    assert np.isnan(value_extent(100.0, 200.0, env, (), steps([]))).all()


def test_a_bucket_that_still_fills_is_left_out_until_it_is_full_or_over() -> None:
    full = envelope([5, 6, 7])
    filling = Envelope(full.t, full.low, full.high, full.mean, np.array([10, 10, 4]), 1.0)
    assert settled(filling, now=2.4).t.tolist() == [0, 1]
    assert settled(filling, now=4.1) is filling
    assert settled(full, now=2.4) is full


def test_focus_extent_leaves_the_fleet_out() -> None:
    curve = Curve("a", np.array([2.5, 9.0]), np.array([11.0, 99.0]))
    assert focus_extent(2.0, 3.0, (curve,), [steps([20])]) == (11.0, 22.0)
    assert np.isnan(focus_extent(200.0, 300.0, (curve,), []))[0]


def test_bars_are_the_strokes_of_the_step_line() -> None:
    line = step_line(steps([20, 22, 21], start=[0.0, 10.0, 30.0]), provisional=False)
    bars = step_bars(line, thick_t=0.5, thick_value=0.2)
    found = {tuple(round(float(v), 3) for v in row) for row in zip(*bars, strict=True)}
    level = {(0, 10, 19.9, 20.1), (10, 20, 21.9, 22.1), (30, 40, 20.9, 21.1)}
    upright = {(9.75, 10.25, 19.9, 22.1)}  # none from 20 to 30: windows that do not touch are not joined
    assert found == level | upright


def test_bars_of_nothing() -> None:
    assert all(len(column) == 0 for column in step_bars(step_line(steps([]), provisional=False), thick_t=1, thick_value=1))


def test_equal_shapes_are_recognised() -> None:
    one, other = envelope([5, NAN, 7]), envelope([5, NAN, 7])
    assert same_envelope(one, other)
    assert not same_envelope(one, envelope([5, NAN, 8]))
    assert not same_envelope(one, envelope([5, NAN]))
    assert same(mean_line(one), mean_line(other))
    assert not same(mean_line(one), mean_line(envelope([5, 6, 7])))
