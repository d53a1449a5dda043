"""Training on made-up fleets: what comes out, what is refused, and that nothing knows the future."""

from collections import Counter

import numpy as np
import pytest

from backend.predictor.errors import CancelledError, TrainingError
from backend.predictor.models.forecasters import COVERAGE, Baseline, Boosting, calibrate, coverage, pinball
from backend.predictor.training import leaks
from backend.predictor.training.clean import clean
from backend.predictor.training.folds import folds
from backend.predictor.training.run import Options, train
from backend.predictor.training.sensor import train_sensor
from backend.predictor.training.source import ArraySource
from backend.scoring.layout import F64, I64
from tests.helpers.series import START_MS, profile, wander

Series = dict[str, dict[str, tuple[I64, F64]]]


def history(*, devices: int = 4, n: int = 1500, sensor: str = "temperature") -> Series:
    t_ms = START_MS + np.arange(n, dtype=np.int64) * 1000
    return {sensor: {f"d{i}": (t_ms, wander(i, n, level=40.0)) for i in range(devices)}}


def run(series: Series, **options: object) -> object:
    wanted = Options(sensors=("temperature",), **options)  # type: ignore[arg-type]
    return train(ArraySource(series), wanted, report=lambda _part, _text: None, cancelled=lambda: False)


def test_a_model_beats_the_naive_forecasts_and_says_so_in_its_card() -> None:
    outcome = train(
        ArraySource(history(devices=3, n=2500)), Options(sensors=("temperature",)), report=lambda _p, _t: None,
        cancelled=lambda: False,
    )  # fmt: skip

    card = outcome.bundle.card["sensors"]["temperature"]
    held = card["held_out"]
    assert held["model"]["mae"] < held["last_value"]["mae"]
    assert held["model"]["mae"] < held["device_mean"]["mae"]
    assert held["model"]["coverage"] == pytest.approx(COVERAGE, abs=0.04)
    assert card["detectors"]["matched_filters"] > card["detectors"]["rolling_median"]
    assert outcome.bundle.card["rows"]["temperature"]["used"] == 7500
    assert outcome.bundle.card["refused"] == {}


def test_one_device_alone_gives_a_model() -> None:
    outcome = train(
        ArraySource(history(devices=1, n=4000)), Options(sensors=("temperature",)), report=lambda _p, _t: None,
        cancelled=lambda: False,
    )  # fmt: skip

    assert outcome.bundle.card["sensors"]["temperature"]["devices"] == 1


def test_ten_minutes_of_ten_devices_are_enough_to_be_promoted() -> None:
    outcome = train(
        ArraySource(history(devices=10, n=600)), Options(sensors=("temperature",)), report=lambda _p, _t: None,
        cancelled=lambda: False,
    )  # fmt: skip

    assert outcome.promote
    assert outcome.bundle.card["sensors"]["temperature"]["detectors"]["matched_filters"] > 0.8


@pytest.mark.parametrize(
    ("devices", "n", "message"),
    [
        (10, 120, "1,200 usable .* Let the fleet run for 8 more minutes"),
        (10, 420, "cover 7.0 minutes only; at least 9.3 .* for 3 more minutes"),
        (1, 900, "Let the device run for 35 more minutes"),
    ],
)
def test_too_short_a_history_says_how_long_to_wait(devices: int, n: int, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        run(history(devices=devices, n=n))


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ({}, "no temperature readings"),
        (history(n=100), "too few to train on"),
        ({"temperature": {"d": (START_MS + np.arange(5000, dtype=np.int64) * 1000, np.full(5000, 20.0))}}, "constant sensor"),
        ({"temperature": {"d": (START_MS + np.arange(5000, dtype=np.int64) * 1000, np.full(5000, np.nan))}}, "have no value"),
        ({"temperature": {"d": (START_MS + np.arange(5000, dtype=np.int64) * 10, wander(1, 5000))}}, None),
    ],
)
def test_a_history_that_cannot_be_used_is_refused_with_the_reason(series: Series, message: str | None) -> None:
    if message is None:
        run(series)
        return
    with pytest.raises(TrainingError, match=message):
        run(series)


def test_a_time_frame_in_the_future_is_refused() -> None:
    with pytest.raises(TrainingError, match="in the future"):
        run(history(), from_ms=4_000_000_000_000)


def test_a_training_can_be_cancelled() -> None:
    with pytest.raises(CancelledError):
        train(ArraySource(history()), Options(sensors=("temperature",)), report=lambda _p, _t: None, cancelled=lambda: True)


def test_shuffled_targets_are_forecast_no_better_than_by_chance() -> None:
    random = np.random.default_rng(3)
    features = random.normal(size=(6000, 14))
    target = 0.8 * features[:, 0] + 0.5 * random.normal(size=6000)
    shuffled = random.permutation(target)

    losses = {}
    for name, values in (("real", target), ("shuffled", shuffled)):
        model = Boosting(leaves=8, smallest=100, iterations=30)
        model.fit(features[:4000], values[:4000])
        blind = np.tile(np.quantile(values[:4000], (0.5, 0.05, 0.95)), (2000, 1))
        losses[name] = pinball(model.predict(features[4000:]), values[4000:]) / pinball(blind, values[4000:])

    assert losses["real"] < 0.8
    assert losses["shuffled"] > 0.98


def test_a_shuffled_history_is_forecast_no_better_than_by_its_mean() -> None:
    random = np.random.default_rng(8)
    shuffled = {name: (t, random.permutation(v)) for name, (t, v) in history(devices=4, n=2000)["temperature"].items()}
    series = [s for name, (t, v) in shuffled.items() if (s := clean(name, "temperature", t, v, Counter())) is not None]

    held = train_sensor("temperature", series, seed=1, step=lambda _: None).card["held_out"]

    assert held["model"]["mae"] > 0.98 * held["device_mean"]["mae"]


def test_the_features_do_not_know_the_future() -> None:
    t_ms = START_MS + np.arange(400, dtype=np.int64) * 1000

    assert leaks.leaking(leaks.engine_features("temperature", profile()), t_ms, wander(1, 400)) == []


def test_a_feature_that_is_shifted_from_the_future_is_caught() -> None:
    t_ms, values = START_MS + np.arange(400, dtype=np.int64) * 1000, wander(1, 400)
    honest = leaks.engine_features("temperature", profile())

    def shifted(times: I64, readings: F64) -> F64:
        features = honest(times, readings).copy()
        features[:-1, 4] = features[1:, 4]
        return features

    assert leaks.leaking(shifted, t_ms, values) == [4]
    with pytest.raises(TrainingError, match="rate_1"):
        leaks.check(shifted, t_ms, values)


def test_folds_keep_time_gap_and_devices_apart() -> None:
    t_ms = np.repeat(np.arange(1000, dtype=np.int64) * 1000, 6)
    device = np.tile(np.arange(6), 1000)

    seen = list(folds(t_ms, device, count=3, gap_ms=20_000, seed=1))

    assert len(seen) == 3
    for fit, trial in seen:
        assert t_ms[trial].min() - t_ms[fit].max() >= 20_000
        assert not set(device[fit]) & set(device[trial])


@pytest.mark.parametrize("forecaster", [Baseline(low=-0.2, high=0.2), Baseline(low=-9.0, high=9.0)])
def test_calibration_makes_a_band_hold_that_was_too_narrow_or_too_wide(forecaster: Baseline) -> None:
    random = np.random.default_rng(5)
    features, innovation = np.zeros((8000, 14)), random.normal(size=8000)

    calibrate(forecaster, features[:4000], innovation[:4000])

    assert coverage(forecaster.predict(features[4000:]), innovation[4000:]) == pytest.approx(COVERAGE, abs=0.02)
