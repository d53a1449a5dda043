"""New credentials while everything runs on: the new ones are accepted beside the old before anybody uses them.

Each phase is a deployment and a wait until it has converged, so an interrupted rotation can be run again from wherever it was.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pymongo
from pymongo.errors import PyMongoError

from backend.contract.documents import DECODING
from backend.contract.login import Login, kafka_client_config, with_login
from stack.board import StepBoard
from stack.errors import NotRunningError, SecretsError, StackError, UnknownServiceError, WaitTimeoutError
from stack.swarm import endpoints, overlays, secrets
from stack.swarm.secrets import Credentials, Entry
from stack.swarm.site import Site
from stack.swarm.state import OLD, EngineInfo, StackState
from stack.swarm.up import deploy
from stack.swarm.watch import Watch, guarded
from stack.target import Step

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "token": (secrets.TOKEN,),
    "admin": (secrets.ADMIN_TOKEN,),
    "mongo": secrets.MONGO_LOGINS,
    "kafka": (secrets.KAFKA_CLIENT,),
    "web": (secrets.WEB_LOGIN,),
    "root": (secrets.MONGO_ROOT,),
}
#: What people may look for here, and why it is not.
NOT_ROTATED: Final[dict[str, str]] = {
    "model": "The key of the models stays: every stored model is sealed with it, and would be refused under another.",
}
#: Of these somebody must make users before they can be used.
_USERS: Final = frozenset({*secrets.MONGO_LOGINS, secrets.KAFKA_CLIENT})
#: Of these the operator must know the former value until all is as wanted.
_SUCCEEDED: Final = _USERS | {secrets.MONGO_ROOT}
OPERATOR: Final = "kafka-operator"
#: The operator looks every few seconds; a busy database takes its time to make a user.
USERS_TIMEOUT_S: Final = 120.0
_POLL_S: Final = 1.0


class Rotation:
    """One run of `rotate`."""

    def __init__(self, site: Site, what: str) -> None:
        if what != "all" and what not in GROUPS:
            raise UnknownServiceError(
                f"There is nothing to rotate by the name {what!r}.",
                why=NOT_ROTATED.get(what, ""),
                remedy=f"{', '.join(GROUPS)} or all.",
            )
        self._site, self._what, self._board = site, what, StepBoard()
        self._names = [name for group in (GROUPS if what == "all" else [what]) for name in GROUPS[group]]
        self._tokens = [name for name in self._names if name in secrets.TOKENS]

    def run(self) -> Iterator[Step]:
        """All steps; the services are deployed up to three times, whatever is rotated."""
        add, names = self._board.add, set(self._names)
        add("look", "Look at what there is")
        if self._tokens or names & _USERS:
            add("accept", "Have the new credentials accepted beside the former ones")
        add("move", "Move the services over")
        if self._tokens or names & _SUCCEEDED:
            add("drop", "Have the former credentials refused")
        add("secrets", "Remove the former secrets")
        yield from guarded(self._board, self._steps(), "look")

    def _steps(self) -> Iterator[Step]:
        board, site = self._board, self._site
        yield board.begin("look")
        info, state = site.engine.info(), site.engine.state(site.stack)
        if not state.services:
            raise NotRunningError(
                f"Stack {site.stack} does not run", why="Its services must move over.", remedy=f"Type: {site.command('up')}"
            )
        overlays.guard(site, state)
        credentials = self._known(info, state)
        yield board.done("look", f"Rotates {self._what}.")
        former = {name: credentials.entries[name].value.split() for name in self._tokens}
        new = {name: secrets.make(name, 1).value for name in self._tokens}
        fresh = self._fresh()
        if board.has("accept"):
            credentials = self._with_tokens(credentials, {name: [*former[name], new[name]] for name in self._tokens})
            self._keep(info, credentials)
            users = {name: entry for name, entry in fresh.items() if name in _USERS}
            yield from self._deployed("accept", info, credentials, beside=users, until=lambda: self._log_in(users))
        succeeded = {name: credentials.entries[name] for name in fresh if name in credentials.entries and name in _SUCCEEDED}
        credentials = self._with_tokens(credentials, {name: [new[name], *former[name]] for name in self._tokens})
        for name, entry in fresh.items():
            credentials = credentials.with_entry(name, entry)
        self._keep(info, credentials)
        yield from self._deployed("move", info, credentials, beside=succeeded)
        if board.has("drop"):
            credentials = self._with_tokens(credentials, {name: [new[name]] for name in self._tokens})
            self._keep(info, credentials)
            yield from self._deployed("drop", info, credentials)
        yield board.begin("secrets")
        removed = self._remove_former(credentials)
        yield board.done("secrets", f"{removed} removed. By hand deploy with the variables in {site.variables_file}.")

    def _known(self, info: EngineInfo, state: StackState) -> Credentials:
        """The copy of this user. Where there is none, everything must be made anew, and what is in use stays until then."""
        credentials = self._site.credentials(info)
        try:
            return secrets.provision(self._site.engine, self._site.stack, credentials, state=state)
        except SecretsError:
            if self._what != "all":
                raise
            return self._without_copy(credentials, state)

    def _without_copy(self, credentials: Credentials, state: StackState) -> Credentials:
        """The versions that the services use, with values that only Docker knows: enough to go on from."""
        used = [secrets.parse_name(secret, self._site.stack) for service in state.services for secret in service.secrets]
        for name, version in filter(None, used):
            entry = credentials.entries.get(name)
            if entry is None or entry.version != version:
                credentials = credentials.with_entry(name, Entry(version, ""))
        # Some are kept for an overlay that is not deployed.
        for name, versions in self._versions().items():
            if name not in credentials.entries:
                credentials = credentials.with_entry(name, Entry(versions[-1], ""))
        return credentials

    def _versions(self) -> dict[str, list[int]]:
        return secrets.versions(self._site.engine.secrets(self._site.stack), self._site.stack)

    def _next_version(self, name: str) -> int:
        return max(self._versions().get(name, [0])) + 1

    def _with_tokens(self, credentials: Credentials, lines: Mapping[str, list[str]]) -> Credentials:
        for name, tokens in lines.items():
            credentials = credentials.with_entry(name, Entry(self._next_version(name), "\n".join(tokens)))
        return credentials

    def _fresh(self) -> dict[str, Entry]:
        """New values of all but the tokens, already kept by Docker, since the next deployment names them."""
        names = [name for name in self._names if name not in secrets.TOKENS]
        found = {name: secrets.make(name, self._next_version(name)) for name in names}
        list(secrets.create(self._site.engine, self._site.stack, Credentials(found), found))
        return found

    def _keep(self, info: EngineInfo, credentials: Credentials) -> None:
        """This user's copy first: a secret that is only in Docker is lost."""
        site = self._site
        site.store.save(site.keys(info), credentials)
        list(secrets.create(site.engine, site.stack, credentials, secrets.missing(site.engine, site.stack, credentials)))

    def _deployed(
        self,
        key: str,
        info: EngineInfo,
        credentials: Credentials,
        *,
        beside: Mapping[str, Entry] | None = None,
        until: Callable[[], str] | None = None,
    ) -> Iterator[Step]:
        """Deploy, and wait until all services are as wanted.

        Args:
            beside: Logins of which the operator is to have users too.
            until: Waits on until it returns an empty sentence.
        """
        board, site = self._board, self._site
        yield board.begin(key, "Hands the change to the swarm.")
        before = site.engine.state(site.stack)
        files = {f"{name}{OLD}": secrets.docker_name(site.stack, name, entry.version) for name, entry in (beside or {}).items()}
        deploy(site, credentials, before, more_secrets={OPERATOR: files} if files else None)
        inner = StepBoard()
        names = [service.name for service in before.services]
        for name in names:
            inner.add(name, name)
        watch = Watch(site, inner, info=info, before=before, cancel=threading.Event())
        for step in watch.until_converged(names):
            if step.detail and (news := board.update(key, f"{step.service or step.key}: {step.detail}")):
                yield news
        deadline = time.monotonic() + USERS_TIMEOUT_S
        while until is not None and (waits := until()):
            if news := board.update(key, waits):
                yield news
            if time.monotonic() > deadline:
                raise WaitTimeoutError(
                    key,
                    f"The new users were not there after {USERS_TIMEOUT_S:.0f} s",
                    why=waits,
                    remedy=f"See `{site.command(f'logs {OPERATOR}')}`, then rotate again; the former credentials hold on.",
                    service=OPERATOR,
                )
            time.sleep(_POLL_S)
        yield board.done(key, "Done.")

    def _log_in(self, wanted: Mapping[str, Entry]) -> str:
        """Which of the new users cannot log in yet, as a sentence; empty when all can."""
        found = endpoints.of(self._site, Credentials())
        for name, entry in wanted.items():
            login = endpoints.login(Credentials({name: entry}), name)
            if login is None:
                continue
            problem = _kafka_problem(found.kafka, login) if name == secrets.KAFKA_CLIENT else _mongo_problem(found.mongo, login)
            if problem:
                return f"Waits for the user {login.user}: {problem}."
        return ""

    def _remove_former(self, credentials: Credentials) -> int:
        site, removed = self._site, 0
        for secret in site.engine.secrets(site.stack):
            parsed = secrets.parse_name(secret.name, site.stack)
            if parsed is None or parsed[0] not in credentials.entries or parsed[1] >= credentials.entries[parsed[0]].version:
                continue
            try:
                site.engine.remove_secret(secret.name)
            except StackError:
                continue  # a task that is ending still holds it; the next rotation takes it
            removed += 1
        return removed


def _mongo_problem(uri: str, login: Login) -> str:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        with_login(uri, login), serverSelectionTimeoutMS=3000, socketTimeoutMS=5000, **DECODING
    )
    with client:
        try:
            client.admin.command("connectionStatus")
        except PyMongoError as error:
            return str(error).splitlines()[0][:120]
    return ""


def _kafka_problem(bootstrap: str, login: Login) -> str:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    config: dict[str, Any] = {"bootstrap.servers": bootstrap, "log_level": 0}
    client = AdminClient(config | kafka_client_config(login.user, login.password))
    try:
        client.list_topics(timeout=5)
    except KafkaException as error:
        return str(error.args[0].str())[:120]
    return ""
