"""Forecasts that cost nothing: a model has to be better than they are."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from backend.predictor.training.table import Table
from backend.scoring.layout import F64, FEATURES, WINDOW

#: Readings in the rolling median.
_ROLLING = 31
_NORMAL = 1.645 * 1.4826


def last_value(table: Table) -> F64:
    """Error of "the same as the last one", in multiples of the noise."""
    return table.innovation + table.features[:, FEATURES.index("predicted_step")]


def device_mean(table: Table) -> F64:
    """Error of "the device's slow level", in multiples of the noise."""
    names = ("near_level", "middle_level", "slow_level")
    error = last_value(table)
    for name in names:
        error = error + table.features[:, FEATURES.index(name)]
    return error


def rolling(device: F64, values: F64) -> tuple[F64, F64]:
    """Median and MAD of the readings before each reading of its device; NaN for the first ones.

    Args:
        device, values: Of all readings in the order of time.

    Returns:
        Two arrays like `values`.
    """
    median, mad = np.full(len(values), np.nan), np.full(len(values), np.nan)
    for number in np.unique(device):
        at = np.flatnonzero(device == number)
        if len(at) <= _ROLLING:
            continue
        for a in range(0, len(at) - _ROLLING, 50_000):
            part = at[a : a + 50_000 + _ROLLING]
            windows = sliding_window_view(values[part], _ROLLING)[:-1]
            middle = np.median(windows, axis=1)
            median[part[_ROLLING:]] = middle
            mad[part[_ROLLING:]] = np.median(np.abs(windows - middle[:, None]), axis=1)
    return median, mad


def rolling_band(innovation: F64, error: F64, mad: F64) -> F64:
    """Rolling median and MAD as quantiles of the innovation, shape (n, 3), in multiples of the noise."""
    middle = innovation - error
    half = _NORMAL * np.maximum(mad, 1e-9)
    return np.stack((middle, middle - half, middle + half), axis=1)


assert _ROLLING < WINDOW  # noqa: S101 - the comparison sees no more than the window does
