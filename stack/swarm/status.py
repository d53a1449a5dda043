"""`status` of the swarm target: one row a service, from services and tasks alone."""

import threading
import time
from typing import Final

from stack.catalogue import BY_NAME, links_of, services_of
from stack.catalogue import Service as Known
from stack.errors import StackError
from stack.jvm.spark import EXIT_NEEDS_RESET
from stack.swarm.judge import judge, sentence
from stack.swarm.notes import notes
from stack.swarm.operations import CHECKPOINTS
from stack.swarm.site import Site
from stack.swarm.state import Service, StackState
from stack.target import HistoryEntry, ServiceStatus

#: Measuring memory takes the engine two seconds.
MEMORY_AGE_S: Final = 30.0
_FIRST_MEMORY_S: Final = 3.0


class StatusReader:
    """Keeps the last measurement of memory. Any thread may call."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._memory: dict[str, int] = {}
        self._measured = float("-inf")
        self._measuring: threading.Thread | None = None
        self._lock = threading.Lock()

    def read(self) -> list[ServiceStatus]:
        """One row a service, in start order; those that only an overlay has come last."""
        state = self._site.engine.state(self._site.stack)
        known = services_of("swarm")
        if not state.services:
            return [
                ServiceStatus(s.name, s.replicas, 0, False, 0, "Stopped.", scalable=s.scalable, stopped=True) for s in known
            ]
        memory = self._measure()
        noted = notes(self._site.engine, state, state.services)
        rows = []
        names = [s.name for s in known if state.find(s.name) or not self._site.overlays]
        names += [service.name for service in state.services if service.name not in BY_NAME]
        for name in names:
            service, entry = state.find(name), BY_NAME.get(name)
            note = noted.get(name, "")
            rows.append(self._row(service, entry, state, memory, note) if service else _missing(name, entry))
        return rows

    def _row(
        self, service: Service, known: Known | None, state: StackState, memory: dict[str, int], note: str
    ) -> ServiceStatus:
        tasks = state.tasks_of(service)
        verdict = judge(service, tasks)
        alive = [task for task in tasks if task.state == "running"]
        healthy = len(alive) >= verdict.wanted
        message = ""
        if not healthy:
            bad = verdict.bad
            message = sentence(bad, known) if bad is not None and not alive else verdict.detail
            if bad is not None and bad.exit_code == EXIT_NEEDS_RESET and service.name in CHECKPOINTS:
                title, reset = known.title if known else service.name, self._site.command(f"reset {service.name}")
                message = (
                    f"{title} cannot continue from its checkpoint; its log says why. Run `{reset}`: it starts with an empty"
                    " checkpoint and the whole topic."
                )
        return ServiceStatus(
            service=service.name,
            wanted=verdict.wanted,
            running=min(
                sum(task.lives and task.state in {"starting", "running"} for task in tasks), max(len(alive), verdict.wanted)
            ),
            healthy=healthy,
            restarts=sum(task.failed for task in tasks),
            message=message,
            note=note if healthy else "",
            since=max((task.at for task in alive or tasks if task.lives), default=None),
            links=links_of(known, self._site.ports, self._site.engine.host) if known and alive else (),
            scalable=known.scalable if known else False,
            memory_bytes=memory.get(service.name) if alive else None,
            update=verdict.update,
            rolled_back=verdict.rolled_back,
            updating=service.update is not None and service.update.under_way,
        )

    def _measure(self) -> dict[str, int]:
        """The last measurement; a new one begins in the background where that is old."""
        with self._lock:
            first = self._measured == float("-inf")
            if time.monotonic() - self._measured > MEMORY_AGE_S and self._measuring is None:
                self._measuring = threading.Thread(target=self._take, name="docker-stats", daemon=True)
                self._measuring.start()
            thread = self._measuring
        if first and thread is not None:
            thread.join(_FIRST_MEMORY_S)
        with self._lock:
            return self._memory

    def _take(self) -> None:
        try:
            memory = self._site.engine.memory(self._site.stack)
        except (StackError, ValueError):
            memory = {}  # a figure for interest; what is wrong with the engine is said by all else
        with self._lock:
            self._memory, self._measured, self._measuring = memory, time.monotonic(), None


def history(site: Site, name: str) -> list[HistoryEntry]:
    """What became of each attempt to run a replica, the last change first; the engine remembers a handful for each."""
    state = site.engine.state(site.stack)
    service = state.find(name)
    if service is None:
        return []
    nodes = {node.id: node.name for node in site.engine.nodes()}
    known = BY_NAME.get(name)
    entries = [
        HistoryEntry(
            at=task.at,
            replica=max(task.slot - 1, 0),
            node=nodes.get(task.node_id, ""),
            state=task.state,
            message=sentence(task, known) if task.error else "",
            image=task.image,
        )
        for task in state.tasks_of(service)
    ]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _missing(name: str, known: Known | None) -> ServiceStatus:
    wanted = known.replicas if known else 1
    return ServiceStatus(name, wanted, 0, False, 0, "It is not part of the stack that runs; deploy again.")
