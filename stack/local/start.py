"""Starts services side by side, each once those it needs are healthy, and waits until all are."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from stack.board import StepBoard
from stack.catalogue import Service
from stack.errors import CancelledError, StepFailedError, WaitTimeoutError
from stack.local.probes import Health
from stack.local.rpc import ProcessInfo, Supervisor
from stack.target import Step, healthy_text

_POLL_S = 0.1

#: supervisord restarts a process that exited within a second.
_RESTART_GRACE_S = 2.5


@dataclass(slots=True)
class _Waiting:
    """A service on its way up."""

    service: Service
    begun: float
    probe: Future[Health] | None = None
    health: Health = field(default_factory=lambda: Health(False, "It has not answered yet."))
    gone_since: float | None = None


class Starter:
    """One bring-up. Owned by the calling thread; probes run in a small pool."""

    def __init__(
        self,
        supervisor: Supervisor,
        probe: Callable[[Service], Health],
        board: StepBoard,
        *,
        excerpt: Callable[[str], str],
        why_down: Callable[[Service, ProcessInfo], str],
        command: Callable[[str], str],
        obstacle: Callable[[], str],
        cancel: threading.Event,
    ) -> None:
        """
        Args:
            obstacle: What keeps every service from starting, one sentence, or empty; see `Layout.full`.
            excerpt: Last log lines of a service, for error messages.
            why_down: Why a process does not run, one sentence.
            command: A command line as it is typed for this system; see `Layout.command`.
        """
        self._supervisor, self._probe, self._board, self._cancel = supervisor, probe, board, cancel
        self._excerpt, self._why_down, self._command, self._obstacle = excerpt, why_down, command, obstacle

    def run(self, services: Sequence[Service], wanted: Mapping[str, int]) -> Iterator[Step]:
        """Start and await all. The board has a step for each already.

        Raises:
            StepFailedError: a service gave up or ran out of time; its step was yielded as FAILED.
            CancelledError: the cancel event was set.
        """
        pending, waiting = list(services), dict[str, _Waiting]()
        # Those that are not of this run are somebody else's matter; waiting for them here would never end.
        healthy = {name for service in services for name in service.after} - {service.name for service in services}
        with ThreadPoolExecutor(max_workers=6, thread_name_prefix="probe") as pool:
            while pending or waiting:
                if self._cancel.is_set():
                    raise CancelledError("Stopped as you asked.", remedy="Run it again to go on, or take the system down.")
                processes = self._supervisor.processes()
                for service in [s for s in pending if healthy.issuperset(s.after)]:
                    pending.remove(service)
                    yield self._begin(service, processes, wanted[service.name])
                    waiting[service.name] = _Waiting(service, time.monotonic())
                by_group = _grouped(processes)
                for entry in list(waiting.values()):
                    step = self._look(entry, by_group.get(entry.service.name, []), wanted[entry.service.name], pool)
                    if step is not None:
                        yield step
                    if entry.health.ok:
                        healthy.add(entry.service.name)
                        del waiting[entry.service.name]
                if pending or waiting:
                    self._cancel.wait(_POLL_S)

    def _begin(self, service: Service, processes: Sequence[ProcessInfo], replicas: int) -> Step:
        for process in processes:
            if process.group == service.name and process.replica < replicas and not process.is_alive:
                self._supervisor.start(process.full_name)
        return self._board.begin(service.name, f"Waits for {service.title} to be healthy.")

    def _look(self, entry: _Waiting, processes: Sequence[ProcessInfo], replicas: int, pool: ThreadPoolExecutor) -> Step | None:
        service = entry.service
        mine = [process for process in processes if process.replica < replicas]
        elapsed_s = time.monotonic() - entry.begun
        if (gone := _gone_for_good(entry, mine)) is not None:
            raise self._failure(service, self._why_down(service, gone), StepFailedError)
        if entry.probe is None:
            entry.probe = pool.submit(self._probe, service)
        if entry.probe.done():
            entry.health, entry.probe = entry.probe.result(), None
        if entry.health.ok:
            # Replicas answer on one socket: a probe tells of one of them. The others count once they have stayed up a while.
            if all(p.state == "RUNNING" if service.scalable else p.is_alive for p in mine):
                return self._board.done(service.name, healthy_text(entry.health.note))
            entry.health = Health(False, f"{sum(p.is_alive for p in mine)} of {replicas} processes run.")
        if elapsed_s > service.start_timeout_s:
            why = f"It was not healthy after {service.start_timeout_s:.0f} s. {entry.health.message}"
            raise self._failure(service, why, WaitTimeoutError)
        retries = " It exited soon after its start and is started again." if any(p.state == "BACKOFF" for p in mine) else ""
        said = entry.health.message
        who = "" if said.startswith(service.title) else f" for {service.title}"
        detail = f"Waits{who}: {said}{retries}"
        return self._board.update(service.name, detail)

    def _failure(self, service: Service, why: str, kind: type[StepFailedError]) -> StepFailedError:
        lines = self._excerpt(service.name)
        why = " ".join(filter(None, [self._obstacle(), why]))
        remedy = f"See `{self._command(f'logs {service.name}')}`, then run `up` again."
        text = why + (f" Its last lines:\n{lines}\n" if lines else "")
        return kind(service.name, f"{service.title} did not start", why=text, remedy=remedy, service=service.name)


def _gone_for_good(entry: _Waiting, processes: Sequence[ProcessInfo]) -> ProcessInfo | None:
    """A process that nobody starts again. One that has just exited may only be about to be restarted."""
    if (fatal := next((p for p in processes if p.state == "FATAL"), None)) is not None:
        return fatal
    gone = next((p for p in processes if p.state in {"EXITED", "STOPPED"}), None)
    if gone is None:
        entry.gone_since = None
        return None
    now = time.monotonic()
    entry.gone_since = entry.gone_since or now
    return gone if now - entry.gone_since > _RESTART_GRACE_S else None


def _grouped(processes: Sequence[ProcessInfo]) -> dict[str, list[ProcessInfo]]:
    groups: dict[str, list[ProcessInfo]] = {}
    for process in processes:
        groups.setdefault(process.group, []).append(process)
    return groups
