"""`scale`, `restart` and `reset` of the swarm target."""

import threading
import time
from collections.abc import Iterator
from typing import Final

from stack.board import StepBoard
from stack.catalogue import Service, find
from stack.errors import EngineError, NotRunningError, StepFailedError, UnknownServiceError, WaitTimeoutError
from stack.swarm import state as states
from stack.swarm.site import Site
from stack.swarm.watch import POLL_S, Watch, guarded
from stack.target import Step

STOP_TIMEOUT_S: Final = 120.0
#: Job → the volume of its checkpoint, by its name in stack.yml, and the services that hold it open.
CHECKPOINTS: Final = {
    "spark-job": ("checkpoint", ("spark-job", "spark-worker")),
    "spark-predict": ("checkpoint-predict", ("spark-predict",)),
}


def scale_service(site: Site, name: str, replicas: int) -> Iterator[Step]:
    """Change the number of replicas; the others are not touched."""
    known = find(name, "swarm")
    if not known.scalable:
        raise UnknownServiceError(f"{known.title} cannot be scaled.", remedy="paai and spark-worker can.")
    if not 1 <= replicas <= known.max_replicas:
        raise UnknownServiceError(
            f"{known.title} cannot have {replicas} replicas.", remedy=f"Choose 1 to {known.max_replicas}."
        )
    before = _running(site, known)
    board = StepBoard()
    board.add(name, f"{known.title}: {replicas} replicas", service=name)

    def steps() -> Iterator[Step]:
        info = site.engine.info()
        site.engine.scale(site.full(name), replicas)
        yield from Watch(site, board, info=info, before=before, cancel=threading.Event()).until_converged([name])

    yield from guarded(board, steps(), name)


def restart_service(site: Site, name: str) -> Iterator[Step]:
    """Make every replica anew, in the order of a rolling update."""
    known = find(name, "swarm")
    before = _running(site, known)
    board = StepBoard()
    board.add(name, f"Restart {known.title}", service=name)

    def steps() -> Iterator[Step]:
        info = site.engine.info()
        site.engine.force_update(site.full(name))
        yield from Watch(site, board, info=info, before=before, cancel=threading.Event()).until_converged([name])

    yield from guarded(board, steps(), name)


def reset_job(site: Site, name: str) -> Iterator[Step]:
    """Stop the job, remove its checkpoint's volume on this node, start the job: the way out when its topic was wiped."""
    known = find(name, "swarm")
    if name not in CHECKPOINTS:
        raise UnknownServiceError(f"{known.title} has nothing to reset.", remedy=f"{' and '.join(CHECKPOINTS)} have.")
    volume, users = CHECKPOINTS[name]
    before = _running(site, known)
    board = StepBoard()
    board.add("stop", f"Stop {' and '.join(users)}")
    board.add("checkpoint", "Remove the checkpoint")
    numbers = {}
    for user in users:
        if (service := before.find(user)) is not None:
            numbers[user] = service.replicas or 1
            board.add(user, f"Start {find(user, 'swarm').title}", service=user)

    def steps() -> Iterator[Step]:
        info = site.engine.info()
        yield board.begin("stop")
        for user in numbers:
            site.engine.scale(site.full(user), 0)
        yield from _until_gone(site, board, "stop", list(numbers))
        yield board.done("stop", "Stopped.")
        yield board.begin("checkpoint")
        yield board.done("checkpoint", _remove_checkpoint(site, f"{site.stack}_{volume}"))
        for user, number in numbers.items():
            site.engine.scale(site.full(user), number)
        yield from Watch(site, board, info=info, before=before, cancel=threading.Event()).until_converged(list(numbers))

    yield from guarded(board, steps(), "stop")


def _remove_checkpoint(site: Site, volume: str) -> str:
    if volume not in site.engine.volumes(site.stack):
        return f"There was none on this node; on another type there: docker volume rm {volume}"
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while True:
        try:
            site.engine.remove_volume(volume)
        except EngineError as error:
            # A container that has ended still holds its volume until the engine has removed it.
            if time.monotonic() > deadline:
                raise StepFailedError("checkpoint", f"The volume {volume} cannot be removed", why=error.why) from error
            time.sleep(POLL_S)
        else:
            return f"Removed {volume}; the job begins anew with what Kafka still has."


def _until_gone(site: Site, board: StepBoard, key: str, names: list[str]) -> Iterator[Step]:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while True:
        state = site.engine.state(site.stack)
        ids = {service.id for service in state.services if service.name in names}
        left = [task for task in state.tasks if task.service_id in ids and task.state in {"running", "starting", "preparing"}]
        if not left:
            return
        if step := board.update(key, f"Waits for {len(left)} containers to end what they are doing."):
            yield step
        if time.monotonic() > deadline:
            raise WaitTimeoutError(key, f"{', '.join(names)} did not stop within {STOP_TIMEOUT_S:.0f} s")
        time.sleep(POLL_S)


def _running(site: Site, known: Service) -> states.StackState:
    state = site.engine.state(site.stack)
    if state.find(known.name) is None:
        raise NotRunningError(
            f"{known.title} does not run",
            why=f"There is no stack {site.stack} on {site.engine.where} with it.",
            remedy=f"Type: {site.command('up')}",
        )
    return state
