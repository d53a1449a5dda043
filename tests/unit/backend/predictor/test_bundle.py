"""Model files: what goes in comes out, and nothing else is let in."""

import hmac
import io
import json
import zipfile
from collections.abc import Callable
from hashlib import sha256

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LinearRegression

from backend.predictor.errors import ModelError
from backend.predictor.models import bundle as bundles
from backend.predictor.models.bundle import dump, golden_features, load, seal_key
from tests.helpers.models import KEY, bundle

FILE = dump(bundle(boosting=True, version="v3"), key=KEY)
_HEAD = len(b"PAAI-MODEL-1\n") + 32


def test_a_bundle_comes_back_as_it_was() -> None:
    before, after = bundle(boosting=True), load(FILE, key=KEY)

    assert after.version == "v3"
    assert after.profiles["humidity"].to_json() == before.profiles["humidity"].to_json()
    rows = golden_features(7)
    np.testing.assert_allclose(after.predict("temperature", rows), before.predict("temperature", rows))


@pytest.mark.parametrize(
    "place", [0, 20, _HEAD + 5, len(FILE) // 2, len(FILE) - 1], ids=["first", "name", "head", "middle", "last"]
)
def test_a_changed_byte_is_noticed(place: int) -> None:
    changed = bytearray(FILE)
    changed[place] ^= 1

    with pytest.raises(ModelError, match="changed, or was sealed with another key"):
        load(bytes(changed), key=KEY)


def test_a_file_of_somebody_without_the_key_is_refused() -> None:
    with pytest.raises(ModelError, match="sealed with another key"):
        load(dump(bundle(), key=seal_key("guess")), key=KEY)


@pytest.mark.parametrize("data", [b"", b"PAAI-MODEL-1\n", b"PK\x03\x04"])
def test_what_is_no_model_file_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError):
        load(data, key=KEY)


def resealed(change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The file with other contents, sealed with the right key: as an older or a careless program would have made it."""
    with zipfile.ZipFile(io.BytesIO(FILE[_HEAD:])) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    data = buffer.getvalue()
    return FILE[: _HEAD - 32] + hmac.new(KEY, data, sha256).digest() + data


def _set(name: str, key: str, value: object) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        files[name] = json.dumps({**json.loads(files[name]), key: value}).encode()

    return change


def _foreign_type(files: dict[str, bytes]) -> None:
    class Foreign(LinearRegression):  # type: ignore[misc]
        pass

    Foreign.__module__, Foreign.__qualname__ = "os", "system"
    files["forecasters.skops"] = skops.io.dumps({"temperature": [LinearRegression(), np.random.default_rng]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("profiles.json", "features", 99), "version 99 of the features"),
        (_set("profiles.json", "sklearn", "0.1"), "scikit-learn 0.1"),
        (_set("golden.json", "temperature", [[0.0, 0.0, 0.0]] * 64), "forecasts something else"),
        (_foreign_type, "types that no model of ours has"),
        (lambda files: files.pop("golden.json"), "other files"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_the_reason(change: Callable[[dict[str, bytes]], None], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load(resealed(change), key=KEY)


def test_nothing_is_read_before_the_seal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("the archive was opened")

    monkeypatch.setattr(bundles, "_read", fail)
    with pytest.raises(ModelError):
        load(FILE[:-1] + b"x", key=KEY)
