"""Login files: one form for services, Connect and clients."""

import pickle
from pathlib import Path

import pytest

from backend.contract.login import (
    MONGO_ROLES,
    Login,
    parse_login,
    read_login,
    read_password,
    role_of,
    user_name,
    with_credentials,
    with_login,
)

PASSWORD = "s3cret-Pass_word~1"


def test_what_is_rendered_is_parsed() -> None:
    login = Login("sink-1", PASSWORD)
    assert login.render() == f"user=sink-1\npassword={PASSWORD}\n"
    assert parse_login(login.render()) == login
    assert parse_login(f"# a comment\r\n! another\n\npassword = {PASSWORD}\r\n user = sink-1") == login
    assert pickle.loads(pickle.dumps(login)) == login


def test_a_login_never_shows_its_password() -> None:
    login = Login("sink-1", PASSWORD)
    assert "sink-1" in repr(login)
    assert PASSWORD not in repr(login) + str(login) + f"{login}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "user is missing"),
        ("user=a", "password is missing"),
        (f"password={PASSWORD}", "user is missing"),
        (f"user=a\nuser=b\npassword={PASSWORD}", "user twice"),
        (f"user=a\npassword={PASSWORD}\npassword={PASSWORD}2", "password twice"),
        (f"user=a\npassword={PASSWORD}\npaßword=x", "another line"),
        (f"user=a\n{PASSWORD}", "another line"),
        (f"user=a\npassword={PASSWORD} x", "the password must be"),
        (f"user=a\npassword={PASSWORD}@x", "the password must be"),
        ("user=a\npassword=", "the password must be"),
        (f"user=a:b\npassword={PASSWORD}", "the user must be"),
        (f"user=a\npassword={PASSWORD * 10}", "the password must be"),
    ],
)
def test_other_forms_are_refused_without_repeating_them(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        parse_login(text)
    assert PASSWORD not in str(caught.value)
    path = tmp_path / "mongo_sink"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=says) as caught:
        read_login(path)
    assert str(path) in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "mongo_sink"
    with pytest.raises(ValueError, match="No such file") as caught:
        read_login(path)
    assert str(caught.value).count(str(path)) == 1
    path.write_bytes(b"user=a\npassword=\xff")
    with pytest.raises(ValueError, match="no text") as caught:
        read_login(path)
    assert caught.value.__suppress_context__  # the decoder's error holds the bytes


def test_a_password_alone(tmp_path: Path) -> None:
    path = tmp_path / "mongo_root"
    path.write_text(f"{PASSWORD}\n", encoding="utf-8")
    assert read_password(path) == PASSWORD
    path.write_text(f"{PASSWORD}\n{PASSWORD}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="mongo_root: the password must be") as caught:
        read_password(path)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        ("mongodb://db", "mongodb://u:p@db/?authSource=admin"),
        ("mongodb://db:27017/", "mongodb://u:p@db:27017/?authSource=admin"),
        ("mongodb://a:1,b:2/x?replicaSet=rs", "mongodb://u:p@a:1,b:2/x?replicaSet=rs&authSource=admin"),
        ("mongodb://db/?authsource=other", "mongodb://u:p@db/?authsource=other"),
        ("mongodb+srv://db/?tls=true", "mongodb+srv://u:p@db/?tls=true&authSource=admin"),
    ],
)
def test_an_address_with_a_login(uri: str, wanted: str) -> None:
    assert with_login(uri, Login("u", "p")) == wanted


@pytest.mark.parametrize("uri", ["http://db", "db:27017", f"mongodb://x:{PASSWORD}@db/", ""])
def test_an_address_that_takes_none(uri: str) -> None:
    with pytest.raises(ValueError, match="address of MongoDB") as caught:
        with_login(uri, Login("u", PASSWORD))
    assert PASSWORD not in str(caught.value)


def test_placeholders_stand_as_they_are() -> None:
    filled = with_credentials("mongodb://db:1/?w=majority", user="${file:/run/s:user}", password="${file:/run/s:password}")
    assert filled == "mongodb://${file:/run/s:user}:${file:/run/s:password}@db:1/?w=majority&authSource=admin"


def test_users_carry_the_version_of_their_login() -> None:
    assert user_name("sink", 3) == "sink-3"
    assert role_of("sink-3", MONGO_ROLES) == "sink"
    for other in ("sink", "sink-", "sink-x", "sink-3a", "other-1", "root", "sink-²"):
        assert role_of(other, MONGO_ROLES) is None
