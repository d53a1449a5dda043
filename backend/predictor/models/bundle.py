"""One version of the models as a file: what it holds cannot execute anything, and only who has the key can have made it.

A zip archive with ``card.json`` (what people and the desktop read), ``profiles.json`` (matched filters and limits),
``forecasters.skops`` (scikit-learn's trees; read with a list of the types that may be in it) and ``golden.json`` (features and
what was forecast from them at training: a model that forecasts anything else now is not used). Before the archive stands an
HMAC-SHA256 of it.
"""

import hmac
import io
import json
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import numpy as np
import skops.io
from sklearn import __version__ as sklearn_version

from backend.predictor.errors import ModelError
from backend.predictor.models.forecasters import Baseline, Boosting, SensorForecaster
from backend.scoring.errors import ProfileError
from backend.scoring.layout import F64, FEATURE_VERSION, FEATURES
from backend.scoring.profile import SensorProfile

_MAGIC: Final = b"PAAI-MODEL-1\n"
_LARGEST: Final = 200 * 1024 * 1024
#: Beyond scikit-learn's public types, which skops knows: the arrays of a fitted tree.
_TRUSTED: Final = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
_FILES: Final = {"card.json", "profiles.json", "forecasters.skops", "golden.json"}
_CLOSE: Final = 1e-6


@dataclass(frozen=True)
class Bundle:
    """One version of the models.

    Attributes:
        card: What it was made of and how good it is.
        profiles: By sensor.
        forecasters: By sensor.
    """

    card: Mapping[str, Any]
    profiles: Mapping[str, SensorProfile]
    forecasters: Mapping[str, SensorForecaster]

    @property
    def version(self) -> str:
        """``v3``; empty before it is in the registry."""
        return str(self.card.get("version", ""))

    def predict(self, sensor: str, rows: F64) -> F64:
        """As `Forecaster.predict`."""
        return self.forecasters[sensor].predict(rows)


def seal_key(secret: str) -> bytes:
    """The key that a secret stands for. Without a secret the seal still finds damage, and no forgery."""
    return sha256(b"paai model seal\n" + secret.strip().encode()).digest()


def golden_features(seed: int) -> F64:
    """Features to try a model with, shape (64, features)."""
    return np.random.default_rng(seed).normal(0.0, 1.5, (64, len(FEATURES)))


def dump(bundle: Bundle, *, key: bytes) -> bytes:
    """The file of a bundle."""
    parts = {name: _split(forecaster) for name, forecaster in bundle.forecasters.items()}
    golden = {name: f.predict(golden_features(i)).tolist() for i, (name, f) in enumerate(bundle.forecasters.items())}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.json", json.dumps(bundle.card))
        archive.writestr(
            "profiles.json",
            json.dumps(
                {
                    "features": FEATURE_VERSION,
                    "sklearn": sklearn_version,
                    "profiles": {name: p.to_json() for name, p in bundle.profiles.items()},
                    "forecasters": {name: settings for name, (settings, _) in parts.items()},
                }
            ),
        )
        archive.writestr("forecasters.skops", skops.io.dumps({name: fitted for name, (_, fitted) in parts.items()}))
        archive.writestr("golden.json", json.dumps(golden))
    data = buffer.getvalue()
    return _MAGIC + _seal(data, key) + data


def load(data: bytes, *, key: bytes) -> Bundle:
    """The bundle of a file. Nothing in it is looked at before its seal is.

    Raises:
        ModelError: it is not what `dump` made with this key, or belongs to another version of the features or of scikit-learn.
    """
    seal, archive = data[len(_MAGIC) : len(_MAGIC) + 32], data[len(_MAGIC) + 32 :]
    if not data.startswith(_MAGIC) or not hmac.compare_digest(seal, _seal(archive, key)):
        raise ModelError(
            "The model file was changed, or was sealed with another key. It is not used. Train a new model, or promote another."
        )
    try:
        files = _read(archive)
        meta = json.loads(files["profiles.json"])
        if meta["features"] != FEATURE_VERSION:
            raise ModelError(
                f"The model was made for version {meta['features']} of the features, this program has version"
                f" {FEATURE_VERSION}. Train a new one."
            )
        if meta["sklearn"] != sklearn_version:
            raise ModelError(
                f"The model was made with scikit-learn {meta['sklearn']}, here is {sklearn_version}. Train a new one."
            )
        untrusted = set(skops.io.get_untrusted_types(data=files["forecasters.skops"])) - set(_TRUSTED)
        if untrusted:
            raise ModelError(f"The model file holds types that no model of ours has: {', '.join(sorted(untrusted))[:200]}.")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fitted = skops.io.loads(files["forecasters.skops"], trusted=_TRUSTED)
        profiles = {name: SensorProfile.from_json(p) for name, p in meta["profiles"].items()}
        forecasters = {name: _join(settings, fitted[name]) for name, settings in meta["forecasters"].items()}
        golden = json.loads(files["golden.json"])
        card = json.loads(files["card.json"])
    except (KeyError, TypeError, ValueError, ProfileError, zipfile.BadZipFile, Warning) as error:
        raise ModelError(f"The model file cannot be read: {str(error)[:200]}. Train a new model.") from error
    for i, (name, forecaster) in enumerate(forecasters.items()):
        now = forecaster.predict(golden_features(i))
        if now.shape != np.shape(golden.get(name)) or not np.allclose(now, golden[name], atol=_CLOSE):
            raise ModelError(f"The model forecasts something else for {name} than when it was made. Train a new one.")
    return Bundle(card, profiles, forecasters)


def _seal(data: bytes, key: bytes) -> bytes:
    return hmac.new(key, data, sha256).digest()


def _read(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        if set(infos) != _FILES or sum(info.file_size for info in infos.values()) > _LARGEST:
            raise ModelError("The model file holds other files than a model does. It is not used.")
        return {name: archive.read(name) for name in infos}


def _split(forecaster: SensorForecaster) -> tuple[dict[str, Any], Any]:
    """Settings as plain values, and what scikit-learn fitted."""
    settings = dict(vars(forecaster))
    return settings, settings.pop("pipelines", [])


def _join(settings: Mapping[str, Any], fitted: Any) -> SensorForecaster:
    kind = settings["name"]
    if kind == "baseline":
        return Baseline(**settings)
    if kind == "boosting":
        return Boosting(**settings, pipelines=fitted)
    raise ModelError(f"The model file holds a forecaster that is not known: {kind!r}.")
