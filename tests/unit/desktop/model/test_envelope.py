"""The fleet's lattice against brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.model.envelope import BUCKET_MS, LEVELS_MS, FleetLattice, level_for, summary, to_envelope

BASE = 1_795_499_070_000
READINGS = st.lists(st.tuples(st.integers(0, 30_000), st.floats(-50, 50, width=32)), min_size=1, max_size=50)


@settings(max_examples=200)
@given(
    batches=st.lists(READINGS, min_size=1, max_size=5),
    begin=st.integers(-5_000, 30_000),
    length=st.integers(1, 40_000),
    level=st.sampled_from(LEVELS_MS),
)
def test_every_bucket_is_what_brute_force_gives(
    batches: list[list[tuple[int, float]]], begin: int, length: int, level: int
) -> None:
    """Batches overlap and come late; the ring is long enough for all of them."""
    lattice = FleetLattice(span_ms=60_000)
    everything: list[tuple[int, float]] = []
    for batch in batches:
        lattice.add(np.array([BASE + t for t, _ in batch], dtype=np.int64), np.array([v for _, v in batch]))
        everything += [(BASE + t, v) for t, v in batch]
    cut = lattice.cut(BASE + begin, BASE + begin + length, level)
    cut = cut.coarser(level // BUCKET_MS) if len(cut.count) else cut
    envelope = to_envelope(cut)
    wanted: dict[int, list[float]] = {}
    for t, v in everything:
        start = t // level * level
        if start < BASE + begin + length and start + level > BASE + begin:
            wanted.setdefault(start, []).append(v)
    filled = {round(t * 1000): i for i, t in enumerate(envelope.t.tolist()) if envelope.count[i]}
    assert filled.keys() == wanted.keys()
    for start, i in filled.items():
        assert envelope.low[i] == min(wanted[start])
        assert envelope.high[i] == max(wanted[start])
        assert envelope.count[i] == len(wanted[start])
        assert envelope.mean[i] == pytest.approx(sum(wanted[start]) / len(wanted[start]), abs=1e-6)
    empty = envelope.count == 0
    assert np.isnan(envelope.low[empty]).all()
    assert np.isnan(envelope.mean[empty]).all()
    assert (np.diff(envelope.t) > 0).all()


def test_the_ring_forgets_what_is_older_than_its_span_and_takes_it_no_more() -> None:
    lattice = FleetLattice(span_ms=10_000)
    lattice.add(np.array([BASE]), np.array([1.0]))
    lattice.add(np.array([BASE + 10_000]), np.array([2.0]))
    lattice.add(np.array([BASE + 100]), np.array([99.0]))  # out of reach now
    whole = lattice.cut(BASE - 60_000, BASE + 60_000, BUCKET_MS)
    assert (int(whole.count.sum()), summary(whole)) == (1, (2.0, 2.0, 2.0))
    assert len(whole.count) <= 40


def test_a_long_silence_clears_all() -> None:
    lattice = FleetLattice(span_ms=10_000)
    lattice.add(np.array([BASE, BASE + 9_000]), np.array([1.0, 2.0]))
    lattice.add(np.array([BASE + 3_600_000]), np.array([3.0]))
    assert summary(lattice.cut(BASE, BASE + 3_700_000, BUCKET_MS)) == (3.0, 3.0, 3.0)


def test_nothing_gives_nothing() -> None:
    cut = FleetLattice().cut(0, 1_000, 1_000)
    assert len(to_envelope(cut).t) == 0
    assert all(math.isnan(x) for x in summary(cut))


@pytest.mark.parametrize(
    ("span_s", "pixels", "interval_s", "level"),
    [(30, 1280, 1.0, 1_000), (300, 1280, 0.2, 250), (300, 1280, 1.0, 1_000), (3600, 1280, 1.0, 5_000),
     (300, 1280, 10.0, 10_000), (3600, 10, 1.0, 60_000), (300, 1280, 1.05, 1_000), (300, 0, 1.0, 60_000)],
)  # fmt: skip
def test_a_bucket_is_at_least_a_pixel_and_an_interval(span_s: float, pixels: int, interval_s: float, level: int) -> None:
    assert level_for(span_s * 1000, pixels, interval_s * 1000) == level
