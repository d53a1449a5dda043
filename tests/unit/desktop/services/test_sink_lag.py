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
