"""Events and volumes, against what can be worked out by hand."""

import numpy as np
import pytest

from backend.predictor.metrics.events import Span, Tally, grouped
from backend.predictor.metrics.vus import vus_pr


def test_an_event_takes_one_detection_and_the_rest_are_false() -> None:
    tally = Tally()

    tally.add([Span(10, 20)], [Span(12, 12, 13), Span(18, 19, 19), Span(50, 51, 51)], tolerance_ms=5)

    assert (tally.hits, tally.misses, tally.false) == (1, 0, 2)
    assert tally.delays_s == [0.003]
    assert tally.precision == pytest.approx(1 / 3)


def test_one_detection_is_no_hit_of_two_events() -> None:
    tally = Tally()

    tally.add([Span(10, 20), Span(30, 40)], [Span(12, 35, 12)], tolerance_ms=0)

    assert (tally.hits, tally.misses, tally.false) == (1, 1, 0)


@pytest.mark.parametrize(("begin", "hit"), [(24, 1), (25, 0)])
def test_an_event_can_be_hit_a_little_after_its_end(begin: int, hit: int) -> None:
    tally = Tally()

    tally.add([Span(10, 20)], [Span(begin, begin, begin)], tolerance_ms=5)

    assert tally.hits == hit


def test_readings_near_each_other_are_one_detection() -> None:
    t_ms = np.arange(10, dtype=np.int64) * 1000
    odd = np.isin(np.arange(10), [1, 2, 5, 9])

    assert grouped(t_ms, odd, join_ms=3000) == [Span(1000, 5000, 1000), Span(9000, 9000, 9000)]


def test_a_perfect_score_has_the_whole_volume_without_a_buffer() -> None:
    labels = np.zeros(1000, dtype=np.bool_)
    labels[100:110] = labels[500:520] = True

    assert vus_pr(labels.astype(np.float64), labels, widths=[0]) == pytest.approx(1.0)
    assert vus_pr(labels.astype(np.float64), labels) > 3 * vus_pr(1.0 - labels.astype(np.float64), labels)


def test_a_random_score_has_about_the_share_of_the_labels() -> None:
    random = np.random.default_rng(1)
    labels = np.zeros(50_000, dtype=np.bool_)
    for begin in random.integers(0, 49_000, 50):
        labels[begin : begin + 50] = True

    assert vus_pr(random.random(50_000), labels, widths=[0]) == pytest.approx(labels.mean(), abs=0.03)


def test_a_detection_beside_its_event_counts_in_part() -> None:
    labels = np.zeros(1000, dtype=np.bool_)
    labels[500:510] = True
    beside, far = np.zeros(1000), np.zeros(1000)
    beside[512:515] = 1.0
    far[700:703] = 1.0

    assert vus_pr(far, labels) < vus_pr(beside, labels) < vus_pr(labels.astype(np.float64), labels)


def test_without_events_there_is_nothing_to_measure() -> None:
    with pytest.raises(ValueError, match="without any labelled event"):
        vus_pr(np.zeros(5), np.zeros(5, dtype=np.bool_))
