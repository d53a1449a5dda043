"""Kafka's users on a broker in memory: credential, rights, change of login, outage."""

from dataclasses import replace
from pathlib import Path

import pytest

from backend.contract import names
from backend.contract.login import Login
from backend.operator.kafka_users import Acl, KafkaUsersKeeper, wanted_acls
from backend.operator.topics import KafkaUnavailableError


class FakeUsers:
    def __init__(self) -> None:
        self.credentials: dict[str, str] = {}
        self.entries: set[Acl] = set()
        self.error = ""
        self.puts = 0

    def users(self) -> set[str]:
        assert not self.error, "librdkafka aborts the process when this is refused"
        return set(self.credentials)

    def put_user(self, login: Login) -> None:
        self.puts += 1
        self.credentials[login.user] = login.password

    def drop_users(self, users: set[str]) -> None:
        for user in users:
            del self.credentials[user]

    def acls(self) -> set[Acl]:
        if self.error:
            raise KafkaUnavailableError(self.error)
        return set(self.entries)

    def add_acls(self, acls: set[Acl]) -> None:
        self.entries |= acls

    def drop_acls(self, acls: set[Acl]) -> None:
        self.entries -= acls


@pytest.fixture
def kafka() -> FakeUsers:
    return FakeUsers()


@pytest.fixture
def keeper(kafka: FakeUsers, tmp_path: Path) -> KafkaUsersKeeper:
    write(tmp_path, "kafka_client", Login("client-1", "secret-1"))
    return KafkaUsersKeeper(admin=kafka, directory=tmp_path)


def write(directory: Path, name: str, login: Login) -> None:
    (directory / name).write_text(login.render(), encoding="utf-8")


def test_a_client_may_read_the_topics_and_nothing_else() -> None:
    acls = wanted_acls("client-1")
    assert {a.name for a in acls if a.resource == "TOPIC"} == {
        names.TOPIC_MESSAGES,
        names.TOPIC_PREDICTIONS,
        names.TOPIC_DEAD_LETTERS,
    }
    assert {a.operation for a in acls} == {"READ", "DESCRIBE"}
    assert {a.operation for a in acls if a.resource == "GROUP"} == {"DESCRIBE"}, "it could join or commit"
    assert {(a.pattern, a.permission, a.user) for a in acls} == {("LITERAL", "ALLOW", "client-1")}
    assert "*" not in {a.name for a in acls}


def test_makes_the_user_and_then_is_content(kafka: FakeUsers, keeper: KafkaUsersKeeper) -> None:
    assert not keeper.step().converged
    assert kafka.credentials == {"client-1": "secret-1"}
    assert kafka.entries == wanted_acls("client-1")
    for _ in range(3):
        assert keeper.step().converged
    assert kafka.puts == 1


def test_sets_the_password_after_a_start_and_when_its_file_changes(
    kafka: FakeUsers, keeper: KafkaUsersKeeper, tmp_path: Path
) -> None:
    kafka.credentials["client-1"] = "who knows"
    keeper.step()
    assert kafka.credentials["client-1"] == "secret-1"
    write(tmp_path, "kafka_client", Login("client-1", "secret-2"))
    assert not keeper.step().converged
    assert kafka.credentials["client-1"] == "secret-2"
    assert keeper.step().converged


def test_puts_rights_right(kafka: FakeUsers, keeper: KafkaUsersKeeper) -> None:
    keeper.step()
    kept = Acl("somebody", "TOPIC", "*", "ALL")
    for excess in (
        Acl("client-1", "TOPIC", names.TOPIC_MESSAGES, "WRITE"),
        Acl("client-1", "TOPIC", "processed", "READ", pattern="PREFIXED"),
        replace(next(iter(wanted_acls("client-1"))), permission="DENY"),
    ):
        kafka.entries = {*wanted_acls("client-1"), excess, kept}
        assert not keeper.step().converged
        assert kafka.entries == {*wanted_acls("client-1"), kept}
    kafka.entries = set()
    keeper.step()
    assert kafka.entries == wanted_acls("client-1")


def test_a_login_is_changed_in_two_steps(kafka: FakeUsers, keeper: KafkaUsersKeeper, tmp_path: Path) -> None:
    keeper.step()
    kafka.credentials["somebody"] = "x"
    write(tmp_path, "kafka_client_old", Login("client-1", "secret-1"))
    write(tmp_path, "kafka_client", Login("client-2", "secret-2"))
    again = KafkaUsersKeeper(admin=kafka, directory=tmp_path)
    for _ in range(2):
        again.step()
    assert set(kafka.credentials) == {"client-1", "client-2", "somebody"}
    assert kafka.entries == wanted_acls("client-1") | wanted_acls("client-2")
    (tmp_path / "kafka_client_old").unlink()
    for _ in range(3):
        last = again.step()
    assert last.converged
    assert set(kafka.credentials) == {"client-2", "somebody"}
    assert kafka.entries == wanted_acls("client-2")


def test_rights_of_a_user_that_is_gone_go_too(kafka: FakeUsers, keeper: KafkaUsersKeeper) -> None:
    kafka.entries = set(wanted_acls("client-7"))
    for _ in range(3):
        keeper.step()
    assert kafka.entries == wanted_acls("client-1")


def test_outage_and_missing_files(kafka: FakeUsers, keeper: KafkaUsersKeeper, tmp_path: Path) -> None:
    kafka.error = "reading rights: Cluster authorization failed"
    assert keeper.step().waiting
    (tmp_path / "kafka_client").unlink()
    finding = keeper.step()
    assert not finding.waiting
    assert "holds no login file kafka_client" in finding.message
