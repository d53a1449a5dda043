import numpy as np
import pytest

from backend.contract.devices import DEVICE_TYPES
from backend.generator.signals import Signals

DAY_MS = 86_400_000
MIDNIGHT_MS = 20_000 * DAY_MS


def build(n: int, kind: int, seed: int = 1) -> Signals:
    return Signals.build(seed, [f"{kind}-{i}" for i in range(n)], [kind] * n)


def series(signals: Signals, times_ms: np.ndarray) -> np.ndarray:
    rows = np.arange(len(signals))
    return np.array([signals.report(rows, signals.sample(rows, int(t))) for t in times_ms])


def test_a_device_gives_the_same_values_in_any_company() -> None:
    ids, kinds = [f"d{i}" for i in range(8)], [0, 1, 2, 3] * 2
    times = MIDNIGHT_MS + np.arange(50) * 1000
    together = series(Signals.build(1, ids, kinds), times)
    for i in range(8):
        alone = series(Signals.build(1, [ids[i]], [kinds[i]]), times)
        np.testing.assert_array_equal(together[:, i], alone[:, 0])


def test_state_stays_with_its_device_when_others_leave_and_join() -> None:
    times = MIDNIGHT_MS + np.arange(40) * 1000
    undisturbed = series(build(6, 0), times)
    signals = build(6, 0)
    first = series(signals, times[:20])
    signals.keep(np.array([True, False, True, False, True, True]))
    signals.append(Signals.build(1, ["new"], [3]))
    rest = series(signals, times[20:])
    np.testing.assert_array_equal(first, undisturbed[:20])
    np.testing.assert_array_equal(rest[:, :4], undisturbed[20:, [0, 2, 4, 5]])


def test_seed_and_id_make_the_signal() -> None:
    times = MIDNIGHT_MS + np.arange(5) * 1000
    assert not np.array_equal(series(build(3, 0, seed=1), times), series(build(3, 0, seed=2), times))
    assert len({tuple(column) for column in series(build(20, 0), times).T}) == 20


@pytest.mark.parametrize("kind", range(4))
def test_values_are_within_limits_and_multiples_of_the_resolution(kind: int) -> None:
    signals = build(200, kind)
    values = series(signals, MIDNIGHT_MS + np.arange(0, 3 * DAY_MS, 1_800_000))
    assert values.min() >= DEVICE_TYPES[kind].minimum
    assert values.max() <= DEVICE_TYPES[kind].maximum
    steps = values / signals.resolution
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-6)
    assert all(len(repr(v).split(".")[1]) <= 4 for v in values[0].tolist())


@pytest.mark.parametrize("kind", range(4))
def test_reports_are_clamped_to_what_paai_accepts(kind: int) -> None:
    signals, rows = build(2, kind), np.arange(2)
    low, high = DEVICE_TYPES[kind].minimum, DEVICE_TYPES[kind].maximum
    assert signals.report(rows, np.array([-1e6, 1e6])).tolist() == [low, high]


def test_warm_by_day_and_humid_by_night() -> None:
    hours = MIDNIGHT_MS + np.array([5, 15]) * 3_600_000
    night, day = series(build(400, 0), hours).mean(axis=1)
    assert 2.0 < day - night < 6.0
    night, day = series(build(400, 2), hours).mean(axis=1)
    assert night - day > 4.0


def test_barometers_share_their_weather() -> None:
    values = series(build(30, 1), MIDNIGHT_MS + np.arange(0, 10 * DAY_MS, 3_600_000))
    correlation = np.corrcoef(values.T)
    assert np.median(correlation) > 0.7


def test_hearts_rest_at_night_and_work_by_day() -> None:
    signals = build(100, 3)
    day = series(signals, MIDNIGHT_MS + 9 * 3_600_000 + np.arange(0, 3 * 3_600_000, 10_000))
    night = series(build(100, 3), MIDNIGHT_MS + 2 * 3_600_000 + np.arange(0, 3_600_000, 10_000))
    assert day.mean() - night.mean() > 8
    assert np.median(day.max(axis=0) - day.min(axis=0)) > 25  # walked or exercised within three hours
    assert np.abs(np.diff(day, axis=0)).max() < 60  # with a lag, not at once


def test_slow_noise_forgets_at_its_own_pace() -> None:
    signals, rows = build(4000, 0), np.arange(4000)
    signals.daily[:] = 0
    start = signals.slow.copy()
    signals.sample(rows, MIDNIGHT_MS)
    np.testing.assert_array_equal(signals.slow, start)
    signals.sample(rows, MIDNIGHT_MS + 1_800_000)
    expected = np.exp(-1800.0 / signals.slow_tau_s).mean()
    assert abs(np.corrcoef(start, signals.slow)[0, 1] - expected) < 0.05
    assert abs(signals.slow.std() / start.std() - 1) < 0.05  # stationary
