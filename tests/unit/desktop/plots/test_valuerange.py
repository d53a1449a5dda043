import math

import pytest

from desktop.plots.valuerange import ValueRange


def test_first_fit_takes_the_data_with_padding_on_round_numbers() -> None:
    axis = ValueRange()
    assert axis.fit(18.3, 24.1)
    assert axis.low <= 18.3 - 0.08 * 5.8 + 1e-9
    assert axis.high >= 24.1 + 0.08 * 5.8 - 1e-9
    assert (axis.low, axis.high) == (17.0, 25.0)


def test_does_not_jitter_while_the_data_stay_inside_and_use_it() -> None:
    axis = ValueRange()
    axis.fit(18.3, 24.1)
    for i in range(50):
        assert not axis.fit(18.3 + 0.2 * math.sin(i), 24.1 + 0.2 * math.cos(i))


def test_grows_at_once_and_shrinks_only_when_much_room_is_left() -> None:
    axis = ValueRange()
    axis.fit(18.3, 24.1)
    assert axis.fit(18.3, 30.0)
    assert axis.high >= 30.0
    assert not axis.fit(18.3, 26.5)
    assert axis.fit(20.0, 21.0)
    assert axis.high < 22.0


def test_a_constant_signal_gets_the_least_extent() -> None:
    axis = ValueRange(minimum_extent=2.0)
    axis.fit(5.0, 5.0)
    assert axis.high - axis.low >= 2.0
    assert axis.low < 5.0 < axis.high


def test_the_users_range_stands_until_reset() -> None:
    axis = ValueRange()
    axis.fit(0.0, 10.0)
    axis.zoom(0.5, anchor=5.0)
    chosen = (axis.low, axis.high)
    assert not axis.fit(0.0, 100.0)
    assert (axis.low, axis.high) == chosen
    axis.reset()
    assert axis.fit(0.0, 100.0)
    assert axis.high >= 100.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_no_data_changes_nothing(bad: float) -> None:
    axis = ValueRange()
    axis.fit(0.0, 10.0)
    assert not axis.fit(bad, bad)
    assert axis.high > 10.0


def test_the_range_means_nothing_before_the_first_data() -> None:
    axis = ValueRange()
    axis.auto = False
    axis.zoom(2.0, 0.5)
    axis.fit(math.nan, math.nan)
    seen = [axis.known]
    axis.fit(0.2, 0.8)
    seen.append(axis.known)
    assert seen == [False, True]
    assert not axis.fit(18.0, 24.0), "it stands still from then on"


def test_a_range_of_the_user_is_known() -> None:
    axis = ValueRange()
    axis.set(10.0, 20.0)
    assert axis.known
