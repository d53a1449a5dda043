"""Of readings with the same identity the last counts in their window, and each identity is kept once."""

import random

import pytest

from tests.unit.spark.test_transform import BASE_MS, Reading, Stream, stream

__all__ = ["stream"]

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

CLOSER: Reading = ("closer", "humidity", BASE_MS + 60_000, 1.0)
WINDOW = "2023-11-14T22:13:20Z/temperature/d"


def reading(value: float, *, at_ms: int = 1000) -> Reading:
    return ("d", "temperature", BASE_MS + at_ms, value)


def test_a_correction_replaces_what_it_corrects(stream: Stream) -> None:
    stream.take([reading(10.0)])
    stream.take([reading(20.0)])
    stream.take([CLOSER])
    assert stream.closed[WINDOW] == (20.0, 20.0, 20.0, 1)
    assert (stream.counted("conflicts"), stream.counted("duplicates")) == (1, 0)


def test_a_value_that_comes_back_counts_again(stream: Stream) -> None:
    for value in (10.0, 20.0, 10.0):
        stream.take([reading(value)])
    stream.take([CLOSER])
    assert stream.closed[WINDOW] == (10.0, 10.0, 10.0, 1)
    assert (stream.counted("conflicts"), stream.counted("duplicates")) == (2, 0)


def test_the_last_goes_by_arrival_then_partition_and_offset(stream: Stream) -> None:
    """A device without a key: what arrived last may be read first."""
    stream.take([reading(3.0)], arrival_ms=BASE_MS + 3000, partition=1)
    stream.take([reading(9.0)], arrival_ms=BASE_MS + 2000, partition=2)
    stream.take([reading(4.0)], arrival_ms=BASE_MS + 3000, partition=0)
    stream.take([CLOSER])
    assert stream.closed[WINDOW][0] == 3.0
    assert stream.counted("conflicts") == 2


def test_repeats_and_corrections_stay_apart(stream: Stream) -> None:
    rng = random.Random(3)
    sent = [reading(round(rng.uniform(0, 50), 1), at_ms=at) for at in range(0, 10_000, 100)]
    stream.take(sent + rng.sample(sent, 30))
    stream.take([(d, s, t, v + 0.5) for d, s, t, v in rng.sample(sent, 7)])
    stream.take([CLOSER])
    assert stream.closed[WINDOW][3] == len(sent)
    assert (stream.counted("duplicates"), stream.counted("conflicts"), stream.counted("late")) == (30, 7, 0)


def test_many_repeats_of_one_reading_cost_one_entry(stream: Stream) -> None:
    stream.take([reading(10.0)])
    before = stream.state_bytes
    stream.take([reading(10.0)] * 100_000)
    assert stream.counted("duplicates") == 100_000
    assert stream.state_bytes <= before + 64


def test_late_readings_that_come_twice_are_late_once_and_repeats_once(stream: Stream) -> None:
    stream.take([CLOSER])
    late = [("old", "temperature", BASE_MS - 7_300_000 + n * 1000, 20.0) for n in range(7200)]
    stream.take([*late, CLOSER])
    stream.take([*late[:3600], ("old", "temperature", late[0][2], 21.0)])
    stream.take(late[3600:])
    assert (stream.counted("late"), stream.counted("duplicates"), stream.counted("conflicts")) == (7200, 7201, 1)
