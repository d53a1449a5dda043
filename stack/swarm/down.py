"""`down` of the swarm target: whoever feeds others stops first; it ends when networks are gone."""

import time
from collections.abc import Iterator
from typing import Final

from stack.board import StepBoard
from stack.errors import EngineError, StepFailedError, WaitTimeoutError
from stack.swarm.site import Site
from stack.swarm.watch import POLL_S, guarded
from stack.target import Step

#: They take readings in or work on them: they end before what they need does.
FEEDERS: Final = (
    "generator",
    "gateway",
    "pages",
    "paai",
    "kafka-operator",
    "spark-job",
    "spark-predict",
    "predictor",
    "connect",
)
#: The longest `stop_grace_period` and some time for the engine.
STOP_TIMEOUT_S: Final = 150.0
#: How often in a row none must be seen before there is none: the engine makes containers a while after it was told of them.
QUIET_LOOKS: Final = 3

_FEEDERS, _SERVICES, _NETWORKS, _VOLUMES, _SECRETS = "feeders", "services", "networks", "volumes", "secrets"


class Down:
    """One run of `down`."""

    def __init__(self, site: Site, *, purge: bool) -> None:
        self._site, self._purge, self._board = site, purge, StepBoard()

    def run(self) -> Iterator[Step]:
        """All steps."""
        board = self._board
        board.add(_FEEDERS, "Stop what takes readings and works on them")
        board.add(_SERVICES, "Stop the other services")
        board.add(_NETWORKS, "Networks")
        if self._purge:
            board.add(_VOLUMES, "Remove the data on this node")
            board.add(_SECRETS, "Remove the credentials")
        yield from guarded(board, self._steps(), _FEEDERS)

    def _steps(self) -> Iterator[Step]:
        board, engine, stack = self._board, self._site.engine, self._site.stack
        state = engine.state(stack)
        yield board.begin(_FEEDERS)
        present = [name for name in FEEDERS if state.find(name) is not None]
        for name in present:
            engine.remove_service(self._site.full(name))
        yield from self._until_none(_FEEDERS, present)
        yield board.done(_FEEDERS, "Stopped." if present else "None runs.")
        yield board.begin(_SERVICES)
        if state.services or engine.networks(stack):
            engine.remove_stack(stack)
        yield from self._until_none(_SERVICES, None)
        yield board.done(_SERVICES, "Nothing of the stack runs on this node any more.")
        yield board.begin(_NETWORKS)
        yield from self._until_no_networks()
        # A task that was being prepared when its service was removed may still have got a container.
        yield from self._until_none(_NETWORKS, None)
        yield board.done(_NETWORKS, "Removed.")
        if self._purge:
            yield from self._remove_volumes()
            yield from self._remove_secrets()

    def _until_none(self, key: str, names: list[str] | None) -> Iterator[Step]:
        """Until no container of these services is on this node; of any, with None."""
        deadline, quiet = time.monotonic() + STOP_TIMEOUT_S, 0
        while True:
            left = self._left(names)
            quiet = 0 if left else quiet + 1
            if quiet >= (QUIET_LOOKS if names is None else 1):
                return
            if left and (step := self._board.update(key, f"Waits for {left} containers to end what they are doing.")):
                yield step
            if time.monotonic() > deadline:
                raise WaitTimeoutError(
                    key, f"Containers of the stack did not end within {STOP_TIMEOUT_S:.0f} s",
                    why=f"{left} still run.", remedy="See `docker ps`; run `down` again.",
                )  # fmt: skip
            time.sleep(POLL_S)

    def _left(self, names: list[str] | None) -> int:
        found = self._site.engine.containers(self._site.stack)
        if names is None:
            return len(found)
        return sum(name.removeprefix(f"{self._site.stack}_").split(".")[0] in names for name in found)

    def _until_no_networks(self) -> Iterator[Step]:
        engine, stack, deadline = self._site.engine, self._site.stack, time.monotonic() + STOP_TIMEOUT_S
        while left := engine.networks(stack):
            if step := self._board.update(_NETWORKS, f"Waits for {', '.join(left)}."):
                yield step
            if time.monotonic() > deadline:
                raise WaitTimeoutError(
                    _NETWORKS, f"The network {left[0]} is still there after {STOP_TIMEOUT_S:.0f} s",
                    why="Something is still connected to it.",
                    remedy=f"See `docker network inspect {left[0]}`; run `down` again.",
                )  # fmt: skip
            # Removing a network fails while a container leaves it; the client tries once only.
            try:
                engine.remove_stack(stack)
            except EngineError as error:
                if step := self._board.update(_NETWORKS, f"Waits for {', '.join(left)}: {error.why}"):
                    yield step
            time.sleep(POLL_S)

    def _remove_volumes(self) -> Iterator[Step]:
        board, engine, stack = self._board, self._site.engine, self._site.stack
        yield board.begin(_VOLUMES)
        names = engine.volumes(stack)
        for name in names:
            try:
                engine.remove_volume(name)
            except EngineError as error:
                raise StepFailedError(
                    _VOLUMES, f"The volume {name} cannot be removed", why=error.why, remedy="Run `down --purge` again."
                ) from error
        yield board.done(_VOLUMES, " ".join(filter(None, [f"{len(names)} volumes removed.", self._elsewhere()])))

    def _elsewhere(self) -> str:
        """What to type for data on other nodes, which no manager can remove from afar."""
        others = [node for node in self._site.engine.nodes() if not node.is_self]
        wanted = f"docker volume ls -q --filter label=com.docker.stack.namespace={self._site.stack} | xargs -r docker volume rm"
        return f"On {', '.join(node.name for node in others)} type: {wanted}" if others else ""

    def _remove_secrets(self) -> Iterator[Step]:
        board, engine = self._board, self._site.engine
        yield board.begin(_SECRETS)
        info = engine.info()
        names = [secret.name for secret in engine.secrets(self._site.stack)]
        for name in names:
            engine.remove_secret(name)
        # This user's copy goes last: as long as Docker keeps one, it is worth something.
        self._site.store.forget(self._site.keys(info))
        yield board.done(_SECRETS, f"{len(names)} removed, and this user's copy.")
