"""`kafka_users.KafkaUserAdmin` on confluent-kafka."""

from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaError
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it re-exports without saying so
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from backend.contract.login import Login
from backend.operator.kafka_calls import KafkaCalls
from backend.operator.kafka_users import Acl

_USER = "User:"
#: Kafka's own default and the least that it takes. The passwords are random and long: more rounds would only slow each login.
_ITERATIONS = 4096


class ConfluentUserAdmin(KafkaCalls):
    """Blocking, bounded calls; every failure is a `KafkaUnavailableError`."""

    def users(self) -> set[str]:
        future = self._client.describe_user_scram_credentials(request_timeout=self._timeout_s)
        described = self._all("reading users", {"": future})[""]
        return {
            user
            for user, description in described.items()
            if any(info.mechanism == ScramMechanism.SCRAM_SHA_512 for info in description.scram_credential_infos)
        }

    def put_user(self, login: Login) -> None:
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
        change = UserScramCredentialUpsertion(login.user, info, login.password.encode())
        self._all("setting a user", self._client.alter_user_scram_credentials([change], request_timeout=self._timeout_s))

    def drop_users(self, users: set[str]) -> None:
        changes = [UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512) for user in sorted(users)]
        futures = self._client.alter_user_scram_credentials(changes, request_timeout=self._timeout_s)
        self._all("removing users", futures, fine=(KafkaError.RESOURCE_NOT_FOUND,))

    def acls(self) -> set[Acl]:
        any_: Any = None  # what its types do not know
        every = AclBindingFilter(
            ResourceType.ANY, any_, ResourcePatternType.ANY, any_, any_, AclOperation.ANY, AclPermissionType.ANY
        )
        future = self._client.describe_acls(every, request_timeout=self._timeout_s)
        return {_from_binding(b) for b in self._all("reading rights", {"": future})[""] if b.principal.startswith(_USER)}

    def add_acls(self, acls: set[Acl]) -> None:
        futures = self._client.create_acls(_bindings(AclBinding, acls), request_timeout=self._timeout_s)
        self._all("giving rights", futures)

    def drop_acls(self, acls: set[Acl]) -> None:
        futures = self._client.delete_acls(_bindings(AclBindingFilter, acls), request_timeout=self._timeout_s)
        self._all("taking rights", futures)


def _bindings(kind: type[AclBinding], acls: Iterable[Acl]) -> list[AclBinding]:
    """`kind` is AclBinding or AclBindingFilter, which are made alike."""
    return [
        kind(
            ResourceType[acl.resource],
            acl.name,
            ResourcePatternType[acl.pattern],
            f"{_USER}{acl.user}",
            acl.host,
            AclOperation[acl.operation],
            AclPermissionType[acl.permission],
        )
        for acl in sorted(acls)
    ]


def _from_binding(binding: Any) -> Acl:
    return Acl(
        user=binding.principal.removeprefix(_USER),
        resource=binding.restype.name,
        name=binding.name,
        operation=binding.operation.name,
        pattern=binding.resource_pattern_type.name,
        permission=binding.permission_type.name,
        host=binding.host,
    )
