"""Small bundles, and a registry in memory."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from backend.contract.documents import LeftOut
from backend.predictor.models.bundle import Bundle, dump, load, seal_key
from backend.predictor.models.forecasters import Baseline, Boosting, SensorForecaster
from backend.predictor.registry import Entry, PromotedVersionError, RegistryUnavailableError, UnknownVersionError
from backend.scoring.layout import FEATURES
from tests.helpers.series import profile

KEY = seal_key("secret")


def bundle(*, low: float = -1.6, boosting: bool = False, version: str = "") -> Bundle:
    """For temperature and humidity; the lower bound tells models apart."""
    forecaster: SensorForecaster = Baseline(low=low)
    if boosting:
        random = np.random.default_rng(1)
        features = random.normal(size=(600, len(FEATURES)))
        forecaster = Boosting(leaves=4, smallest=20, iterations=5)
        forecaster.fit(features, features[:, 0] + random.normal(size=600))
    sensors = ("temperature", "humidity")
    card = {"sensors": {}, "refused": {}, **({"version": version} if version else {})}
    return Bundle(card, {s: profile(s) for s in sensors}, dict.fromkeys(sensors, forecaster))


class MemoryRegistry:
    """As `backend.predictor.registry.Registry`.

    Attributes:
        down: Raise as if MongoDB did not answer.
        files: Sealed files by version.
    """

    def __init__(self) -> None:
        self.left_out = LeftOut()
        self.files: dict[str, bytes] = {}
        self.history: list[str] = []
        self.down = False

    def publish(self, bundle: Bundle) -> str:
        self._check()
        version = f"v{len(self.files) + 1}"
        self.files[version] = dump(replace(bundle, card={**bundle.card, "version": version}), key=KEY)
        return version

    def entries(self) -> list[Entry]:
        self._check()
        return [self.entry(version) for version in reversed(self.files)]

    def entry(self, version: str) -> Entry:
        self._check()
        if version not in self.files:
            raise UnknownVersionError(f"There is no model {version}.")
        card: Mapping[str, Any] = {"version": version}
        return Entry(version, version == self.promoted(), card, len(self.files[version]), "")

    def fetch(self, version: str) -> Bundle:
        self.entry(version)
        return load(self.files[version], key=KEY)

    def promoted(self) -> str | None:
        self._check()
        return self.history[-1] if self.history else None

    def promote(self, version: str) -> None:
        self.fetch(version)
        self.history.append(version)

    def previous(self) -> str | None:
        self._check()
        return self.history[-2] if len(self.history) > 1 else None

    def roll_back(self) -> str:
        if self.previous() is None:
            raise UnknownVersionError("There is no earlier promoted model to go back to.")
        self.history.pop()
        return self.history[-1]

    def delete(self, version: str) -> None:
        self.entry(version)
        if version == self.promoted():
            raise PromotedVersionError(f"The model {version} is promoted.")
        del self.files[version]

    def _check(self) -> None:
        if self.down:
            raise RegistryUnavailableError("MongoDB does not answer.")
