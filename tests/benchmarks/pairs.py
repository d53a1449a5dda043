"""Alternating pairs of measurements and their ratio."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours against a reference, measured alternately.

    Attributes:
        ours, reference: Median rate of each, in the unit of the benchmark.
        median, low, high: Ratio ours ÷ reference of the pairs.
        pairs: Number of pairs.
    """

    ours: float
    reference: float
    median: float
    low: float
    high: float
    pairs: int


def measure_pairs(ours: Callable[[], float], reference: Callable[[], float], *, pairs: int) -> Ratio:
    """Run `reference` and `ours` in turn, `pairs` times, after one warm-up each."""
    reference()
    ours()
    measured = [(ours(), reference()) if i % 2 else _swapped(reference, ours) for i in range(pairs)]
    ratios = [a / b for a, b in measured]
    return Ratio(
        ours=statistics.median(a for a, _ in measured),
        reference=statistics.median(b for _, b in measured),
        median=statistics.median(ratios),
        low=min(ratios),
        high=max(ratios),
        pairs=pairs,
    )


def _swapped(reference: Callable[[], float], ours: Callable[[], float]) -> tuple[float, float]:
    """Reference first, so that neither always runs on the warmer machine."""
    b = reference()
    return ours(), b
