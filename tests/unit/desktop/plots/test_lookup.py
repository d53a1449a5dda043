import numpy as np

from desktop.model.snapshot import Curve, ViewRequest
from desktop.plots.lookup import raw_at, read_at, window_at
from tests.helpers.fake_snapshots import envelope, snapshot, windows

NOW = 1_795_498_861.3
REQUEST = ViewRequest(NOW - 60, NOW, 60, ())


def test_raw_is_the_bucket_that_holds_the_time() -> None:
    env = envelope("temperature", REQUEST, NOW, devices=10)
    found = raw_at(env, float(env.t[7]) + 0.4)
    assert found is not None
    assert (found.low, found.mean, found.high, found.count) == (env.low[7], env.mean[7], env.high[7], env.count[7])
    assert raw_at(env, float(env.t[0]) - 0.1) is None
    assert raw_at(env, float(env.t[-1]) + env.bucket_s) is None


def test_an_empty_bucket_says_nothing() -> None:
    env = envelope("temperature", REQUEST, NOW, devices=10, gap=(NOW - 30, NOW - 20))
    assert raw_at(env, NOW - 25) is None
    assert raw_at(env, NOW - 15) is not None


def test_window_edges_are_half_open() -> None:
    steps = windows("temperature", REQUEST, NOW, devices=10)
    at_start, before_end = window_at(steps, float(steps.start[2])), window_at(steps, float(steps.end[2]) - 1e-3)
    assert at_start is not None
    assert at_start == before_end
    following = window_at(steps, float(steps.end[2]))
    assert following is not None
    assert following.start == steps.start[3]


def test_focus_reads_its_last_reading_and_its_window() -> None:
    view = snapshot(NOW, span_s=60, focus=("thermostat-00007",)).views["temperature"]
    at = float(view.curves[0].t[20]) + 0.3
    readout = read_at(view, at)
    assert readout.focus[0].t == view.curves[0].t[20]
    assert readout.focus[0].value == view.curves[0].value[20]
    assert readout.focus[0].window is not None
    assert readout.window is not None
    assert readout.window.start <= at < readout.window.end


def test_focus_says_nothing_in_a_gap_nor_long_after_its_last_reading() -> None:
    view = snapshot(NOW, span_s=60, focus=("thermostat-00007",)).views["temperature"]
    silent = Curve("thermostat-00007", np.array([10.0, 11, 12]), np.array([1.0, np.nan, 3.0]))
    from dataclasses import replace

    view = replace(view, curves=(silent,))
    assert np.isnan(read_at(view, 11.5).focus[0].value)
    assert read_at(view, 12.5).focus[0].value == 3.0
    assert np.isnan(read_at(view, 40.0).focus[0].value)
