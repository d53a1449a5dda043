"""`scale`, `restart` and `reset` of the local target."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from backend.contract.ports import Ports
from stack.board import StepBoard
from stack.catalogue import HealthKind, Service, find
from stack.errors import StackError, StepFailedError, UnknownServiceError, WaitTimeoutError, system_error
from stack.local import daemon, instance, logs
from stack.local.layout import Layout
from stack.local.probes import Prober
from stack.local.rpc import Supervisor
from stack.local.start import Starter
from stack.local.status import why_down
from stack.target import Step

STOP_TIMEOUT_S = 45.0
_POLL_S = 0.1


def scale_service(layout: Layout, ports: Ports, name: str, replicas: int) -> Iterator[Step]:
    """Start missing replicas, stop those beyond; the others are not touched."""
    service = find(name)
    if not service.scalable:
        raise UnknownServiceError(f"{service.title} cannot be scaled.", remedy="Only paai can.")
    if not 1 <= replicas <= service.max_replicas:
        raise UnknownServiceError(
            f"{service.title} cannot have {replicas} processes.", remedy=f"Choose 1 to {service.max_replicas}."
        )
    supervisor = daemon.connect(layout)
    supervisor.processes()  # fails here, with the right words, when nothing runs
    instance.remember_wanted(layout, name, replicas)
    board = StepBoard()
    board.add("stop", f"Stop {service.title} beyond {replicas}", service=name)
    board.add(name, f"{service.title}: {replicas} processes", service=name)
    yield from _guarded(board, _scale(supervisor, board, layout, ports, service, replicas), name)


def _scale(
    supervisor: Supervisor, board: StepBoard, layout: Layout, ports: Ports, service: Service, replicas: int
) -> Iterator[Step]:
    yield from _stop(supervisor, board, "stop", service, keep=replicas)
    yield from _start(supervisor, board, layout, ports, service)


def restart_service(layout: Layout, ports: Ports, name: str) -> Iterator[Step]:
    """Stop and start one service."""
    service = find(name)
    supervisor = daemon.connect(layout)
    supervisor.processes()
    board = StepBoard()
    board.add("stop", f"Stop {service.title}", service=name)
    board.add(name, f"Start {service.title}", service=name)
    yield from _guarded(board, _restart(supervisor, board, layout, ports, service), name)


def _restart(supervisor: Supervisor, board: StepBoard, layout: Layout, ports: Ports, service: Service) -> Iterator[Step]:
    yield from _stop(supervisor, board, "stop", service, keep=0)
    _forget_state(layout, service)
    yield from _start(supervisor, board, layout, ports, service)


def reset_job(layout: Layout, ports: Ports, name: str) -> Iterator[Step]:
    """Stop a Spark job, move its checkpoint aside, start it. Works on a stopped system too: then nothing is started."""
    service = find(name)
    if name not in layout.checkpoints:
        raise UnknownServiceError(
            f"{service.title} has nothing to reset.", remedy=f"Only {' and '.join(layout.checkpoints)} have."
        )
    board = StepBoard()
    board.add("stop", f"Stop {service.title}", service=name)
    board.add("checkpoint", "Move the checkpoint aside", service=name)
    runs = daemon.is_running(layout)
    if runs:
        board.add(name, f"Start {service.title}", service=name)
    yield from _guarded(board, _reset(board, layout, ports, service, runs=runs), name)


def _reset(board: StepBoard, layout: Layout, ports: Ports, service: Service, *, runs: bool) -> Iterator[Step]:
    supervisor = daemon.connect(layout)
    if runs:
        yield from _stop(supervisor, board, "stop", service, keep=0)
    else:
        yield board.done("stop", "Does not run.")
    yield board.begin("checkpoint")
    checkpoint = layout.checkpoints[service.name]
    aside = checkpoint.with_name(f"{checkpoint.name}-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    try:
        checkpoint.rename(aside)
        done = f"Kept as {aside}; remove it when you no longer need it."
    except FileNotFoundError:
        done = "There was none."
    except OSError as error:
        raise StepFailedError("checkpoint", f"{checkpoint} cannot be moved", why=f"{error}.") from error
    _forget_state(layout, service)
    yield board.done("checkpoint", done)
    if runs:
        yield from _start(supervisor, board, layout, ports, service)


def _guarded(board: StepBoard, steps: Iterator[Step], last: str) -> Iterator[Step]:
    """Yield a failure as a FAILED step before it is raised."""
    try:
        yield from board.all()
        yield from steps
    except (StackError, OSError, UnicodeError) as caught:
        error = caught if isinstance(caught, StackError) else system_error(caught)
        step = error.step if isinstance(error, StepFailedError) and board.has(error.step) else last
        yield board.failed(step if board.has(step) else (board.running() or ["stop"])[0], str(error))
        raise error from error.__cause__


def _forget_state(layout: Layout, service: Service) -> None:
    """What the stopped process reported of itself must not pass for news of the next. What it keeps there is its own."""
    if service.health is HealthKind.STATE_FILE:
        (layout.state / f"{service.name}.json").unlink(missing_ok=True)


def _stop(supervisor: Supervisor, board: StepBoard, key: str, service: Service, *, keep: int) -> Iterator[Step]:
    yield board.begin(key)
    surplus = [p for p in supervisor.processes() if p.group == service.name and p.replica >= keep]
    for process in surplus:
        if process.is_alive or process.state in {"BACKOFF", "STOPPING"}:
            supervisor.stop(process.full_name)
    names, deadline = {p.full_name for p in surplus}, time.monotonic() + STOP_TIMEOUT_S
    while left := [p for p in supervisor.processes() if p.full_name in names and p.pid]:
        if step := board.update(key, f"Waits for {len(left)} of {service.title} to end what they are doing."):
            yield step
        if time.monotonic() > deadline:
            raise WaitTimeoutError(key, f"{service.title} did not stop within {STOP_TIMEOUT_S:.0f} s", service=service.name)
        time.sleep(_POLL_S)
    yield board.done(key, "Stopped.")


def _start(supervisor: Supervisor, board: StepBoard, layout: Layout, ports: Ports, service: Service) -> Iterator[Step]:
    starter = Starter(
        supervisor,
        Prober(layout, ports).probe,
        board,
        excerpt=lambda name: logs.excerpt(layout, name, scaled=service.scalable),
        why_down=lambda service, process: why_down(layout, service, process),
        command=layout.command,
        obstacle=layout.full,
        cancel=threading.Event(),
    )
    yield from starter.run([service], instance.wanted_replicas(layout))
