"""`up` of the swarm target, step by step."""

import threading
from collections.abc import Callable, Iterator, Mapping

from stack import canary
from stack.backlog import KafkaOffsets
from stack.board import StepBoard
from stack.catalogue import BY_NAME, services_of
from stack.errors import CancelledError, SecretsError
from stack.preflight import raise_first
from stack.swarm import endpoints, generated, overlays, secrets
from stack.swarm.secrets import Credentials
from stack.swarm.site import Site
from stack.swarm.state import EngineInfo, StackState
from stack.swarm.watch import Watch, guarded
from stack.target import FLOWING, Check, Step

PREPARE, SECRETS, DEPLOY, CANARY = "prepare", "secrets", "deploy", FLOWING

#: Services whose replicas people scale, with the most that there may be.
SCALABLE = {service.name: service.max_replicas for service in services_of("swarm") if service.scalable}


class Up:
    """One run of `up`. Holds nothing beyond it."""

    def __init__(self, site: Site, *, preflight: Callable[[], list[Check]], cancel: threading.Event | None) -> None:
        self._site, self._preflight = site, preflight
        self._cancel = cancel or threading.Event()
        self._board = StepBoard()

    def run(self) -> Iterator[Step]:
        """All steps. A failure is yielded as a FAILED step, then raised."""
        board = self._board
        board.add(PREPARE, "Look for obstacles")
        board.add(SECRETS, "Credentials")
        board.add(DEPLOY, "Hand the stack to the swarm")
        names = list(self._site.composition().images)
        order = [service.name for service in services_of("swarm")]
        names.sort(key=lambda name: order.index(name) if name in order else len(order))
        for name in names:
            board.add(name, BY_NAME[name].title if name in BY_NAME else name, service=name)
        board.add(CANARY, "First reading from paai to MongoDB")
        yield from guarded(board, self._steps(names), PREPARE)

    def _steps(self, names: list[str]) -> Iterator[Step]:
        board, site = self._board, self._site
        yield board.begin(PREPARE, "Looks at the engine, images, memory, disk and ports.")
        raise_first([check for check in self._preflight() if check.name != overlays.CHECK])
        info = site.engine.info()
        before = site.engine.state(site.stack)
        overlays.guard(site, before)
        joins = "Updates the stack that runs already." if before.services else "Nothing is in the way."
        yield board.done(PREPARE, joins)
        self._check_cancel()
        yield board.begin(SECRETS, "Looks which there are.")
        credentials = secrets.provision(site.engine, site.stack, site.credentials(info), state=before)
        yield from provide(site, info, credentials, board, SECRETS)
        self._check_cancel()
        yield board.begin(DEPLOY, f"docker stack deploy {site.stack}")
        deploy(site, credentials, before)
        yield board.done(DEPLOY, f"Stack {site.stack} on {site.engine.where}.")
        yield from Watch(site, board, info=info, before=before, cancel=self._cancel).until_converged(names)
        found = endpoints.of(site, credentials)
        with KafkaOffsets(bootstrap=found.kafka, user=found.kafka_user, password=found.kafka_password) as offsets:
            sent = canary.send(
                paai=found.paai,
                mongo=found.mongo,
                command=site.command,
                token=found.token,
                offsets=offsets,
                cancel=self._cancel,
            )
            yield from board.follow(CANARY, sent)

    def _check_cancel(self) -> None:
        if self._cancel.is_set():
            raise CancelledError("Stopped as you asked.", remedy="Run it again to go on.")


def provide(site: Site, info: EngineInfo, credentials: Credentials, board: StepBoard, key: str) -> Iterator[Step]:
    """Keep this user's copy, then have Docker keep what it lacks. In this order nothing is ever only in Docker, where it cannot
    be read.
    """
    lacking = secrets.missing(site.engine, site.stack, credentials)
    site.store.save(site.keys(info), credentials)
    for name in secrets.create(site.engine, site.stack, credentials, lacking):
        if step := board.update(key, f"Has Docker keep {name}."):
            yield step
    made = f"{len(lacking)} made; a copy for this user is in {site.store.where}." if lacking else "All there."
    yield board.done(key, made)


def deploy(
    site: Site,
    credentials: Credentials,
    state: StackState,
    *,
    more_secrets: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """`docker stack deploy` of stack.yml, the overlays and the generated one."""
    composition = site.composition(credentials)
    document = generated.overlay(site.engine, composition, state, scalable=SCALABLE, more_secrets=more_secrets)
    with generated.written(document) as last:
        site.engine.deploy(site.stack, [*site.files(), last], site.variables(credentials))
    write_variables(site, credentials)


def write_variables(site: Site, credentials: Credentials) -> None:
    """Note what a deployment by hand must know, the versions of the secrets among it."""
    try:
        site.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        site.variables_file.write_text(site.variables_text(credentials), "utf-8")
    except OSError as error:
        raise SecretsError(
            f"{site.variables_file} cannot be written",
            why=f"{error.strerror or error}.",
            remedy="Name another folder with --data-dir.",
        ) from error
