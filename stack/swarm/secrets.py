"""The credentials of a stack: what there is, how each is made, and that Docker and this user's copy agree.

Docker keeps each as an external secret ``<stack>_<secret>_v<version>`` and gives nobody its content back, so the user who
deploys keeps a copy (`store`), which the desktop and the command line read. All values are of letters, digits and a few signs
that never need escaping.
"""

import base64
import hashlib
import secrets as random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from backend.contract.login import MONGO_ROLES, Login, user_name
from stack.errors import SecretsError
from stack.swarm.engine import Engine
from stack.swarm.hints import command
from stack.swarm.state import SecretInfo, StackState

STACK_LABEL: Final = "paai.stack"
SECRET_LABEL: Final = "paai.secret"  # noqa: S105
CHECK_LABEL: Final = "paai.check"

TOKEN, ADMIN_TOKEN, MODEL_KEY = "token", "admin_token", "model_key"
MONGO_ROOT, MONGO_KEYFILE = "mongo_root", "mongo_keyfile"
WEB_LOGIN, KAFKA_CLIENT = "web_login", "kafka_client"
MONGO_LOGINS: Final = tuple(f"mongo_{role}" for role in MONGO_ROLES)
#: In the order in which they are made.
NAMES: Final = (TOKEN, ADMIN_TOKEN, MODEL_KEY, MONGO_ROOT, MONGO_KEYFILE, *MONGO_LOGINS, KAFKA_CLIENT, WEB_LOGIN)
#: Bearer tokens, one a line: the first is sent, all are accepted.
TOKENS: Final = (TOKEN, ADMIN_TOKEN)
#: A value and no login.
PLAIN: Final = frozenset({*TOKENS, MODEL_KEY, MONGO_ROOT, MONGO_KEYFILE})
#: Nobody but services needs them, and these get them from Docker: a deployment goes on without a copy of these.
SERVICES_ONLY: Final = frozenset({MODEL_KEY, MONGO_ROOT, MONGO_KEYFILE})

_RANDOM_BYTES: Final = 32
_KEYFILE_BYTES: Final = 96


@dataclass(frozen=True, slots=True)
class Entry:
    """One secret at its version.

    Attributes:
        value: Empty when only Docker knows it.
    """

    version: int
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """All secrets of one stack, by name."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def with_entry(self, name: str, entry: Entry) -> "Credentials":
        """A copy in which one is another."""
        return replace(self, entries={**self.entries, name: entry})

    def variables(self) -> dict[str, str]:
        """What stack.yml's ``PAAI_<SECRET>_VERSION`` are."""
        return {version_variable(name): str(entry.version) for name, entry in self.entries.items()}


def version_variable(name: str) -> str:
    """``PAAI_TOKEN_VERSION``."""
    return f"PAAI_{name.upper()}_VERSION"


def docker_name(stack: str, name: str, version: int) -> str:
    """``paai_token_v1``."""
    return f"{stack}_{name}_v{version}"


def make(name: str, version: int) -> Entry:
    """A new value."""
    if name == MONGO_KEYFILE:  # MongoDB takes base64 of at most 1024 characters, and none of what makes it URL-safe
        return Entry(version, base64.b64encode(random.token_bytes(_KEYFILE_BYTES)).decode())
    password = random.token_urlsafe(_RANDOM_BYTES)
    if name in PLAIN:
        return Entry(version, password)
    role = name.partition("_")[2]
    # People type the web pages' user; the others' carry the version, so that a rotation has both side by side.
    user = "paai" if name == WEB_LOGIN else user_name(role, version)
    return Entry(version, Login(user, password).render())


def provision(engine: Engine, stack: str, credentials: Credentials, *, state: StackState | None = None) -> Credentials:
    """Credentials for the stack, old ones where there are any; nothing is changed.

    Raises:
        SecretsError: Docker has secrets of this stack whose values are not in `credentials`.
    """
    there = versions(engine.secrets(stack), stack)
    unknown = [name for name in NAMES if name in there and not _is_known(name, credentials)]
    if unknown:
        raise SecretsError(
            f"This user has no copy of the credentials of stack {stack}",
            why=f"Docker keeps {', '.join(unknown)} and gives none back: somebody else deployed it, or the copy was removed.",
            remedy=f"Deploy from where it was deployed before, or make new ones with `{command(stack, 'rotate all')}`.",
        )
    if state is not None and (newer := newer_in_use(state, stack, credentials)):
        raise SecretsError(
            f"This user's copy of the credentials of stack {stack} is old",
            why=f"The services already use newer versions of {', '.join(newer)}: they were rotated from elsewhere.",
            remedy=f"Deploy from there, or make new ones with `{command(stack, 'rotate all')}`.",
        )
    for name in NAMES:
        if name not in credentials.entries:
            credentials = credentials.with_entry(name, make(name, 1))
    return credentials


def missing(engine: Engine, stack: str, credentials: Credentials) -> list[str]:
    """Names of those that Docker does not have yet.

    Raises:
        SecretsError: Docker has another value by the same name and version.
    """
    there = {secret.name: secret for secret in engine.secrets(stack)}
    lacking = []
    for name, entry in credentials.entries.items():
        found = there.get(docker_name(stack, name, entry.version))
        if found is None and not entry.value:
            raise SecretsError(
                f"The secret {docker_name(stack, name, entry.version)} is lost",
                why="Docker does not have it any more, and this user has no copy.",
                remedy=f"Take the stack down with its data: `{command(stack, 'down --purge')}`.",
            )
        if found is None:
            lacking.append(name)
        elif entry.value and (mark := found.labels.get(CHECK_LABEL)) is not None and mark != checksum(entry):
            raise SecretsError(
                f"The secret {found.name} that Docker keeps is not the one of this user's copy",
                why="They come from two deployments.",
                remedy=f"Make new ones with `{command(stack, 'rotate all')}`, or remove the stack with its data: "
                f"`{command(stack, 'down --purge')}`.",
            )
    return lacking


def create(engine: Engine, stack: str, credentials: Credentials, names: Iterable[str]) -> Iterator[str]:
    """Have Docker keep these; yields each name before its turn."""
    for name in names:
        entry = credentials.entries[name]
        yield name
        labels = {STACK_LABEL: stack, SECRET_LABEL: name, CHECK_LABEL: checksum(entry)}
        engine.create_secret(docker_name(stack, name, entry.version), entry.value, labels)


def versions(found: Iterable[SecretInfo], stack: str) -> dict[str, list[int]]:
    """Which versions of each secret Docker keeps, lowest first."""
    result: dict[str, list[int]] = {}
    for secret in found:
        if (parsed := parse_name(secret.name, stack)) is not None:
            result.setdefault(parsed[0], []).append(parsed[1])
    return {name: sorted(numbers) for name, numbers in result.items()}


def parse_name(docker_secret: str, stack: str) -> tuple[str, int] | None:
    """Secret and version of a name of ours; None for another."""
    name, separator, version = docker_secret.removeprefix(f"{stack}_").rpartition("_v")
    if not docker_secret.startswith(f"{stack}_") or not separator or not version.isdecimal() or name not in NAMES:
        return None
    return name, int(version)


def newer_in_use(state: StackState, stack: str, credentials: Credentials) -> list[str]:
    """Secrets of which the services use a later version than is known here."""
    used = (parse_name(secret, stack) for service in state.services for secret in service.secrets)
    known = credentials.entries
    return sorted({name for name, version in filter(None, used) if name in known and version > known[name].version})


def _is_known(name: str, credentials: Credentials) -> bool:
    entry = credentials.entries.get(name)
    return entry is not None and (bool(entry.value) or name in SERVICES_ONLY)


def checksum(entry: Entry) -> str:
    """Tells values apart without telling them: of 256 random bits nobody finds the original."""
    return hashlib.sha256(f"paai:{entry.value}".encode()).hexdigest()[:16]
