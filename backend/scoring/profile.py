"""What normal looks like for a sensor: matched filters, the noise to expect, and from where on something is unusual."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from backend.scoring.errors import ProfileError
from backend.scoring.layout import BLOCKS, F64, RAMPS, SENSOR_CODES, STATISTICS, WINDOW


@dataclass(frozen=True)
class SensorProfile:
    """Learnt from history; the same for all devices of the sensor.

    Attributes:
        sensor: One of `layout.SENSOR_NAMES`.
        filters: Shape (WINDOW, STATISTICS); a window times a column is standard normal for a device of noise 1.
        strength: Shape (STATISTICS,); what a column gives for its shape of height 1 noise.
        noise: One-step noise to expect of a device that is not known yet, in the sensor's unit.
        limits: Shape (STATISTICS,); from where on a statistic is unusual.
        ramp_filters, ramp_strength, ramp_limits: The same for slow movements, shapes (BLOCKS, R), (R,), (R,).
        repeats: Chance that a reading repeats the one before, for a device that is not known yet.
        readings: How many it was learnt from.
    """

    sensor: str
    filters: F64
    strength: F64
    noise: float
    limits: F64
    ramp_filters: F64
    ramp_strength: F64
    ramp_limits: F64
    repeats: float = 0.6
    readings: int = 0

    def __post_init__(self) -> None:
        if self.sensor not in SENSOR_CODES:
            raise ProfileError(f"{self.sensor!r} is no sensor; known are {', '.join(SENSOR_CODES)}")
        shapes = {
            "filters": (WINDOW, STATISTICS),
            "strength": (STATISTICS,),
            "limits": (STATISTICS,),
            "ramp_filters": (BLOCKS, len(RAMPS)),
            "ramp_strength": (len(RAMPS),),
            "ramp_limits": (len(RAMPS),),
        }
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape or not np.isfinite(array).all():
                raise ProfileError(f"the profile of {self.sensor} is damaged: {name} has the shape {array.shape}, not {shape}")
        if not (np.isfinite(self.noise) and self.noise > 0):
            raise ProfileError(f"the profile of {self.sensor} is damaged: its noise is {self.noise}")

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers; `from_json` gives exactly the same profile."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SensorProfile":
        """Raises ProfileError for anything but what `to_json` made."""
        try:
            values = {f.name: data[f.name] for f in fields(cls)}
            arrays: dict[str, Any] = {k: np.array(v, dtype=np.float64) if isinstance(v, list) else v for k, v in values.items()}
            return cls(**arrays)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ProfileError(f"the profile cannot be read: {error}") from error
