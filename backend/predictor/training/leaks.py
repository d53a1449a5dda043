"""Finds features that know the future: whatever is computed of a reading must not change when later readings do."""

from collections.abc import Callable
from typing import Final

import numpy as np

from backend.predictor.errors import TrainingError
from backend.scoring.engine import Engine
from backend.scoring.layout import F64, FEATURES, I64, SENSOR_CODES
from backend.scoring.profile import SensorProfile

#: Features of each reading, shape (n, features), from times and values of one device.
Compute = Callable[[I64, F64], F64]
#: Readings that it is tried with.
TRIED: Final = 400


def leaking(compute: Compute, t_ms: I64, values: F64) -> list[int]:
    """Columns of the features that change when the reading itself or later ones do."""
    before = compute(t_ms, values)
    # Upside down within the range: other values, and none that the sensor cannot measure.
    mirrored = np.min(values) + np.max(values) - values
    columns: set[int] = set()
    for cut in (len(values) // 2, len(values) - 20):
        changed = values.copy()
        changed[cut:] = mirrored[cut:]
        after = compute(t_ms, changed)
        same = np.isclose(before[: cut + 1], after[: cut + 1], rtol=0, atol=1e-9, equal_nan=True)
        columns |= set(np.flatnonzero(~same.all(axis=0)).tolist())
    return sorted(columns)


def engine_features(sensor: str, profile: SensorProfile) -> Compute:
    """The features as the engine computes them."""

    def compute(t_ms: I64, values: F64) -> F64:
        engine = Engine({sensor: profile}, explain=True)
        codes = np.full(len(values), SENSOR_CODES[sensor], dtype=np.int8)
        features = engine.score(["device"] * len(values), codes, t_ms, values).features
        assert features is not None  # noqa: S101 - the engine explains
        return features

    return compute


def check(compute: Compute, t_ms: I64, values: F64) -> None:
    """Raises TrainingError when a feature knows the future."""
    columns = leaking(compute, t_ms[:TRIED], values[:TRIED])
    if columns:
        names = ", ".join(FEATURES[c] if c < len(FEATURES) else str(c) for c in columns)
        raise TrainingError(
            f"These features change with readings that come later: {names}. A model made with them is worthless."
        )
