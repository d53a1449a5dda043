"""Whether a service is as wanted, judged from its task list and not by the client's word."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stack.catalogue import Service as Known
from stack.swarm.state import Service, Task

#: What the scheduler says while an older task still holds the port or the memory is no failure yet.
PENDING_GRACE_S: Final = 30.0
#: A service may exit while what it needs is not there; more often than this it is its own fault.
MAX_FAILURES: Final = 5
MAX_OOM: Final = 2

_KILLED: Final = 137
_MISSING_IMAGE: Final = ("no such image", "pull access denied", "manifest unknown", "not found: manifest", "image not found")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one service.

    Attributes:
        wanted: Replicas wanted.
        running: Replicas that run what is wanted, health check passed.
        alive: Replicas that run at all, those of an earlier version included.
        converged: All that are wanted run, nothing else does, and no update is under way.
        detail: What it waits for, or what is wrong; empty when converged.
        update: As `ServiceStatus.update`.
        rolled_back: Whether the last update was taken back, or is being so.
        bad: The task that tells why it is not well, or None.
    """

    wanted: int
    running: int
    alive: int
    converged: bool
    detail: str
    update: str
    rolled_back: bool
    bad: Task | None


def judge(service: Service, tasks: Sequence[Task]) -> Verdict:
    """The state of a service.

    Args:
        tasks: All of this service, newest first.
    """
    living = [task for task in tasks if task.lives]
    wanted = service.replicas if service.replicas is not None else max(1, len({task.node_id or task.id for task in living}))
    alive = [task for task in tasks if task.state == "running"]
    good = [task for task in living if task.state == "running" and task.current]
    under_way = service.update is not None and service.update.under_way
    others = [task for task in living if not (task.state == "running" and task.current)]
    leaving = [task for task in alive if not task.lives]
    converged = len(good) == wanted and not others and not leaving and not under_way and not _is_stuck(service)
    bad = next((task for task in tasks if task.error and (task.failed or task.state == "pending")), None)
    update = describe_update(service, good=len(good), wanted=wanted, mixed=bool(others or leaving))
    return Verdict(
        wanted=wanted,
        running=min(len(good), wanted),
        alive=len(alive),
        converged=converged,
        detail="" if converged else _waits_for(wanted, good, living, update, bad),
        update=update,
        rolled_back=service.update is not None and service.update.rolled_back,
        bad=bad,
    )


def describe_update(service: Service, *, good: int, wanted: int, mixed: bool) -> str:
    """As `ServiceStatus.update`."""
    match service.update.state if service.update else "":
        case "updating":
            return f"rolling update {min(good, wanted)} of {wanted}" if mixed or good < wanted else "rolling update, settling"
        case "paused":
            return f"update stopped: {_words(service)}"
        case "rollback_started":
            return "rolling back"
        case "rollback_paused":
            return f"rollback stopped: {_words(service)}"
        case "rollback_completed":
            return f"rolled back: {_words(service)}"
        case _:
            return ""


def hopeless(
    service: Service, verdict: Verdict, tasks: Sequence[Task], *, since: datetime, now: datetime, oom_killed: int
) -> str:
    """Why waiting longer makes no sense; empty while it does.

    Args:
        since: What ended before is not of this run; of the engine's clock, as `now`.
        oom_killed: How many of its tasks the kernel has killed for memory since then.
    """
    recent = [task for task in tasks if task.failed and task.created >= since]
    for task in recent:
        if any(sign in task.error.lower() for sign in _MISSING_IMAGE):
            return f"The image {_short(task.image)} is not on its node."
    if oom_killed >= MAX_OOM:
        return "It was killed again and again because it used more memory than its limit allows."
    if service.update is not None and service.update.state in {"paused", "rollback_paused", "rollback_completed"}:
        return "" if verdict.converged else f"Its {verdict.update}."
    if len(recent) >= MAX_FAILURES:
        return f"It has ended {len(recent)} times."
    waiting = [task for task in tasks if task.lives and task.state == "pending" and task.error]
    if waiting and (now - max(waiting[0].created, since)).total_seconds() > PENDING_GRACE_S:
        return "The swarm finds no place for it."
    return ""


def sentence(task: Task, known: Known | None = None, *, oom: bool = False) -> str:
    """Why a task does not run, for people."""
    who = known.title if known else "It"
    low = task.error.lower()
    if oom:
        return f"{who} was killed because it used more memory than its limit allows (OOM)."
    if any(sign in low for sign in _MISSING_IMAGE):
        return f"{who}: the image {_short(task.image)} is missing on its node."
    if "unhealthy container" in low:
        return f"{who} was ended because its health check failed."
    if task.exit_code not in (None, 0) and "non-zero exit" in low:
        kind = " (killed)" if task.exit_code == _KILLED else ""
        return f"{who} exited with code {task.exit_code}{kind}."
    if not task.error:
        return f"{who} is {task.state}."
    return f"{who}: {task.error.removesuffix('.')}."


def remedy(task: Task | None, command: Callable[[str], str]) -> str:
    """What can be done about it.

    Args:
        command: `Site.command`.
    """
    low = task.error.lower() if task else ""
    if any(sign in low for sign in _MISSING_IMAGE):
        return f"Build or load it there: `{command('build')}`; for another node: docker save IMAGE | docker -H NODE load."
    if "host-mode port already in use" in low:
        return "End what uses that port, or deploy on others with --port-offset."
    if "insufficient resources" in low:
        return "Free memory on the node, add a node, or lower the limit in stack/stack.yml."
    if "constraints not satisfied" in low or "no suitable node" in low:
        return "See `docker node ls`: a node must be active and fit the placement in stack/stack.yml."
    return ""


def _waits_for(wanted: int, good: Sequence[Task], living: Sequence[Task], update: str, bad: Task | None) -> str:
    if wanted == 0:
        return "Waits for its last replica to end."
    starting = [task for task in living if task.state in {"starting", "running"} and task not in good]
    if bad is not None and (not living or bad is living[0] or bad.created >= max(task.created for task in living)):
        return sentence(bad)
    if update:
        return f"{update[0].upper()}{update[1:]}."
    what = "its health check" if starting else "its container"
    prefix = f"{len(good)} of {wanted} are healthy; waits" if wanted > 1 else "Waits"
    again = f" It was started again after this: {sentence(bad)}" if bad is not None else ""
    return f"{prefix} for {what}.{again}"


def _is_stuck(service: Service) -> bool:
    return service.update is not None and service.update.state in {"paused", "rollback_paused"}


def _words(service: Service) -> str:
    message = service.update.message if service.update else ""
    return message.removesuffix(".") or "the engine gives no reason"


def _short(image: str) -> str:
    """Of an identity the beginning will do."""
    return image[:19] if image.startswith("sha256:") else image
