"""MongoDB's users on a server in memory: order, failures, and nothing of a password in what is said."""

import base64
import hashlib
import hmac
import logging
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from backend.contract.login import MONGO_ROLES, Login, user_name
from backend.operator.mongo_roles import GRANTS, is_as_wanted, role_name
from backend.operator.mongo_users import MongoUsersKeeper
from backend.operator.scram import is_password_of

Document = dict[str, Any]
ROUNDS = 10


def credential(password: str) -> Document:
    salt = b"salt"
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return {
        "iterationCount": ROUNDS,
        "salt": base64.b64encode(salt).decode(),
        "storedKey": base64.b64encode(stored).decode(),
    }


class FakeAdmin:
    """In place of a client and its database admin."""

    def __init__(self) -> None:
        self.users: dict[str, Document] = {"root": {"user": "root", "roles": [{"role": "root", "db": "admin"}]}}
        self.roles: dict[str, Document] = {}
        self.calls: list[tuple[str, str]] = []
        self.error: PyMongoError | None = None
        self.refuses: dict[str, PyMongoError] = {}

    @property
    def admin(self) -> "FakeAdmin":
        return self

    def command(self, command: str, what: Any, **arguments: Any) -> Document:
        if self.error:
            raise self.error
        if command == "usersInfo":
            assert arguments == {"showCredentials": True}
            return {"users": list(self.users.values())}
        if command == "rolesInfo":
            assert arguments == {"showPrivileges": True}
            return {"roles": list(self.roles.values())}
        if command in self.refuses:
            raise self.refuses[command]
        self.calls.append((command, what))
        if command == "dropUser":
            del self.users[what]
        elif command.endswith("Role"):
            self.roles[what] = {"role": what, **arguments}
        else:
            user = self.users.setdefault(what, {"user": what})
            if "pwd" in arguments:
                assert arguments["mechanisms"] == ["SCRAM-SHA-256"]
                user["credentials"] = {"SCRAM-SHA-256": credential(arguments["pwd"])}
            if "roles" in arguments:
                user["roles"] = arguments["roles"]
        return {}


@pytest.fixture
def server() -> FakeAdmin:
    return FakeAdmin()


@pytest.fixture
def keeper(server: FakeAdmin, tmp_path: Path) -> MongoUsersKeeper:
    write(tmp_path, 1)
    return MongoUsersKeeper(client=server, directory=tmp_path)  # type: ignore[arg-type]


def write(directory: Path, version: int, suffix: str = "") -> None:
    for role in MONGO_ROLES:
        login = Login(user_name(role, version), f"secret-{role}-{version}")
        (directory / f"mongo_{role}{suffix}").write_text(login.render(), encoding="utf-8")


def test_every_role_has_a_grant_and_none_may_do_all() -> None:
    assert set(GRANTS) == set(MONGO_ROLES)
    for grant in GRANTS.values():
        assert all(p["resource"]["db"] == "paai" and p["resource"]["collection"] for p in grant.privileges())
        assert not {a for p in grant.privileges() for a in p["actions"]} & {"anyAction", "grantRole", "dropCollection"}


def test_makes_all_and_then_is_content(server: FakeAdmin, keeper: MongoUsersKeeper) -> None:
    first = keeper.step()
    assert (first.converged, first.message) == (False, "puts MongoDB's users right")
    assert set(server.users) == {"root", *(f"{role}-1" for role in MONGO_ROLES)}
    assert server.users["sink-1"]["roles"] == [{"role": "paai-sink", "db": "admin"}]
    server.calls.clear()
    assert keeper.step().converged
    assert server.calls == []


def test_puts_right_what_is_wrong_and_only_that(server: FakeAdmin, keeper: MongoUsersKeeper) -> None:
    keeper.step()
    server.users["sink-1"]["roles"] = [{"role": "root", "db": "admin"}]
    server.users["paai-1"]["credentials"] = {"SCRAM-SHA-256": credential("other")}
    server.users["desktop-1"]["credentials"] = {}
    server.roles["paai-spark"]["privileges"] = []
    del server.roles["paai-predictor"]
    server.calls.clear()
    assert not keeper.step().converged
    assert sorted(server.calls) == [
        ("createRole", "paai-predictor"),
        ("updateRole", "paai-spark"),
        ("updateUser", "desktop-1"),
        ("updateUser", "paai-1"),
        ("updateUser", "sink-1"),
    ]
    assert keeper.step().converged


def test_users_of_earlier_versions_go_last_and_others_never(
    server: FakeAdmin, keeper: MongoUsersKeeper, tmp_path: Path
) -> None:
    keeper.step()
    server.users["guest"] = {"user": "guest", "roles": []}
    server.users["sink-backup"] = {"user": "sink-backup", "roles": []}
    write(tmp_path, 2)
    keeper.step()
    assert "sink-1" in server.users, "removed before its successor was looked at"
    keeper.step()
    assert keeper.step().converged
    assert set(server.users) == {"root", "guest", "sink-backup", *(f"{role}-2" for role in MONGO_ROLES)}


def test_the_earlier_login_stays_while_its_file_is_there(server: FakeAdmin, keeper: MongoUsersKeeper, tmp_path: Path) -> None:
    keeper.step()
    write(tmp_path, 1, "_old")
    write(tmp_path, 2)
    for _ in range(3):
        keeper.step()
    assert {"sink-1", "sink-2"} <= set(server.users)
    assert server.users["sink-1"]["roles"] == server.users["sink-2"]["roles"]


def test_without_files_nobody_is_removed(server: FakeAdmin, keeper: MongoUsersKeeper, tmp_path: Path) -> None:
    keeper.step()
    for path in tmp_path.glob("mongo_*"):
        path.unlink()
    finding = keeper.step()
    assert not finding.converged
    assert "holds no login file" in finding.message
    assert "sink-1" in server.users


def test_an_outage_is_waited_for(server: FakeAdmin, keeper: MongoUsersKeeper) -> None:
    server.error = AutoReconnect("connection refused (configured timeouts: a lot)")
    finding = keeper.step()
    assert (finding.waiting, finding.message) == (True, "waits for MongoDB: connection refused")


def test_a_wrong_root_password_is_named(server: FakeAdmin, keeper: MongoUsersKeeper) -> None:
    for server.error in (OperationFailure("no", 18), AutoReconnect("Authentication failed., full error: …")):
        finding = keeper.step()
        assert not finding.waiting
        assert "MongoDB refuses this service's login" in finding.message


def test_a_refusal_does_not_repeat_the_command(server: FakeAdmin, keeper: MongoUsersKeeper, caplog: Any) -> None:
    text = 'not authorized to execute command { createUser: "sink-1", pwd: "secret-sink-1" }'
    server.refuses["createUser"] = OperationFailure(text, 13, {"codeName": "Unauthorized", "errmsg": text})
    with caplog.at_level(logging.DEBUG):
        finding = keeper.step()
    assert finding.message == "MongoDB refuses the operator what its users need (Unauthorized)"
    assert "secret" not in caplog.text


def test_somebody_else_was_quicker(server: FakeAdmin, keeper: MongoUsersKeeper) -> None:
    server.refuses = {"createUser": OperationFailure("exists", 51003), "createRole": OperationFailure("exists", 51002)}
    finding = keeper.step()
    assert (finding.converged, finding.message) == (False, "puts MongoDB's users right")


def test_rights_are_compared_whatever_their_order() -> None:
    grant = GRANTS["spark"]
    privileges = [p | {"actions": p["actions"][::-1]} for p in grant.privileges()][::-1]
    assert is_as_wanted({"role": role_name("spark"), "privileges": privileges, "roles": []}, grant)
    privileges[0] = privileges[0] | {"actions": [*privileges[0]["actions"], "dropCollection"]}
    assert not is_as_wanted({"privileges": privileges, "roles": []}, grant)
    assert not is_as_wanted({"privileges": grant.privileges(), "roles": [{"role": "root", "db": "admin"}]}, grant)


@pytest.mark.parametrize(
    "broken", [None, {}, {"salt": "x"}, credential("p") | {"salt": "*"}, credential("p") | {"iterationCount": 0}]
)
def test_a_credential_that_cannot_be_read_is_no_match(broken: Document | None) -> None:
    assert not is_password_of(broken, "p")
    assert is_password_of(credential("p"), "p")
    assert not is_password_of(credential("p"), "q")


def test_the_credential_of_rfc_7677() -> None:
    """Its example: user "user", password "pencil"; the stored key follows from the proof given there."""
    salt, rounds = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096
    message = (
        "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    client_key = hmac.digest(hashlib.pbkdf2_hmac("sha256", b"pencil", salt, rounds), b"Client Key", "sha256")
    stored = hashlib.sha256(client_key).digest()
    signature = hmac.digest(stored, message.encode(), "sha256")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True))).decode()
    assert proof == "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    known = {"iterationCount": rounds, "salt": base64.b64encode(salt).decode(), "storedKey": base64.b64encode(stored).decode()}
    assert is_password_of(known, "pencil")
