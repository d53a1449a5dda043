"""Keeps MongoDB's users and roles as the login files want them."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from backend.common.mongo_errors import LOGIN_REFUSED, is_login_refused, short
from backend.contract.login import MONGO_ROLES, role_of
from backend.operator.keeper import Finding
from backend.operator.logins import RoleLogin, read_logins
from backend.operator.mongo_roles import GRANTS, is_as_wanted, role_name
from backend.operator.scram import MECHANISM, is_password_of

log = logging.getLogger("kafka-operator")

Document = dict[str, Any]

_USER_NOT_FOUND = 11
_ROLE_EXISTS, _USER_EXISTS = 51002, 51003


class MongoUsersKeeper:
    """Makes missing users and roles, puts wrong rights and passwords right, removes users of earlier versions.

    Only users called ``<role>-<version>`` are ever touched. A user of an earlier version goes once no login file names it
    and everything else is as wanted.

    Attributes:
        corrections: Steps that put something right since the start.
    """

    name = "users"

    def __init__(self, *, client: "MongoClient[Document]", directory: Path) -> None:
        """Args:
        client: Logged in as a user who may manage users and roles.
        directory: Of the login files; looked at in each step.
        """
        self._admin, self._directory = client.admin, directory
        self._known: dict[str, tuple[str, str]] = {}
        self.corrections = 0

    def step(self) -> Finding:
        try:
            changed = self._reconcile(read_logins(self._directory, system="mongo", roles=MONGO_ROLES))
        except ValueError as error:
            return Finding(False, f"MongoDB's users cannot be kept: {error}")
        except PyMongoError as error:
            if is_login_refused(error):
                return Finding(False, LOGIN_REFUSED)
            if isinstance(error, OperationFailure):
                # Not its text, which may repeat the command with the password in it.
                code = (error.details or {}).get("codeName", error.code)
                return Finding(False, f"MongoDB refuses the operator what its users need ({code})")
            return Finding(False, f"waits for MongoDB: {short(error)}", waiting=True)
        return Finding(not changed, "puts MongoDB's users right" if changed else "")

    def _reconcile(self, wanted: list[RoleLogin]) -> bool:
        changed = self._keep_roles()
        there = {u["user"]: u for u in self._admin.command("usersInfo", 1, showCredentials=True)["users"]}
        for item in wanted:
            changed |= self._keep_user(item, there.get(item.login.user))
        if not changed:
            changed = self._remove_stale(set(there) - {item.login.user for item in wanted})
        self.corrections += changed
        return changed

    def _keep_roles(self) -> bool:
        there = {r["role"]: r for r in self._admin.command("rolesInfo", 1, showPrivileges=True)["roles"]}
        changed = False
        for role, grant in GRANTS.items():
            name = role_name(role)
            rights: Document = {"privileges": grant.privileges(), "roles": grant.inherits()}
            if name not in there:
                self._command("createRole", name, fine=_ROLE_EXISTS, **rights)
                log.info("MongoDB: role %s created", name)
            elif not is_as_wanted(there[name], grant):
                self._command("updateRole", name, **rights)
                log.warning("MongoDB: rights of role %s put right", name)
            else:
                continue
            changed = True
        return changed

    def _keep_user(self, item: RoleLogin, actual: Mapping[str, Any] | None) -> bool:
        user, roles = item.login.user, [{"role": role_name(item.role), "db": "admin"}]
        with_password: Document = {"pwd": item.login.password, "mechanisms": [MECHANISM]}
        if actual is None:
            self._command("createUser", user, fine=_USER_EXISTS, roles=roles, **with_password)
            log.info("MongoDB: user %s created", user)
            return True
        changed = False
        if [(r["role"], r["db"]) for r in actual["roles"]] != [(r["role"], r["db"]) for r in roles]:
            self._command("updateUser", user, roles=roles)
            log.warning("MongoDB: roles of user %s put right", user)
            changed = True
        if not self._has_password(user, actual, item.login.password):
            self._command("updateUser", user, **with_password)
            log.warning("MongoDB: password of user %s put right", user)
            changed = True
        return changed

    def _has_password(self, user: str, actual: Mapping[str, Any], password: str) -> bool:
        """Reckoned anew only when the stored credential or the password is another: it takes thousands of rounds."""
        credential = actual.get("credentials", {}).get(MECHANISM)
        pair = (str(credential), password)
        if self._known.get(user) != pair:
            if not is_password_of(credential, password):
                return False
            self._known[user] = pair
        return True

    def _remove_stale(self, others: set[str]) -> bool:
        stale = sorted(user for user in others if role_of(user, MONGO_ROLES) is not None)
        for user in stale:
            self._command("dropUser", user, fine=_USER_NOT_FOUND)
            log.info("MongoDB: user %s removed, no login file names it any more", user)
        return bool(stale)

    def _command(self, command: str, name: str, *, fine: int = 0, **arguments: Any) -> None:
        """Run it; a failure with the code `fine` says that somebody else was quicker, and the next step looks again."""
        try:
            self._admin.command(command, name, **arguments)
        except OperationFailure as error:
            if error.code != fine:
                raise

    def close(self) -> None:
        """The client is closed by the keeper of the schema."""
