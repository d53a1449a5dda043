"""VUS-PR: volume under the surface of precision and recall over all thresholds and all widths of a buffer around events.

Paparrizos et al., "Volume Under the Surface", PVLDB 15(11), 2022: a label decays from 1 to 0 over a buffer on either side of
each event, so that a detection a little beside it counts in part; recall is weighted by the part of events that are hit at all;
the area under precision and recall is averaged over the widths of the buffer.
"""

from collections.abc import Iterable

import numpy as np

from backend.scoring.layout import F64, Bool


def vus_pr(score: F64, labels: Bool, *, widest: int = 100, widths: Iterable[int] | None = None) -> float:
    """Between 0 and 1; about the part of labelled readings for a random score.

    Args:
        score: How odd each reading is, in any unit.
        labels: Which readings are touched by an event.
        widest: Of the buffers, in readings.
        widths: The widths to average over; by default eleven from 0 to `widest`.

    Raises:
        ValueError: there is no event, or a score is NaN.
    """
    if not labels.any():
        raise ValueError("without any labelled event there is nothing to measure")
    if np.isnan(score).any():
        raise ValueError("a score is NaN")
    chosen = list(widths) if widths is not None else sorted({round(w) for w in np.linspace(0, widest, 11)})
    order = np.argsort(-score, kind="stable")
    sorted_score = score[order]
    # Readings of one score are taken together.
    last = np.flatnonzero(np.r_[sorted_score[1:] != sorted_score[:-1], True])
    begins, ends = _segments(labels)
    return float(np.mean([_area(score, labels, order, last, begins, ends, width) for width in chosen]))


def _segments(labels: Bool) -> tuple[np.typing.NDArray[np.intp], np.typing.NDArray[np.intp]]:
    edges = np.diff(np.r_[0, labels.astype(np.int8), 0])
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1


def _area(
    score: F64,
    labels: Bool,
    order: np.typing.NDArray[np.intp],
    last: np.typing.NDArray[np.intp],
    begins: np.typing.NDArray[np.intp],
    ends: np.typing.NDArray[np.intp],
    width: int,
) -> float:
    n, half = len(labels), width // 2
    soft = labels.astype(np.float64)
    for distance in range(1, half + 1):
        weight = np.sqrt(1.0 - distance / width)
        for place in (begins - distance, ends + distance):
            np.maximum.at(soft, place[(place >= 0) & (place < n)], weight)
    low, high = np.maximum(begins - half, 0), np.minimum(ends + half, n - 1)
    best = np.sort([score[a : b + 1].max() for a, b in zip(low, high, strict=True)])
    thresholds = score[order[last]]
    hit = 1.0 - np.searchsorted(best, thresholds, side="left") / len(best)
    true = np.cumsum(soft[order])[last]
    positives = (labels.sum() + soft.sum()) / 2.0
    recall = np.minimum(true / positives, 1.0) * hit
    precision = true / (last + 1.0)
    area: float = float(np.sum(np.diff(np.r_[0.0, recall]) * precision))
    return area
