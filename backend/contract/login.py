"""Login files: user and password of one account, as services, Connect and clients read them.

A file is in Java's properties form, two lines ``user=…`` and ``password=…``, so that Connect's FileConfigProvider reads the
very same file. User names carry a version (``sink-1``): a rotation makes ``sink-2`` beside it, moves the services over and
then drops the old one. A password never stands in a `repr` or in an error.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode

#: Accounts in MongoDB by role; each role's login file is called ``mongo_<role>``.
MONGO_ROLES: Final = ("sink", "spark", "paai", "predictor", "desktop")
#: The account of Kafka's published listener; its login file is called ``kafka_<role>``.
KAFKA_ROLES: Final = ("client",)

#: What stands the same in a properties file, in an address and in a command line of Java: nothing ever needs escaping.
_TEXT: Final = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)
_KEYS: Final = ("user", "password")
_FORM: Final = "two lines, user=… and password=…"


@dataclass(frozen=True, slots=True)
class Login:
    """One account.

    Attributes:
        user, password: 1–128 letters, digits, ``.``, ``_``, ``~`` and ``-``.

    Raises:
        ValueError: another character stands in one of them.
    """

    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        for name, text in zip(_KEYS, (self.user, self.password), strict=True):
            if not _TEXT.fullmatch(text):
                raise ValueError(f"the {name} must be 1 to 128 letters, digits or characters of . _ ~ - and nothing else")

    def render(self) -> str:
        """The text of a login file."""
        return f"user={self.user}\npassword={self.password}\n"


def parse_login(text: str) -> Login:
    """The login that a file's text holds. Empty lines and comments (``#``, ``!``) are passed over.

    Raises:
        ValueError: it has another form; the message never repeats what stands there.
    """
    found: dict[str, str] = {}
    for line in map(str.strip, text.splitlines()):
        if not line or line[0] in "#!":
            continue
        name, equals, value = line.partition("=")
        name = name.strip()
        if not equals or name not in _KEYS:
            raise ValueError(f"a login file holds {_FORM}; another line stands there")
        if name in found:
            raise ValueError(f"a login file holds {_FORM}; it has {name} twice")
        found[name] = value.strip()
    for name in _KEYS:
        if name not in found:
            raise ValueError(f"a login file holds {_FORM}; {name} is missing")
    return Login(found["user"], found["password"])


def read_login(path: Path) -> Login:
    """The login in a file.

    Raises:
        ValueError: it cannot be read or has another form; the message names the file.
    """
    text = _read(path)
    try:
        return parse_login(text)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_password(path: Path) -> str:
    """The one line of a file that holds a password and nothing else.

    Raises:
        ValueError: it cannot be read or has another form; the message names the file.
    """
    text = _read(path).strip()
    try:
        return Login("root", text).password
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def with_login(mongo_uri: str, login: Login) -> str:
    """`mongo_uri` with the login in it. Accounts live in the database ``admin``.

    Raises:
        ValueError: the address is none of MongoDB, or has a login already.
    """
    return with_credentials(mongo_uri, user=login.user, password=login.password)


def with_login_file(mongo_uri: str, path: Path | None) -> str:
    """`mongo_uri` with the login of a file in it; as it is where there is no file.

    Raises:
        ValueError: as of `read_login` and `with_login`.
    """
    return mongo_uri if path is None else with_login(mongo_uri, read_login(path))


def with_credentials(mongo_uri: str, *, user: str, password: str) -> str:
    """As `with_login`; `user` and `password` are set in as they stand, so they may be placeholders that somebody else fills in.

    Raises:
        ValueError: the address is none of MongoDB, or has a login already.
    """
    scheme, separator, rest = mongo_uri.partition("://")
    if not separator or scheme not in ("mongodb", "mongodb+srv"):
        raise ValueError("the address of MongoDB must begin with mongodb://")
    place, _, query = rest.partition("?")
    hosts, _, database = place.partition("/")
    if "@" in place:
        raise ValueError("the address of MongoDB holds a login already, and a login file is set too; keep one of them")
    options = parse_qsl(query, keep_blank_values=True)
    if not any(name.lower() == "authsource" for name, _ in options):
        options.append(("authSource", "admin"))
    return f"{scheme}://{user}:{password}@{hosts}/{database}?{urlencode(options)}"


def user_name(role: str, version: int) -> str:
    """``sink-1``: the user of a role at a version of its login."""
    return f"{role}-{version}"


def role_of(user: str, roles: tuple[str, ...]) -> str | None:
    """The role of `roles` that a user of ours serves; None for a user that nobody of ours made."""
    role, _, version = user.rpartition("-")
    return role if role in roles and version.isascii() and version.isdecimal() else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeError:  # its message would repeat what stands there
        raise ValueError(f"{path} cannot be read: it is no text") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error


def kafka_client_config(user: str | None, password: str | None) -> dict[str, str]:
    """Settings of a Kafka client that logs in at the published listener; none without a user."""
    if not user:
        return {}
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": user,
        "sasl.password": password or "",
    }
