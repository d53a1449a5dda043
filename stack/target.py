"""The Target protocol: all that the desktop and the command line know of where the system runs."""

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

#: Key of the step of `up` that is done once a reading has flowed through to MongoDB. Raw readings and windows can be looked at
#: from then on, whatever is still being started.
FLOWING: Final = "canary"


class StepState(StrEnum):
    """State of one step of a deployment."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of `up`, `scale` or `down`, yielded again each time that anything of it changes.

    Attributes:
        key: Stable identity of the step within its run, e.g. ``kafka``.
        title: For people: "Kafka broker".
        state: See `StepState`.
        detail: What it does or waits for right now, or the result; one sentence.
        elapsed_s: Seconds since the step began.
        service: The service whose log tells more, if there is one.
        progress: 0 … 1 where known.
        index: Position in the run, from 0.
        total: Number of steps in the run.
    """

    key: str
    title: str
    state: StepState
    detail: str = ""
    elapsed_s: float = 0.0
    service: str | None = None
    progress: float | None = None
    index: int = 0
    total: int = 1


@dataclass(frozen=True, slots=True)
class Check:
    """One preflight finding.

    Attributes:
        name: What was looked at: "Java".
        ok: Whether it will do.
        detail: What was found.
        remedy: What to do when it will not do.
        action: What the target can do about it itself, see `Target.fix`.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    action: "Action | None" = None


@dataclass(frozen=True, slots=True)
class Action:
    """What the target itself can do about a failed check, at a click.

    Attributes:
        key: For `Target.fix`: "swarm-init".
        label: For a button: "Switch on swarm mode".
    """

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class PlanItem:
    """What will be started for one service, and why so.

    Attributes:
        service: Name of the service.
        role: What it does, for people.
        how: "3 processes", "secantusd-rs 0.5.3".
        why: Reason for a choice, e.g. "no mongod on PATH"; may be empty.
        port: Its port, or None.
    """

    service: str
    role: str
    how: str
    why: str = ""
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What `up` will deploy, where and why.

    Attributes:
        target: "local" or "swarm".
        where: For people: "This machine".
        reason: Why this target was chosen.
        items: One per service, in start order.
    """

    target: str
    where: str
    reason: str
    items: tuple[PlanItem, ...]


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One row of `status`.

    Attributes:
        service: Name of the service.
        wanted: Replicas wanted.
        running: Replicas running.
        healthy: Whether its health check passes now.
        restarts: Unexpected exits since `up`.
        message: Empty when all is well, else one sentence.
        note: What a healthy service reports about itself, e.g. "No model promoted"; empty when it is not healthy. No fault.
        since: When the youngest of its replicas was started; while none runs yet, since when one is being started.
        links: Label and address of pages for people.
        scalable: Whether `scale` takes it.
        memory_bytes: Resident memory of all its processes, or None.
        cpu_percent: Of one core, of all its processes, or None.
        update: Of a swarm: "rolling update 1 of 3", "rolling back", "rolled back: why"; empty when there is nothing to tell.
        rolled_back: Whether the last update was taken back, or is being so.
        updating: Whether an update, or its rollback, is under way.
        stopped: Whether nothing of it runs because nothing shall: stopped on purpose, or never started. No failure.
    """

    service: str
    wanted: int
    running: int
    healthy: bool
    restarts: int
    message: str
    since: datetime | None = None
    links: tuple[tuple[str, str], ...] = ()
    scalable: bool = False
    memory_bytes: int | None = None
    cpu_percent: float | None = None
    update: str = ""
    rolled_back: bool = False
    stopped: bool = False
    updating: bool = False
    note: str = ""


def healthy_text(note: str, replicas: int = 1) -> str:
    """Return the result of a step that waited for a service: "Healthy. No model promoted."

    Args:
        note: See `ServiceStatus.note`.
        replicas: How many there are.
    """
    said = "Healthy." if replicas == 1 else f"{replicas} replicas are healthy."
    return f"{said} {note.rstrip('.')}." if note else said


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What became of one attempt to run a replica.

    Attributes:
        at: When its state was last seen to change.
        replica: From 0; where there is one on each node, 0.
        node: Where it ran; may be empty.
        state: The target's own word: "running", "failed", "rejected", "shutdown".
        message: What was said of it, one sentence; may be empty.
        image: What it ran.
    """

    at: datetime
    replica: int
    node: str
    state: str
    message: str
    image: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a service's log.

    Attributes:
        service: Name of the service.
        replica: Which of its replicas wrote it, from 0.
        text: The line without its end, at most 4 000 characters.
    """

    service: str
    replica: int
    text: str


_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT")


def in_order(logs: Iterable[Iterable[LogLine]]) -> list[LogLine]:
    """Lines of several logs by the time at their beginning; a line without one belongs to the line before it."""
    stamped: list[tuple[str, LogLine]] = []
    for log in logs:
        stamp = ""
        for line in log:
            stamp = line.text[:24] if _TIME.match(line.text) else stamp
            stamped.append((stamp, line))
    return [line for _, line in sorted(stamped, key=lambda pair: pair[0])]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Every address and credential that a client needs. Empty strings and None where there is none. Secrets are not in `repr`.

    Attributes:
        paai: ``http://127.0.0.1:8000``; `generator`, `predictor`, `connect`, `spark_ui` alike.
        kafka: Bootstrap servers, ``127.0.0.1:9092``.
        mongo: ``mongodb://127.0.0.1:27017/``; with user and password where it wants them.
        admin_token: Bearer token of the predictor that may train, promote and delete models too; empty where nobody is asked.
        token: Bearer token of paai, generator and predictor.
        kafka_user, kafka_password: SASL, where the listener wants it.
        web_user, web_password: Login of the web pages (Connect, Spark), where they want one.
    """

    paai: str
    generator: str
    kafka: str
    mongo: str = field(repr=False)
    connect: str
    spark_ui: str
    predictor: str = ""
    admin_token: str = field(default="", repr=False)
    token: str | None = field(default=None, repr=False)
    kafka_user: str | None = None
    kafka_password: str | None = field(default=None, repr=False)
    web_user: str | None = None
    web_password: str | None = field(default=None, repr=False)


class Target(Protocol):
    """Where the system runs. Every call blocks; none may be made on a GUI thread. Waits are bounded.

    Raises (all calls): StackError and its subclasses, nothing else.
    """

    @property
    def name(self) -> str:
        """Either "local" or "swarm"."""
        ...

    def plan(self) -> Plan:
        """What `up` would deploy. Cheap, changes nothing."""
        ...

    def preflight(self) -> list[Check]:
        """Look for foreseeable causes of failure. Changes nothing."""
        ...

    def fix(self, action: str, *, cancel: threading.Event | None = None) -> Iterator[Step]:
        """Do what a failed check offered: `Check.action.key`."""
        ...

    def up(self, *, cancel: threading.Event | None = None) -> Iterator[Step]:
        """Deploy; idempotent. Yields steps as they change; ends once a reading has flowed into MongoDB.

        Raises:
            PreflightError: before anything was started.
            StepFailedError: after a Step with state FAILED was yielded; `up` may simply be called again.
        """
        ...

    def status(self) -> list[ServiceStatus]:
        """One row a service, in start order. All stopped when nothing runs."""
        ...

    def logs(self, service: str, *, lines: int = 200, follow: threading.Event | None = None) -> Iterator[LogLine]:
        """The last `lines` lines, oldest first; with `follow`, then new ones until that event is set."""
        ...

    def scale(self, service: str, replicas: int) -> Iterator[Step]:
        """Change the number of replicas without stopping the others."""
        ...

    def restart(self, service: str) -> Iterator[Step]:
        """Stop and start one service."""
        ...

    def history(self, service: str) -> list[HistoryEntry]:
        """What became of the service's replicas, newest first; empty where the target keeps none."""
        ...

    def down(self, *, purge: bool = False) -> Iterator[Step]:
        """Stop everything; with `purge` remove the data too."""
        ...

    def endpoints(self) -> Endpoints:
        """Addresses, whether or not the system runs."""
        ...

    def is_up(self) -> bool:
        """Whether anything of the system runs."""
        ...
