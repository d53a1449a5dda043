"""Profiles: filters that keep their promise, limits that follow the tail, and histories that teach nothing."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from backend.scoring.engine import Engine
from backend.scoring.errors import ProfileError
from backend.scoring.layout import INNOVATION, RAMPS, SENSOR_CODES, SHIFT, SPIKE, STATISTICS, WINDOW
from backend.scoring.learn import calibrate, learn_profile, noise_of, tail_limit
from backend.scoring.profile import SensorProfile
from tests.helpers.series import START_MS, profile, wander


def test_statistics_are_standard_normal_and_blind_to_the_level() -> None:
    learnt = profile(noise=0.5, step=0.05)
    windows = sliding_window_view(wander(77, 4000, noise=0.5, step=0.05, level=1000.0), WINDOW)
    scale = noise_of(wander(77, 4000, noise=0.5, step=0.05))

    z = windows @ learnt.filters / scale

    assert np.abs(z.std(axis=0) - 1.0).max() < 0.15
    assert np.abs((windows + 500.0) @ learnt.filters - windows @ learnt.filters).max() < 0.05


def test_what_comes_after_a_reading_makes_its_spike_clearer() -> None:
    learnt = profile()

    assert learnt.strength[SPIKE] > learnt.strength[INNOVATION]


def test_outliers_in_the_history_teach_nothing() -> None:
    series = [wander(i, 4000) for i in range(3)]
    spoiled = [s.copy() for s in series]
    for s in spoiled:
        s[np.arange(100, 4000, 150)] += 40.0

    clean, robust = learn_profile("temperature", series), learn_profile("temperature", spoiled)

    assert robust.noise == pytest.approx(clean.noise, rel=0.25)
    np.testing.assert_allclose(robust.strength[[INNOVATION, SPIKE]], clean.strength[[INNOVATION, SPIKE]], rtol=0.25)


@pytest.mark.parametrize("chance", [1e-4, 1e-5, 1e-6])
def test_the_limit_of_a_normal_tail_is_that_of_the_normal(chance: float) -> None:
    wanted = {1e-4: 3.89, 1e-5: 4.42, 1e-6: 4.89}[chance]

    limit = tail_limit(np.abs(np.random.default_rng(1).normal(size=400_000)), chance, least=1.0)

    assert limit == pytest.approx(wanted, abs=0.25)


def test_a_heavy_tail_raises_the_limit() -> None:
    random = np.random.default_rng(2)

    heavy = tail_limit(np.abs(random.laplace(size=200_000)), 1e-5, least=1.0)
    normal = tail_limit(np.abs(random.normal(size=200_000)), 1e-5, least=1.0)

    assert heavy > 1.8 * normal


@pytest.mark.parametrize(("n", "limit"), [(50, 4.8), (1000, 10.0)])
def test_the_limit_of_a_few_sizes_is_beyond_all_of_them_once_there_are_enough(n: int, limit: float) -> None:
    assert tail_limit(np.linspace(0.0, 8.08, n), 1e-5, least=4.0) == pytest.approx(limit, abs=0.1)


def test_calibration_keeps_the_budget_of_false_alarms() -> None:
    learnt = profile()

    def statistics(seed: int, n: int) -> np.typing.NDArray[np.float64]:
        engine = Engine({"temperature": learnt}, explain=True)
        codes = np.full(n, SENSOR_CODES["temperature"], dtype=np.int8)
        times = START_MS + 1000 * np.arange(n, dtype=np.int64)
        found = engine.score(["d"] * n, codes, times, wander(seed, n)).statistics
        assert found is not None
        return found

    limits = calibrate(learnt, statistics(5, 6000), per_readings=500.0).limits

    over = np.nansum(np.abs(statistics(6, 6000)[:, [SPIKE, SHIFT]]) > limits[[SPIKE, SHIFT]], axis=0)
    assert over[0] <= 12  # budgeted: 5.4; it counts only where no jump explains it better
    assert over[1] <= 12


@pytest.mark.parametrize(("jumps", "ramps", "looked_for"), [(1.0, 400, True), (2.0, 400, False), (2.0, 8000, True)])
def test_a_short_history_of_a_restless_sensor_teaches_no_ramps(jumps: float, ramps: int, looked_for: bool) -> None:
    """A heart that was calm by chance while it was looked at moves a moment later: each of its ramps would be a false alarm."""
    random = np.random.default_rng(3)
    statistics = np.full((8000, STATISTICS + len(RAMPS)), np.nan)
    statistics[:, :STATISTICS] = random.normal(size=(8000, STATISTICS))
    statistics[:, SHIFT] *= jumps
    statistics[:ramps, STATISTICS:] = random.normal(size=(ramps, len(RAMPS)))

    limits = calibrate(profile(), statistics).ramp_limits

    assert bool((limits < 7.0).all()) is looked_for
    assert bool((limits > 1e5).all()) is not looked_for


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([], "too few"),
        ([wander(1, 300)], "too few"),
        ([wander(1, 20)] * 100, "too few"),
        ([np.full(5000, 3.0)], "never move"),
    ],
)
def test_a_history_that_teaches_nothing_is_refused(series: list[np.typing.NDArray[np.float64]], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        learn_profile("temperature", series)


def test_a_profile_comes_back_from_json_and_a_damaged_one_does_not() -> None:
    data = profile().to_json()

    assert SensorProfile.from_json(data).to_json() == data
    for change in ({"filters": [[1.0]]}, {"noise": -1.0}, {"sensor": "colour"}, {"limits": "x"}):
        with pytest.raises(ProfileError):
            SensorProfile.from_json({**data, **change})
    with pytest.raises(ProfileError):
        SensorProfile.from_json({})
