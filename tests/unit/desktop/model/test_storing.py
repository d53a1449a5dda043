"""The limit is what is stored while the backlog grows; what was only kept up with is none."""

import pytest

from desktop.model.progress import SinkProgress
from desktop.model.storing import MAX_AGE_S, Limit, LimitMeter, devices_within, outlook, rounded

T0 = 1_795_499_070.0


def play(meter: LimitMeter, stored: list[float], produced: float, *, lag: int, at: float = T0) -> float:
    """One observation every 2 s; returns the time after the last."""
    for value in stored:
        meter.add(SinkProgress(at, lag, value, produced, produced - value))
        at += 2
    return at


def rate(meter: LimitMeter) -> float | None:
    return meter.limit.per_s if meter.limit is not None else None


def test_a_growing_backlog_shows_the_limit() -> None:
    meter = LimitMeter()
    at = play(meter, [1000.0] * 15, 2000.0, lag=40_000)
    assert rate(meter) is None, "not before it lasted"
    play(meter, [980.0, 1020.0], 2000.0, lag=60_000, at=at)
    assert rate(meter) == pytest.approx(1000.0)


def test_what_was_kept_up_with_is_no_limit() -> None:
    meter = LimitMeter()
    play(meter, [1000.0] * 100, 1000.0, lag=800)
    assert rate(meter) is None


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param([0.0] * 60, id="nothing is stored"),
        pytest.param([max(1000.0 - 60 * i, 0.0) for i in range(60)], id="storing stops"),
        pytest.param([min(100.0 + 100 * i, 1990.0) for i in range(20)], id="storing starts"),
    ],
)
def test_an_outage_is_no_limit(stored: list[float]) -> None:
    meter = LimitMeter()
    play(meter, stored, 2000.0, lag=60_000)
    assert rate(meter) is None


def test_a_small_backlog_or_one_that_drains_is_no_limit() -> None:
    meter = LimitMeter()
    at = play(meter, [1000.0] * 60, 1200.0, lag=900)
    play(meter, [1500.0] * 60, 1000.0, lag=90_000, at=at)
    assert rate(meter) is None


def test_a_gap_in_the_observation_begins_the_measurement_anew() -> None:
    meter = LimitMeter()
    at = play(meter, [1000.0] * 10, 2000.0, lag=40_000)
    play(meter, [1000.0] * 10, 2000.0, lag=40_000, at=at + 300)
    assert rate(meter) is None


def test_the_same_observation_counts_once() -> None:
    meter = LimitMeter()
    for _ in range(100):
        meter.add(SinkProgress(T0, 40_000, 1000.0, 2000.0, 1000.0))
    assert rate(meter) is None


def test_a_later_measurement_replaces_an_earlier_one_up_and_down() -> None:
    meter = LimitMeter()
    at = play(meter, [72.0] * 20, 2000.0, lag=40_000)
    assert rate(meter) == 72.0
    at = play(meter, [1000.0] * 40, 2000.0, lag=40_000, at=at)
    assert rate(meter) == 1000.0
    play(meter, [700.0] * 40, 2000.0, lag=40_000, at=at)
    assert rate(meter) == 700.0


def test_keeping_up_with_more_takes_the_limit_back() -> None:
    meter = LimitMeter(Limit(1000.0, T0))
    at = play(meter, [1030.0] * 40, 1030.0, lag=900)
    assert meter.limit == Limit(1000.0, T0), "within the noise of a measurement"
    play(meter, [1500.0] * 40, 1500.0, lag=900, at=at)
    assert rate(meter) is None, "it lies above 1 500, nobody knows where"


def test_draining_takes_no_limit_back() -> None:
    meter = LimitMeter(Limit(1000.0, T0))
    play(meter, [1500.0] * 40, 800.0, lag=90_000)
    assert meter.limit == Limit(1000.0, T0)


def test_a_limit_ages() -> None:
    meter = LimitMeter(Limit(1000.0, T0))
    play(meter, [500.0], 500.0, lag=0, at=T0 + MAX_AGE_S + 1)
    assert rate(meter) is None


@pytest.mark.parametrize("text", ["", "x y", "1000", "nan 1795499070", "-5 1795499070", "0 1795499070", "1000 inf", "1 2 3"])
def test_damaged_settings_are_no_limit(text: str) -> None:
    assert Limit.from_text(text, now=T0) is None


def test_settings_keep_a_limit_until_it_is_too_old() -> None:
    text = Limit(1000.0, T0).to_text()
    assert Limit.from_text(text, now=T0 + 3600) == Limit(1000.0, T0)
    assert Limit.from_text(text, now=T0 + MAX_AGE_S + 1) is None


def test_types_share_the_limit() -> None:
    counts = {"Thermostat": 300, "Barometer": 200, "Hygrometer": 0}
    assert devices_within(1000.0, counts, "Thermostat", 1.0) == 800
    assert devices_within(1000.0, counts, "Hygrometer", 1.0) == 500
    assert devices_within(1000.0, counts, "Hygrometer", 0.1) == 0, "the others alone are too many"
    assert devices_within(1000.0, counts, "Hygrometer", 10.0) == 9500


def test_sentences_say_what_will_happen() -> None:
    assert outlook(1000.0, 800.0) == "Mark: the system stores about 1\u202f000 readings/s."
    assert outlook(1000.0, 1040.0).startswith("Mark:"), "within the noise of a measurement"
    assert outlook(1000.0, 1500.0) == (
        "At 1\u202f500 readings/s stored readings fall behind: about 1\u202f000 are stored, the backlog grows by 500/s."
    )


def test_a_measured_rate_has_two_figures() -> None:
    rates = (0.0, 0.4, 7.4, 72.3, 987.0, 1057.0, 5344.0)
    assert [rounded(value) for value in rates] == [0.0, 0.0, 7.0, 72.0, 990.0, 1100.0, 5300.0]
