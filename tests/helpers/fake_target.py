"""A Target that runs nothing: what it says is set by the test, and waits are opened by hand."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from stack.catalogue import SERVICES
from stack.errors import StackError, StepFailedError, UnknownServiceError
from stack.target import FLOWING, Check, Endpoints, HistoryEntry, LogLine, Plan, PlanItem, ServiceStatus, Step, StepState

WAIT_S = 10.0


class FakeTarget:
    """Implements `stack.target.Target`.

    Attributes:
        gate: `up`, `down`, `scale` and `restart` wait for it before their last step; set unless a test clears it.
        fail_step: Key of the step of `up` that fails, or None.
        fails_at_the_gate: Whether the last step fails once the gate is open.
        flows: Whether `up` says that a reading has flowed, before it starts the services that come last.
        services: What `status` gives.
        written: Log lines by service; `write` adds to them while they are followed.
        calls: What was called, in order.
        past: What `history` gives, by service.
        given: Other endpoints than the usual ones.
        endpoints_gate: `endpoints` waits for it; set unless a test clears it.
        fixes: Key of an action → name of the check that it puts right.
    """

    def __init__(self, *, up: bool = False, where: str = "This machine", name: str = "local") -> None:
        self.name = name
        self.where = where
        self.fixes: dict[str, str] = {}
        self.endpoints_gate = threading.Event()
        self.endpoints_gate.set()
        self.given: Endpoints | None = None
        self.past: dict[str, list[HistoryEntry]] = {}
        self.gate = threading.Event()
        self.gate.set()
        self.fail_step: str | None = None
        self.flows = False
        self.fails_at_the_gate = False
        self.error: StackError | None = None
        self.calls: list[str] = []
        self.checks = [
            Check("Python", True, "3.11.2"),
            Check("Java", True, "OpenJDK 17.0.13 at /usr/lib/jvm/java-17"),
            Check("Memory", True, "18 of 24 GB free; 4 GB are needed"),
            Check("Disk", True, "120 GB free"),
            Check("Ports", True, "13 ports are free"),
        ]
        self.services = [status_of(s.name, s.replicas if up else 0) for s in SERVICES]
        self.written: dict[str, deque[str]] = {
            s.name: deque(f"2026-11-24T05:30:{i % 60:02}.123Z INFO {s.name}: line {i}" for i in range(60)) for s in SERVICES
        }
        self._changed = threading.Condition()

    def plan(self) -> Plan:
        self.calls.append("plan")
        how = {"mongodb": ("secantusd-rs 0.5.3", "no mongod on PATH"), "paai": ("3 processes", "")}
        items = tuple(
            PlanItem(s.name, s.role, *how.get(s.name, ("1 process", "")), port=8000 + i) for i, s in enumerate(SERVICES)
        )
        return Plan(self.name, self.where, "Docker is not installed here, so the services run as plain processes.", items)

    def preflight(self) -> list[Check]:
        return list(self.checks)

    def fix(self, action: str, *, cancel: threading.Event | None = None) -> Iterator[Step]:
        self.calls.append(f"fix {action}")
        yield Step(action, f"Do {action}", StepState.RUNNING, "under way")
        self._wait(cancel)
        if self.error is not None:
            raise self.error
        self.checks = [
            replace(c, ok=True, detail="done", action=None) if c.name == self.fixes[action] else c for c in self.checks
        ]
        yield Step(action, f"Do {action}", StepState.DONE, "done")

    def up(self, *, cancel: threading.Event | None = None) -> Iterator[Step]:
        self.calls.append("up")
        total = len(SERVICES)
        steps = [
            Step(s.name, s.title, StepState.PENDING, "", 0.0, s.name, index=i, total=total) for i, s in enumerate(SERVICES)
        ]
        yield from steps
        for i, step in enumerate(steps):
            if self.flows and i == total - 1:
                yield Step(FLOWING, "First reading", StepState.DONE, "It arrived.", index=i, total=total)
            yield replace(step, state=StepState.RUNNING, detail=f"waits for {step.title} to answer", progress=0.4)
            if step.key == self.fail_step:
                detail = "it ended with code 1"
                yield replace(step, state=StepState.FAILED, detail=detail, elapsed_s=1.2)
                raise StepFailedError(
                    step.key,
                    f"{step.title} did not start",
                    why="It ended with code 1 within a second: the data directory is locked by another process.",
                    remedy="End the other system that uses this directory, or choose another one with --data-dir.",
                    service=step.service,
                )
            if i == total - 1:
                self._wait(cancel)
                if cancel is not None and cancel.is_set():
                    raise StepFailedError(step.key, "Cancelled")
                if self.fails_at_the_gate:
                    raise StepFailedError(step.key, f"{step.title} did not start", why="It ended.", service=step.service)
            self.services[i] = status_of(step.key, SERVICES[i].replicas)
            yield replace(step, state=StepState.DONE, detail="answers", elapsed_s=0.8 + i)

    def status(self) -> list[ServiceStatus]:
        if self.error is not None:
            raise self.error
        return list(self.services)

    def logs(self, service: str, *, lines: int = 200, follow: threading.Event | None = None) -> Iterator[LogLine]:
        if service not in self.written:
            raise UnknownServiceError(f"There is no service {service!r}.")
        seen = len(self.written[service])
        for text in list(self.written[service])[-lines:]:
            yield LogLine(service, 0, text)
        while follow is not None and not follow.is_set():
            with self._changed:
                self._changed.wait(0.02)
            new = list(self.written[service])[seen:]
            seen += len(new)
            for text in new:
                yield LogLine(service, 0, text)

    def write(self, service: str, text: str) -> None:
        """A new log line."""
        with self._changed:
            self.written[service].append(text)
            self._changed.notify_all()

    def scale(self, service: str, replicas: int) -> Iterator[Step]:
        self.calls.append(f"scale {service} {replicas}")
        step = Step("scale", f"Scale {service}", StepState.RUNNING, f"starting replica {replicas}", service=service)
        yield step
        self._wait(None)
        if self.error is not None:
            raise self.error
        self._replace(service, replicas)
        yield replace(step, state=StepState.DONE, detail=f"{replicas} run")

    def restart(self, service: str) -> Iterator[Step]:
        self.calls.append(f"restart {service}")
        yield Step("restart", f"Restart {service}", StepState.DONE, "answers again", service=service)

    def history(self, service: str) -> list[HistoryEntry]:
        self.calls.append(f"history {service}")
        if self.error is not None:
            raise self.error
        return list(self.past.get(service, []))

    def down(self, *, purge: bool = False) -> Iterator[Step]:
        self.calls.append("down purge" if purge else "down")
        yield Step("stop", "Stop services", StepState.RUNNING, "waits for all to end")
        self._wait(None)
        self.services = [status_of(s.name, 0) for s in SERVICES]
        yield Step("stop", "Stop services", StepState.DONE, "all ended", elapsed_s=0.5)

    def endpoints(self) -> Endpoints:
        self.endpoints_gate.wait(WAIT_S)
        return self.given or Endpoints(
            paai="http://127.0.0.1:15000",
            generator="http://127.0.0.1:14000",
            kafka="127.0.0.1:16092",
            mongo="mongodb://127.0.0.1:34017/",
            connect="http://127.0.0.1:15083",
            spark_ui="http://127.0.0.1:15080",
        )

    def is_up(self) -> bool:
        return any(s.running for s in self.services)

    def _replace(self, service: str, replicas: int) -> None:
        self.services = [status_of(service, replicas) if s.service == service else s for s in self.services]

    def _wait(self, cancel: threading.Event | None) -> None:
        deadline = datetime.now(UTC) + timedelta(seconds=WAIT_S)
        while not self.gate.wait(0.01):
            if cancel is not None and cancel.is_set():
                return
            if datetime.now(UTC) > deadline:
                raise StepFailedError("gate", "The test never opened the gate.")


def status_of(
    service: str, running: int, *, message: str = "", note: str = "", restarts: int = 0, healthy: bool | None = None
) -> ServiceStatus:
    """A row of `status`."""
    known = next(s for s in SERVICES if s.name == service)
    return ServiceStatus(
        service=service,
        wanted=max(running, known.replicas if message else running),
        running=running,
        healthy=bool(running) if healthy is None else healthy,
        restarts=restarts,
        message=message,
        note=note,
        since=datetime.now(UTC) - timedelta(seconds=761) if running else None,
        links=tuple((link.label, f"http://127.0.0.1:15000{link.path}") for link in known.links),
        scalable=known.scalable,
        memory_bytes=412_000_000 if running else None,
        cpu_percent=3.4 if running else None,
        stopped=not running and not message,
    )
