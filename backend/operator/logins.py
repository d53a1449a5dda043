"""The login files that the operator makes users of."""

from dataclasses import dataclass
from pathlib import Path

from backend.contract.login import Login, read_login, role_of, user_name

#: While a login is changed, the earlier one stays beside it under this ending, and its user alive.
OLD = "_old"


@dataclass(frozen=True, slots=True)
class RoleLogin:
    """A login and the role that its user has.

    Attributes:
        role: "sink", "client", …
        login: User and password.
    """

    role: str
    login: Login


def read_logins(directory: Path, *, system: str, roles: tuple[str, ...]) -> list[RoleLogin]:
    """The logins in the files ``<system>_<role>`` and ``<system>_<role>_old``. A role without a file has no user.

    Raises:
        ValueError: there is none at all, a file cannot be used, or its user is not called ``<role>-<version>``.
    """
    found: dict[str, RoleLogin] = {}
    for role in roles:
        for path in (directory / f"{system}_{role}", directory / f"{system}_{role}{OLD}"):
            if not path.exists():
                continue
            login = read_login(path)
            if role_of(login.user, roles) != role:
                raise ValueError(f"{path}: users of this role are called {user_name(role, 1)}, {user_name(role, 2)} and so on")
            other = found.setdefault(login.user, RoleLogin(role, login))
            if other.login != login:
                raise ValueError(f"{path}: the user {login.user} stands in another file with another password")
    if not found:  # a directory that is not mounted must not remove every user
        raise ValueError(f"{directory} holds no login file {system}_{roles[0]} or the like")
    return list(found.values())
