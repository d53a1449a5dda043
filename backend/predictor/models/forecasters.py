"""Forecasters of one sensor: from the features of the readings before, the quantiles of the next innovation.

`Baseline` is the profile's own linear forecast, moved by the time of day where that is known, with a band as wide as its errors
were. `Boosting` is gradient boosting with a quantile loss. Both bands are made to hold by conformal calibration: they are
widened, or narrowed, by what it took on readings that they were not fitted to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from backend.scoring.layout import F64, FEATURES

#: Part of the readings that lie inside the band.
COVERAGE: Final = 0.9
QUANTILES: Final = (0.5, (1.0 - COVERAGE) / 2.0, (1.0 + COVERAGE) / 2.0)
_DAY_COLUMNS: Final = [FEATURES.index("day_sin"), FEATURES.index("day_cos")]


class SensorForecaster(Protocol):
    """One sensor's forecaster.

    Attributes:
        name: Of the kind of forecaster.
        margin: By which the band was widened, in multiples of the noise.
    """

    name: str
    margin: float

    def fit(self, features: F64, innovation: F64) -> None:
        """Learn from readings that are believed to be good, oldest first."""
        ...

    def predict(self, features: F64) -> F64:
        """Middle, lower and upper quantile, shape (n, 3)."""
        ...


def calibrate(forecaster: SensorForecaster, features: F64, innovation: F64) -> None:
    """Set the margin such that the band holds on these readings, which it was not fitted to (conformalised quantiles)."""
    forecaster.margin = 0.0
    quantiles = forecaster.predict(features)
    outside = np.sort(np.maximum(quantiles[:, 1] - innovation, innovation - quantiles[:, 2]))
    rank = int(np.ceil((len(outside) + 1) * COVERAGE)) - 1
    forecaster.margin = float(outside[min(rank, len(outside) - 1)])


@dataclass
class Baseline:
    """The profile's forecast, and the time of day.

    Attributes:
        weights: Of the day's wave.
        low, high: Quantiles of the error.
    """

    weights: list[float] = field(default_factory=lambda: [0.0, 0.0])
    low: float = -1.645
    high: float = 1.645
    margin: float = 0.0
    name: str = "baseline"

    def fit(self, features: F64, innovation: F64) -> None:
        day = features[:, _DAY_COLUMNS]
        clipped = np.clip(innovation, -4.0, 4.0)
        if np.any(day):
            penalty = 10.0 * np.eye(2)
            self.weights = np.linalg.solve(day.T @ day + penalty, day.T @ clipped).tolist()
        rest = innovation - day @ np.array(self.weights)
        self.low, self.high = (float(q) for q in np.quantile(rest, QUANTILES[1:]))

    def predict(self, features: F64) -> F64:
        middle = features[:, _DAY_COLUMNS] @ np.array(self.weights)
        result: F64 = np.stack((middle, middle + self.low - self.margin, middle + self.high + self.margin), axis=1)
        return result


@dataclass
class Boosting:
    """Quantile gradient boosting.

    Attributes:
        leaves, smallest, iterations, shrinkage: Regularisation; chosen by cross-validation.
        seed: Of the fit.
        pipelines: Fitted, one a quantile: scaler and trees.
    """

    leaves: int = 15
    smallest: int = 200
    iterations: int = 40
    shrinkage: float = 1.0
    seed: int = 0
    margin: float = 0.0
    pipelines: list[Any] = field(default_factory=list)
    name: str = "boosting"

    def fit(self, features: F64, innovation: F64) -> None:
        # One thread: on a machine that has other things to do, threads that wait for each other cost more than they bring.
        with threadpool_limits(1):
            self.pipelines = [self._pipeline(q).fit(features, np.clip(innovation, -6.0, 6.0)) for q in QUANTILES]

    def _pipeline(self, quantile: float) -> Pipeline:
        trees = HistGradientBoostingRegressor(
            loss="quantile",
            quantile=quantile,
            max_iter=self.iterations,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.smallest,
            l2_regularization=self.shrinkage,
            early_stopping=False,
            random_state=self.seed,
        )
        return Pipeline([("scale", StandardScaler()), ("trees", trees)])

    def predict(self, features: F64) -> F64:
        with threadpool_limits(1):
            middle, low, high = (pipeline.predict(features) for pipeline in self.pipelines)
        result: F64 = np.stack((middle, np.minimum(low, middle) - self.margin, np.maximum(high, middle) + self.margin), axis=1)
        return result


def pinball(quantiles: F64, innovation: F64) -> float:
    """Mean pinball loss over the three quantiles; less is better."""
    losses: Sequence[float] = [
        float(np.mean(np.maximum(q * (innovation - forecast), (q - 1.0) * (innovation - forecast))))
        for q, forecast in zip(QUANTILES, quantiles.T, strict=True)
    ]
    return float(np.mean(losses))


def coverage(quantiles: F64, innovation: F64) -> float:
    """Part of the readings inside the band."""
    return float(np.mean((innovation >= quantiles[:, 1]) & (innovation <= quantiles[:, 2])))
