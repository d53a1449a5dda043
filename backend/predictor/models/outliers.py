"""An unsupervised detector on the statistics of the window, to compare the matched filters with."""

from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest
from threadpoolctl import threadpool_limits

from backend.scoring.layout import F64, INNOVATION, SHIFT, SPIKE, SPIKE_EARLY, STEP

_COLUMNS = [INNOVATION, SPIKE_EARLY, SPIKE, *range(SPIKE + 1, STEP), SHIFT]


class Forest:
    """IsolationForest on the sizes of the statistics."""

    def __init__(self, *, seed: int) -> None:
        self._trees: Any = IsolationForest(n_estimators=100, random_state=seed)

    def fit(self, statistics: F64) -> None:
        """Learn from good readings; rows without statistics are left out."""
        rows = statistics[:, _COLUMNS]
        with threadpool_limits(1):
            self._trees.fit(np.abs(rows[np.isfinite(rows).all(axis=1)]))

    def score(self, statistics: F64) -> F64:
        """How odd each row is; NaN where there are no statistics."""
        rows = statistics[:, _COLUMNS]
        known = np.isfinite(rows).all(axis=1)
        result = np.full(len(rows), np.nan)
        if known.any():
            with threadpool_limits(1):
                result[known] = -self._trees.score_samples(np.abs(rows[known]))
        return result
