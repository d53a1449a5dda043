"""The login file of MongoDB: into the address, and nowhere else."""

from pathlib import Path

import pytest

from backend.common.errors import ConfigurationError
from backend.common.mongo import MongoSettings
from backend.common.settings import read_settings

PASSWORD = "Pa55-word_x"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MONGO_URI", "MONGO_LOGIN_FILE"):
        monkeypatch.delenv(f"PAAI_{name}", raising=False)


def test_without_a_file_the_address_stands_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAAI_MONGO_URI", "mongodb://u:p@db:1/?authSource=x")
    settings = read_settings(MongoSettings)
    assert settings.mongo_address == "mongodb://u:p@db:1/?authSource=x"
    assert "u:p" not in repr(settings)


def test_the_login_of_the_file_stands_in_the_address_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "mongo_paai"
    path.write_text(f"user=paai-1\npassword={PASSWORD}\n", encoding="utf-8")
    monkeypatch.setenv("PAAI_MONGO_URI", "mongodb://db:27017/")
    monkeypatch.setenv("PAAI_MONGO_LOGIN_FILE", str(path))
    settings = read_settings(MongoSettings)
    assert settings.mongo_address == f"mongodb://paai-1:{PASSWORD}@db:27017/?authSource=admin"
    assert PASSWORD not in repr(settings) + str(settings) + settings.mongo_uri


@pytest.mark.parametrize(
    ("uri", "text", "says"),
    [
        ("mongodb://db/", f"user=x\npassword={PASSWORD} {PASSWORD}", "password must be"),
        ("mongodb://db/", f"{PASSWORD}", "another line"),
        (f"mongodb://x:{PASSWORD}@db/", f"user=x\npassword={PASSWORD}", "holds a login already"),
        (f"http://{PASSWORD}", f"user=x\npassword={PASSWORD}", "must begin with mongodb://"),
        ("mongodb://db/", None, "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_named_without_the_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uri: str, text: str | None, says: str
) -> None:
    path = tmp_path / "login"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("PAAI_MONGO_URI", uri)
    monkeypatch.setenv("PAAI_MONGO_LOGIN_FILE", str(path))
    with pytest.raises(ConfigurationError, match=says) as caught:
        read_settings(MongoSettings)
    assert "PAAI_MONGO_LOGIN_FILE" in str(caught.value)
    assert PASSWORD not in str(caught.value)
