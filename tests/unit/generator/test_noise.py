import numpy as np

from backend.generator.noise import derived_keys, device_keys, normals, uniform

IDS = [f"d{i}" for i in range(20_000)]


def test_numbers_belong_to_the_device_not_to_the_grouping() -> None:
    together = uniform(device_keys(1, IDS[:10]), 77, 3)
    apart = np.concatenate([uniform(device_keys(1, [i]), 77, 3) for i in IDS[:10]])
    np.testing.assert_array_equal(together, apart)


def test_one_counter_for_all_and_one_each_agree() -> None:
    keys = device_keys(1, IDS[:10])
    np.testing.assert_array_equal(uniform(keys, 77, 3), uniform(keys, np.full(10, 77), 3))


def test_uniform_and_normal_have_the_right_moments() -> None:
    keys = device_keys(9, IDS)
    u = uniform(keys, 5, 0)
    assert u.min() >= 0
    assert u.max() < 1
    assert abs(u.mean() - 0.5) < 0.01
    assert abs(u.var() - 1 / 12) < 0.003
    a, b = normals(keys, 5, 0)
    for z in (a, b):
        assert abs(z.mean()) < 0.03
        assert abs(z.std() - 1) < 0.03
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.03


def test_counters_streams_seeds_and_devices_are_independent() -> None:
    keys = device_keys(9, IDS)
    base = uniform(keys, 5, 0)
    others = [uniform(keys, 6, 0), uniform(keys, 5, 1), uniform(device_keys(10, IDS), 5, 0), np.roll(base, 1)]
    others += (uniform(derived_keys(keys, 0), 5, 0), uniform(derived_keys(keys, 1), 5, 0))
    for other in others:
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.03
