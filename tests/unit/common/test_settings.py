"""Settings: from the environment, refused readably, the token never shown."""

from pathlib import Path

import pytest
from pydantic import Field

from backend.common.errors import ConfigurationError
from backend.common.settings import ServiceSettings, load_settings, read_settings


class Settings(ServiceSettings):
    port: int = Field(default=1234, ge=0, le=65535)


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "HOST", "TOKEN", "TOKEN_FILE", "DRAIN_S", "FD", "LOG_LEVEL", "STATE_DIR"):
        monkeypatch.delenv(f"PAAI_{name}", raising=False)


def test_defaults_and_values(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (read_settings(Settings).port, read_settings(Settings).sent_token) == (1234, None)
    monkeypatch.setenv("PAAI_PORT", "8000")
    monkeypatch.setenv("PAAI_DRAIN_S", "1.5")
    monkeypatch.setenv("PAAI_TOKEN", "")
    settings = read_settings(Settings)
    assert (settings.port, settings.drain_s, settings.sent_token) == (8000, 1.5, None)
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


def test_token_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("secret-1\n", encoding="utf-8")
    monkeypatch.setenv("PAAI_TOKEN_FILE", str(path))
    assert read_settings(Settings).sent_token == b"secret-1"
    monkeypatch.setenv("PAAI_TOKEN", "secret-1")
    assert read_settings(Settings).sent_token == b"secret-1"
    assert "secret-1" not in repr(read_settings(Settings))


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"PAAI_PORT": "abc"}, "PAAI_PORT"),
        ({"PAAI_PORT": "70000"}, "PAAI_PORT"),
        ({"PAAI_DRAIN_S": "nan"}, "PAAI_DRAIN_S"),
        ({"PAAI_LOG_LEVEL": "LOUD"}, "PAAI_LOG_LEVEL"),
        ({"PAAI_TOKEN_FILE": "/does/not/exist"}, "PAAI_TOKEN_FILE"),
        ({"PAAI_TOKEN_FILE": "/does\nnot/exist"}, "/does\\nnot/exist"),
        ({"PAAI_TOKEN": "with space"}, "printable ASCII"),
    ],
)
def test_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variables: dict[str, str], says: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as caught:
        load_settings(Settings, service="paai")
    assert caught.value.code == 2
    text = capsys.readouterr().err
    assert says in text
    assert "Traceback" not in text
    assert text.count("\n") == 1


def test_empty_and_differing_tokens_are_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("\n", encoding="utf-8")
    monkeypatch.setenv("PAAI_TOKEN_FILE", str(path))
    with pytest.raises(ConfigurationError, match="empty"):
        read_settings(Settings)
    path.write_text("secret-1", encoding="utf-8")
    monkeypatch.setenv("PAAI_TOKEN", "secret-2")
    with pytest.raises(ConfigurationError, match="differ") as caught:
        read_settings(Settings)
    assert "secret" not in str(caught.value)


def test_several_tokens_the_first_is_sent_and_all_are_accepted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("new-token\n\n old-token \n", encoding="utf-8")
    monkeypatch.setenv("PAAI_TOKEN_FILE", str(path))
    settings = read_settings(Settings)
    assert (settings.sent_token, settings.tokens) == (b"new-token", (b"new-token", b"old-token"))
    assert "token" not in repr(settings.token)
    path.write_text("good\nbad one\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="printable ASCII") as caught:
        read_settings(Settings)
    assert "bad" not in str(caught.value)
