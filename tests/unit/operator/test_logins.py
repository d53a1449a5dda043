"""The login files that users are made of."""

from pathlib import Path

import pytest

from backend.contract.login import MONGO_ROLES, Login
from backend.operator.logins import RoleLogin, read_logins


def put(directory: Path, name: str, login: Login) -> None:
    (directory / name).write_text(login.render(), encoding="utf-8")


def test_new_and_old_ones_of_each_role(tmp_path: Path) -> None:
    put(tmp_path, "mongo_sink", Login("sink-2", "b"))
    put(tmp_path, "mongo_sink_old", Login("sink-1", "a"))
    put(tmp_path, "mongo_paai", Login("paai-1", "c"))
    put(tmp_path, "mongo_paai_old", Login("paai-1", "c"))  # not changed yet
    (tmp_path / "mongo_root").write_text("x", encoding="utf-8")
    (tmp_path / "token").write_text("x", encoding="utf-8")
    assert read_logins(tmp_path, system="mongo", roles=MONGO_ROLES) == [
        RoleLogin("sink", Login("sink-2", "b")),
        RoleLogin("sink", Login("sink-1", "a")),
        RoleLogin("paai", Login("paai-1", "c")),
    ]


def test_a_directory_without_any_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no login file mongo_sink"):
        read_logins(tmp_path, system="mongo", roles=MONGO_ROLES)


@pytest.mark.parametrize("user", ["root", "paai-1", "sink", "sink-x"])
def test_a_user_that_would_not_be_told_from_others(tmp_path: Path, user: str) -> None:
    put(tmp_path, "mongo_sink", Login(user, "secret-1"))
    with pytest.raises(ValueError, match="mongo_sink: users of this role are called sink-1") as caught:
        read_logins(tmp_path, system="mongo", roles=MONGO_ROLES)
    assert "secret-1" not in str(caught.value)


def test_one_user_with_two_passwords(tmp_path: Path) -> None:
    put(tmp_path, "mongo_sink", Login("sink-1", "secret-1"))
    put(tmp_path, "mongo_sink_old", Login("sink-1", "secret-2"))
    with pytest.raises(ValueError, match="sink-1 stands in another file") as caught:
        read_logins(tmp_path, system="mongo", roles=MONGO_ROLES)
    assert "secret" not in str(caught.value)
