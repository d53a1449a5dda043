"""The operator's command: what it builds of its settings, and its health check."""

from pathlib import Path

import pytest

from backend.common.settings import read_settings
from backend.common.state import write_state
from backend.operator.__main__ import SERVICE, build, main
from backend.operator.settings import OperatorSettings

PASSWORD = "Secret-Pass_1"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "MONGO_URI",
        "SINK_MONGO_URI",
        "MONGO_LOGIN_FILE",
        "MONGO_ROOT_PASSWORD_FILE",
        "LOGINS_DIR",
        "SINK_LOGIN_FILE",
    ):
        monkeypatch.delenv(f"PAAI_{name}", raising=False)
    monkeypatch.setenv("PAAI_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("PAAI_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("PAAI_MONGO_URI", "mongodb://127.0.0.1:1/")


def keepers(tmp_path: Path) -> list[str]:
    loop = build(read_settings(OperatorSettings), state_file=tmp_path / "s.json")
    names = [keeper.name for keeper, _ in loop._keepers]
    for keeper, _ in loop._keepers:
        keeper.close()
    return names


def test_users_are_kept_where_there_are_logins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert keepers(tmp_path) == ["topics", "indexes", "connector", "retention", "dead-letters"]
    monkeypatch.setenv("PAAI_LOGINS_DIR", str(tmp_path))
    assert keepers(tmp_path) == ["topics", "users", "kafka-users", "indexes", "connector", "retention", "dead-letters"]


def test_the_sink_waits_for_its_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAAI_LOGINS_DIR", str(tmp_path))
    loop = build(read_settings(OperatorSettings), state_file=tmp_path / "s.json")
    by_name = {keeper.name: keeper for keeper, _ in loop._keepers}
    may_start = by_name["connector"]._may_start  # type: ignore[attr-defined]
    from backend.operator.keeper import Finding

    for name in ("topics", "indexes"):
        loop._findings[name] = Finding(True)
    assert not may_start()
    loop._findings["users"] = Finding(True)
    assert may_start()
    for keeper in by_name.values():
        keeper.close()


def test_root_logs_in_with_the_password_of_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "mongo_root"
    path.write_text(f"{PASSWORD}\n", encoding="utf-8")
    monkeypatch.setenv("PAAI_MONGO_ROOT_PASSWORD_FILE", str(path))
    settings = read_settings(OperatorSettings)
    assert settings.admin_address == f"mongodb://root:{PASSWORD}@127.0.0.1:1/?authSource=admin"
    assert settings.sink_address == "mongodb://127.0.0.1:1/"
    assert PASSWORD not in repr(settings)


def test_connect_fills_in_the_sink_s_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAAI_SINK_LOGIN_FILE", "/run/secrets/mongo_sink")
    monkeypatch.setenv("PAAI_SINK_MONGO_URI", "mongodb://mongodb:27017/?replicaSet=rs0")
    assert read_settings(OperatorSettings).sink_address == (
        "mongodb://${file:/run/secrets/mongo_sink:user}:${file:/run/secrets/mongo_sink:password}@mongodb:27017/"
        "?replicaSet=rs0&authSource=admin"
    )


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"MONGO_ROOT_PASSWORD_FILE": "/does/not/exist"}, "MONGO_ROOT_PASSWORD_FILE: /does/not/exist cannot be read"),
        ({"SINK_LOGIN_FILE": "relative"}, "PAAI_SINK_LOGIN_FILE"),
        ({"SINK_LOGIN_FILE": "/a}:b"}, "PAAI_SINK_LOGIN_FILE"),
        ({"SINK_LOGIN_FILE": "/a", "SINK_MONGO_URI": f"mongodb://u:{PASSWORD}@h/"}, "SINK_LOGIN_FILE: the address"),
        ({"MONGO_ROOT_PASSWORD_FILE": "/a", "MONGO_LOGIN_FILE": "/b"}, "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said_on_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variables: dict[str, str], says: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"PAAI_{name}", value)
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    text = capsys.readouterr().err
    assert says in text
    assert text.count("\n") == 1
    assert PASSWORD not in text


def test_health_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"{SERVICE}.json"
    assert main(["--healthcheck"]) == 1
    assert "has not reported yet" in capsys.readouterr().out
    write_state(path, ok=True, message="")
    assert main(["--healthcheck"]) == 0
    assert capsys.readouterr().out == "all as wanted\n"
    write_state(path, ok=False, message="waits for Kafka")
    assert main(["--healthcheck"]) == 1
    assert capsys.readouterr().out == "waits for Kafka\n"
    write_state(path, ok=True, message="", at=0)
    assert main(["--healthcheck"]) == 1
