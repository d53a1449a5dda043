"""Rates of the sink from committed offsets and ends."""

import math

import pytest

from desktop.services.sink_lag import SlopeMeter


def test_a_sink_that_does_not_keep_up() -> None:
    meter = SlopeMeter()
    for second in range(0, 31, 2):
        told = meter.add(1000.0 + second, 1_900 * second, 2_400 * second + 100)
    assert told.lag == 500 * 30 + 100
    assert told.stored_per_s == pytest.approx(1_900)
    assert told.produced_per_s == pytest.approx(2_400)
    assert told.growth_per_s == pytest.approx(500)


def test_nothing_is_said_of_rates_before_enough_was_seen() -> None:
    meter = SlopeMeter()
    meter.add(1000.0, 0, 0)
    assert math.isnan(meter.add(1002.0, 10, 20).growth_per_s)


def test_a_topic_made_anew_starts_over() -> None:
    meter = SlopeMeter()
    for second in range(0, 31, 2):
        meter.add(1000.0 + second, second, second)
    told = meter.add(1032.0, 0, 5)
    assert told.lag == 5
    assert math.isnan(told.stored_per_s)


def test_commits_in_steps_are_no_growth() -> None:
    meter = SlopeMeter()
    # 1 000 a second come in, all are stored, and that is committed every ten seconds.
    growths = [meter.add(1000.0 + t, 1_000 * (t // 10 * 10), 1_000 * t).growth_per_s for t in range(0, 120, 2)]
    known = [growth for growth in growths if not math.isnan(growth)]
    assert len(known) > 40
    assert max(abs(growth) for growth in known) < 1


def test_a_sink_that_stands_still_is_seen_as_such() -> None:
    meter = SlopeMeter()
    for tick in range(0, 60, 2):
        told = meter.add(1000.0 + tick, 1_000 * min(tick, 20), 1_000 * tick)
    assert told.stored_per_s < 400
    assert told.growth_per_s > 600
