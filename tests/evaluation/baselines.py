"""Simple detectors, each with its usual threshold, on the same readings."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from sklearn.ensemble import IsolationForest
from threadpoolctl import threadpool_limits

from backend.predictor.training.naive import rolling
from backend.scoring.layout import F64

#: Readings from which a fixed detector learns what is normal.
_LEARN: Final = 1800
NAMES: Final = ("fixed 3-sigma", "rolling median/MAD", "last difference", "IsolationForest", "random")


def scores(values: F64, *, seed: int) -> Mapping[str, tuple[F64, float]]:
    """Score of each reading of one device in the order of time, and from where on it counts as odd, by detector.

    Args:
        values: One device's readings.
        seed: Of what is drawn.
    """
    learnt = values[:_LEARN]
    spread = float(np.std(learnt)) or 1.0
    median, mad = rolling(np.zeros(len(values)), values)
    wide = 1.4826 * np.maximum(mad, 1e-6 + 0.05 * np.nanmedian(mad))
    step = np.abs(np.diff(values, prepend=values[0]))
    usual = float(np.std(np.diff(learnt))) or 1.0
    lags = np.stack([np.roll(values, k) for k in range(4)], axis=1)
    lags[:4] = values[0]
    with threadpool_limits(1):
        forest = IsolationForest(random_state=seed).fit(lags[:_LEARN])
        odd = -forest.decision_function(lags)
    random = np.random.default_rng(seed).random(len(values))
    return {
        "fixed 3-sigma": (np.abs(values - np.mean(learnt)) / spread, 3.0),
        "rolling median/MAD": (np.nan_to_num(np.abs(values - median) / wide), 3.5),
        "last difference": (step / usual, 3.0),
        "IsolationForest": (odd, 0.0),
        "random": (random, 0.999),
    }
