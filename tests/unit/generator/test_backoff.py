import random

import pytest

from backend.generator.backoff import BASE_S, CAP_S, MAX_RETRY_AFTER_S, jittered, retry_after_s


def test_waits_double_up_to_a_bound_with_full_jitter() -> None:
    rng = random.Random(1)
    for attempts in (1, 2, 3, 5, 10, 10_000):
        bound = min(CAP_S, BASE_S * 2.0 ** min(attempts - 1, 30))
        draws = [jittered(attempts, rng) for _ in range(500)]
        assert 0 <= min(draws) < 0.05 * bound
        assert 0.95 * bound < max(draws) <= bound


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("3", 3),
        ("0.5", 0.5),
        ("-3", 0),
        ("nan", 0),
        ("inf", 0),
        ("soon", 0),
        ("100000", MAX_RETRY_AFTER_S),
        ("Tue, 28 Mar 2023 20:04:27 GMT", 5),
        ("Tue, 28 Mar 2023 20:04:17 GMT", 0),
    ],
)
def test_retry_after(header: str | None, seconds: float) -> None:
    assert retry_after_s(header, wall=lambda: 1_680_033_862.0) == seconds
