"""Notes of healthy services, from what their containers' health checks print."""

from collections.abc import Iterable

from stack.catalogue import BY_NAME, HealthKind
from stack.errors import StackError
from stack.swarm.engine import Engine
from stack.swarm.state import Service, StackState


def notes(engine: Engine, state: StackState, services: Iterable[Service]) -> dict[str, str]:
    """Return `ServiceStatus.note` by name of those services that have one.

    Containers on other nodes cannot be asked: a note is additional information, never a reason to fail.
    """
    containers = {}
    for service in services:
        known = BY_NAME.get(service.name)
        if known is None or known.health is not HealthKind.STATE_FILE:
            continue
        for task in state.tasks_of(service):
            if task.state == "running" and task.container_id:
                containers[task.container_id] = service.name
    if not containers:
        return {}
    try:
        printed = engine.check_outputs(list(containers))
    except StackError:
        return {}
    return {containers[id_]: text for id_, text in printed.items() if text and id_ in containers}
