"""Credentials: what is made, where the copy is kept, and when Docker and the copy do not agree."""

import re
import stat
from pathlib import Path

import keyring.errors
import pytest

from backend.contract.login import parse_login
from stack.errors import SecretsError
from stack.swarm import secrets
from stack.swarm.secrets import Credentials, Entry
from stack.swarm.store import CredentialStore
from tests.helpers.fake_engine import FakeEngine


class Ring:
    """A keyring in memory."""

    def __init__(self, *, locked: bool = False) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = locked

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise keyring.errors.PasswordDeleteError("none")
        del self.kept[service, username]


TOKEN_ONLY = Credentials({"token": Entry(3, "abc")})


def test_every_secret_has_its_form() -> None:
    for name in secrets.NAMES:
        entry = secrets.make(name, 2)
        if name == "mongo_keyfile":
            assert re.fullmatch(r"[A-Za-z0-9+/=]{6,1024}", entry.value)  # what MongoDB takes
        elif name in secrets.PLAIN:
            assert len(entry.value) >= 40
        else:
            login = parse_login(entry.value)
            assert len(login.password) >= 40
            assert login.user == {"web_login": "paai", "kafka_client": "client-2"}.get(name, f"{name.removeprefix('mongo_')}-2")
    assert secrets.make("token", 1) != secrets.make("token", 1)


def test_no_value_is_in_a_repr() -> None:
    assert "abc" not in repr(TOKEN_ONLY)


def test_the_file_is_for_this_user_only(tmp_path: Path) -> None:
    store = CredentialStore(tmp_path / "new")
    store.save(["cluster-1-paai", "engine-1-paai"], TOKEN_ONLY)
    files = list((tmp_path / "new").iterdir())
    assert len(files) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert store.load(["cluster-9-paai", "engine-1-paai"]) == TOKEN_ONLY
    store.forget(["cluster-1-paai", "engine-1-paai"])
    assert store.load(["cluster-1-paai", "engine-1-paai"]) == Credentials()
    assert not list((tmp_path / "new").iterdir())


def test_the_keyring_goes_before_a_file(tmp_path: Path) -> None:
    ring = Ring()
    store = CredentialStore(tmp_path, ring=ring)
    store.save(["k"], TOKEN_ONLY)
    assert not list(tmp_path.iterdir())
    assert store.load(["k"]) == TOKEN_ONLY
    store.forget(["k"])
    assert not ring.kept


def test_a_locked_keyring_keeps_nothing_and_the_file_does(tmp_path: Path) -> None:
    store = CredentialStore(tmp_path, ring=Ring(locked=True))
    store.save(["k"], TOKEN_ONLY)
    assert store.load(["k"]) == TOKEN_ONLY
    with pytest.raises(SecretsError, match="Unlock it"):
        store.load(["another"])


def test_what_began_in_a_file_stays_there(tmp_path: Path) -> None:
    CredentialStore(tmp_path).save(["k"], TOKEN_ONLY)
    ring = Ring()
    CredentialStore(tmp_path, ring=ring).save(["k"], TOKEN_ONLY.with_entry("token", Entry(4, "new")))
    assert not ring.kept
    assert CredentialStore(tmp_path).load(["k"]).entries["token"].version == 4


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"token": 3}', '{"token": ["x"]}'])
def test_a_damaged_copy_says_so_without_its_content(tmp_path: Path, text: str) -> None:
    (tmp_path / "credentials-k.json").write_text(text)
    with pytest.raises(SecretsError, match=r"damaged.*rotate all"):
        CredentialStore(tmp_path).load(["k"])


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SecretsError, match="--data-dir"):
        CredentialStore(tmp_path / "file").save(["k"], TOKEN_ONLY)


def test_what_is_missing_is_made_of_the_copy_again(engine: FakeEngine) -> None:
    first = secrets.provision(engine, "paai", Credentials())
    list(secrets.create(engine, "paai", first, secrets.NAMES))
    engine.remove_secret("paai_token_v1")
    again = secrets.provision(engine, "paai", first)
    assert again == first
    assert secrets.missing(engine, "paai", again) == ["token"]


def test_another_value_by_the_same_name_is_noticed(engine: FakeEngine) -> None:
    first = secrets.provision(engine, "paai", Credentials())
    list(secrets.create(engine, "paai", first, secrets.NAMES))
    other = first.with_entry("token", Entry(1, "another"))
    with pytest.raises(SecretsError, match=r"paai_token_v1.*not the one of this user's copy"):
        secrets.missing(engine, "paai", other)


def test_names() -> None:
    assert secrets.parse_name("paai-5_mongo_sink_v12", "paai-5") == ("mongo_sink", 12)
    for foreign in ("paai_mongo_sink_v12", "paai-5_other_v1", "paai-5_token", "paai-5_token_vx"):
        assert secrets.parse_name(foreign, "paai-5") is None
