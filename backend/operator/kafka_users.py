"""Keeps the users of Kafka's published listener, and what they may do there: read the topics, and nothing else."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from backend.contract import names
from backend.contract.login import KAFKA_ROLES, Login, role_of
from backend.operator.keeper import Finding
from backend.operator.logins import RoleLogin, read_logins
from backend.operator.topics import KafkaUnavailableError

log = logging.getLogger("kafka-operator")


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One entry of Kafka's access control list, in Kafka's own words.

    Attributes:
        user: Whose; the principal is ``User:<user>``.
        resource: "TOPIC", "GROUP", …
        name: Of the resource; "*" = all.
        operation: "READ", "DESCRIBE", …
        pattern: "LITERAL" or "PREFIXED".
        permission: "ALLOW" or "DENY".
        host: "*" = any.
    """

    user: str
    resource: str
    name: str
    operation: str
    pattern: str = "LITERAL"
    permission: str = "ALLOW"
    host: str = "*"


def wanted_acls(user: str) -> frozenset[Acl]:
    """A client reads the topics. Of groups it may look at two: its own name, which librdkafka asks for although it joins none,
    and the sink's, whose lag the desktop shows; without READ it can neither join nor commit.
    """
    topics = (names.TOPIC_MESSAGES, names.TOPIC_PREDICTIONS, names.TOPIC_DEAD_LETTERS)
    return frozenset(
        {Acl(user, "TOPIC", topic, operation) for topic in topics for operation in ("READ", "DESCRIBE")}
        | {Acl(user, "GROUP", group, "DESCRIBE") for group in (names.DESKTOP_GROUP, names.SINK_GROUP)}
    )


class KafkaUserAdmin(Protocol):
    """The few things that the keeper asks of Kafka. Each call is bounded and raises `KafkaUnavailableError` only."""

    def users(self) -> set[str]:
        """Users with a SCRAM-SHA-512 credential."""
        ...

    def put_user(self, login: Login) -> None:
        """Set a user's credential, new or not."""
        ...

    def drop_users(self, users: set[str]) -> None:
        """Remove credentials; those that are not there are no error."""
        ...

    def acls(self) -> set[Acl]:
        """Every entry for a user."""
        ...

    def add_acls(self, acls: set[Acl]) -> None:
        """Add entries."""
        ...

    def drop_acls(self, acls: set[Acl]) -> None:
        """Remove entries."""
        ...


class KafkaUsersKeeper:
    """Makes missing users, sets their passwords and rights, removes users of earlier versions.

    Kafka tells nothing of a password; so it is set once after the start and whenever the login file holds another one.

    Attributes:
        corrections: Steps that put something right since the start.
    """

    name = "kafka-users"

    def __init__(self, *, admin: KafkaUserAdmin, directory: Path) -> None:
        """Args:
        directory: Of the login files; looked at in each step.
        """
        self._admin, self._directory = admin, directory
        self._set: dict[str, Login] = {}
        self.corrections = 0

    def step(self) -> Finding:
        try:
            changed = self._reconcile(read_logins(self._directory, system="kafka", roles=KAFKA_ROLES))
        except ValueError as error:
            return Finding(False, f"Kafka's users cannot be kept: {error}")
        except KafkaUnavailableError as error:
            return Finding(False, f"waits for Kafka: {error}", waiting=True)
        return Finding(not changed, "puts Kafka's users right" if changed else "")

    def _reconcile(self, wanted: list[RoleLogin]) -> bool:
        logins = {item.login.user: item.login for item in wanted}
        # Asked first: who may not ask for rights may not ask for users either, and librdkafka 2.16 aborts the process when that
        # is refused.
        acls = self._admin.acls()
        there = self._admin.users()
        changed = False
        for user, login in logins.items():
            if user not in there or self._set.get(user) != login:
                self._admin.put_user(login)
                self._set[user] = login
                log.info("Kafka: credential of user %s set", user)
                changed = True
        changed |= self._keep_acls(acls, users=set(logins))
        if not changed:
            changed = self._remove_stale(there, acls, wanted=set(logins))
        self.corrections += changed
        return changed

    def _keep_acls(self, acls: set[Acl], *, users: set[str]) -> bool:
        """Users of earlier versions keep theirs until they go."""
        actual = {acl for acl in acls if acl.user in users}
        wanted = {acl for user in users for acl in wanted_acls(user)}
        if missing := wanted - actual:
            self._admin.add_acls(missing)
            log.info("Kafka: %d rights given to %s", len(missing), ", ".join(sorted({a.user for a in missing})))
        if surplus := actual - wanted:
            self._admin.drop_acls(surplus)
            log.warning("Kafka: %d rights too many taken from %s", len(surplus), ", ".join(sorted({a.user for a in surplus})))
        return actual != wanted

    def _remove_stale(self, there: set[str], acls: set[Acl], *, wanted: set[str]) -> bool:
        rights = {acl for acl in acls if acl.user not in wanted and role_of(acl.user, KAFKA_ROLES)}
        stale = {user for user in there - wanted if role_of(user, KAFKA_ROLES)}
        if rights:
            self._admin.drop_acls(rights)
        if stale:
            self._admin.drop_users(stale)
            log.info("Kafka: user %s removed, no login file names it any more", ", ".join(sorted(stale)))
        return bool(rights or stale)

    def close(self) -> None:
        """Nothing to let go of: the admin client has no close."""
