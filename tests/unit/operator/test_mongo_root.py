"""The administrator's password, while it is changed; MongoDB is in memory."""

from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from backend.operator.mongo_root import MongoRootKeeper

NEW, FORMER = "New-Password_1", "Former-Password_1"


class FakeServer:
    """Knows one password; each client has another."""

    def __init__(self) -> None:
        self.password = FORMER
        self.error: Exception | None = None
        self.changed_to: list[str] = []

    def client(self, password: str) -> Any:
        return FakeClient(self, password)


class FakeClient:
    def __init__(self, server: FakeServer, password: str) -> None:
        self._server, self._password = server, password
        self.admin = self

    def __enter__(self) -> "FakeClient":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def command(self, command: str, *_: object, pwd: str = "") -> None:
        if self._server.error is not None:
            raise self._server.error
        if self._password != self._server.password:
            raise OperationFailure("Authentication failed.", 18)
        if command == "updateUser":
            self._server.password = pwd
            self._server.changed_to.append(pwd)


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def keeper(server: FakeServer, tmp_path: Path) -> MongoRootKeeper:
    return MongoRootKeeper(
        client=server.client(NEW),
        user="root",
        password=lambda: NEW,
        former=tmp_path / "mongo_root_old",
        log_in=lambda path: server.client(path.read_text("utf-8")),
    )


def test_the_new_password_is_set_with_the_former_one_and_then_all_is_well(
    server: FakeServer, keeper: MongoRootKeeper, tmp_path: Path
) -> None:
    (tmp_path / "mongo_root_old").write_text(FORMER, "utf-8")
    assert not keeper.step().converged
    assert server.changed_to == [NEW]
    assert keeper.step().converged
    (tmp_path / "mongo_root_old").unlink()
    assert keeper.step().converged
    assert keeper.corrections == 1


def test_without_a_former_password_a_refusal_is_said(keeper: MongoRootKeeper) -> None:
    finding = keeper.step()
    assert (finding.converged, finding.waiting) == (False, False)
    assert "refuses this service's login" in finding.message


def test_a_former_password_that_is_wrong_too_changes_nothing(
    server: FakeServer, keeper: MongoRootKeeper, tmp_path: Path
) -> None:
    (tmp_path / "mongo_root_old").write_text("Another", "utf-8")
    assert "refuses this service's login" in keeper.step().message
    assert server.changed_to == []


def test_an_outage_is_waited_for_and_no_password_is_told(server: FakeServer, keeper: MongoRootKeeper, tmp_path: Path) -> None:
    (tmp_path / "mongo_root_old").write_text(FORMER, "utf-8")
    server.error = AutoReconnect("mongodb:27017: connection refused")
    assert keeper.step().waiting
    server.error = OperationFailure(f"bad command with {NEW}", 18, {"codeName": "AuthenticationFailed"})
    assert NEW not in keeper.step().message
