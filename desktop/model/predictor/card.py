"""A model's card as the predictor answers it. What an older card does not tell is unknown, never an error."""

import math
from typing import Final

import msgspec

from backend.contract.devices import BY_SENSOR
from desktop.model.figures import percent

_NAN: Final = float("nan")


class Errors(msgspec.Struct, frozen=True):
    """A forecast on the stretch that training never saw; NaN where it has no such figure.

    Attributes:
        mae: Mean absolute error, in multiples of each device's noise.
        pinball: Loss of its expected value and band together, in the same unit.
        coverage: Part of the readings inside its band, 0 … 1.
    """

    mae: float = _NAN
    pinball: float = _NAN
    coverage: float = _NAN


class HeldOut(msgspec.Struct, frozen=True):
    """The model and the simple forecasts on that stretch."""

    model: Errors = Errors()
    rolling_median: Errors = Errors()
    last_value: Errors = Errors()
    device_mean: Errors = Errors()


class Detectors(msgspec.Struct, frozen=True):
    """Average precision, 0 … 1, of each detector on spikes that were set into that stretch."""

    matched_filters: float = _NAN
    isolation_forest: float = _NAN
    rolling_median: float = _NAN


class SensorCard(msgspec.Struct, frozen=True):
    """One sensor.

    Attributes:
        devices, readings: What it was trained on.
        forecaster: What cross-validation chose: "baseline", "boosting".
        held_out, detectors: See there.
    """

    devices: int = 0
    readings: int = 0
    forecaster: str = ""
    held_out: HeldOut = HeldOut()
    detectors: Detectors = Detectors()


class Card(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """How a model came about and how good it is.

    Attributes:
        created: When, ISO 8601.
        took_s: How long its training took.
        start, end: First and last reading, ISO 8601.
        rows: By sensor: read, used, missing, impossible, duplicates, gaps.
        features: Names of what the forecast is made of.
        feature_version: Of the code that computes them.
        code: Hash of the code that trained.
        sklearn: Version of scikit-learn.
        seed: Of everything drawn.
        coverage: Part of the readings that shall be inside the band.
        sensors: Those that it is good enough for.
        beats_rolling_median: By sensor: whether it is better than rolling median and MAD.
        refused: By sensor: why there is no model for it.
    """

    created: str = ""
    took_s: float = _NAN
    start: str = ""
    end: str = ""
    rows: dict[str, dict[str, int]] = {}
    features: list[str] = []
    feature_version: int | str = ""
    code: str = ""
    sklearn: str = ""
    seed: int = 0
    coverage: float = 0.9
    sensors: dict[str, SensorCard] = {}
    beats_rolling_median: dict[str, bool] = {}
    refused: dict[str, str] = {}

    def count(self, what: str) -> int:
        """Readings of all sensors by what became of them: "used", "missing", …"""
        return sum(row.get(what, 0) for row in self.rows.values())

    @property
    def beats_baselines(self) -> bool:
        """Whether each of its sensors is forecast better than by rolling median and MAD."""
        return bool(self.sensors) and all(self.beats_rolling_median.get(sensor, False) for sensor in self.sensors)


class Version(msgspec.Struct, frozen=True):
    """One published model.

    Attributes:
        version: ``v3``.
        promoted: Whether it scores the stream.
        promoted_at: Since when, ISO 8601; None for the others and where it is not known.
        size: Of its file, bytes.
        sha256: Of its file.
        card: See `Card`.
    """

    version: str
    promoted: bool = False
    promoted_at: str | None = None
    size: int = 0
    sha256: str = ""
    card: Card = Card()


class Models(msgspec.Struct, frozen=True):
    """Every version, the newest first.

    Attributes:
        models: Those.
        promoted: The one that the service holds in memory, or None.
        previous: The one that a roll back would promote, or None.
    """

    models: list[Version] = []
    promoted: str | None = None
    previous: str | None = None

    @property
    def serving(self) -> Version | None:
        """The promoted version."""
        return next((m for m in self.models if m.promoted), None)

    def get(self, version: str) -> Version | None:
        """One version, where there is one."""
        return next((m for m in self.models if m.version == version), None)


def sensor_label(sensor: str) -> str:
    """For people."""
    known = BY_SENSOR.get(sensor)
    return known.label if known else sensor


def shortcomings(card: Card) -> list[str]:
    """Where the model is no better than rolling median and MAD, a sentence each; empty where it is."""
    found = []
    for name, sensor in card.sensors.items():
        if card.beats_rolling_median.get(name, False):
            continue
        model, rolling, title = sensor.held_out.model, sensor.held_out.rolling_median, sensor_label(name)
        reasons = []
        if not model.pinball < rolling.pinball:
            reasons.append(
                f"its band fits no better than that of rolling median and MAD ({model.pinball:.3f}, {rolling.pinball:.3f})"
            )
        seen = sensor.detectors
        if not seen.matched_filters > seen.rolling_median:
            reasons.append(
                f"it finds spikes no better than rolling median and MAD ({seen.matched_filters:.2f}, {seen.rolling_median:.2f})"
            )
        if math.isfinite(model.coverage) and abs(model.coverage - card.coverage) > 0.05:
            reasons.append(f"its band holds {percent(model.coverage)} of the readings instead of {percent(card.coverage)}")
        found.append(f"{title}: {', and '.join(reasons) or 'not better than rolling median and MAD'}.")
    return found
