"""Waits until services are as wanted, and tells why one never will be."""

import threading
import time
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from stack.board import StepBoard
from stack.catalogue import BY_NAME
from stack.errors import CancelledError, EngineTimeoutError, StackError, StepFailedError, WaitTimeoutError, system_error
from stack.swarm import logs
from stack.swarm.judge import Verdict, hopeless, judge, remedy, sentence
from stack.swarm.notes import notes
from stack.swarm.site import Site
from stack.swarm.state import EngineInfo, Service, StackState, Task
from stack.target import Step, healthy_text

POLL_S: Final = 1.0
DEFAULT_TIMEOUT_S: Final = 300.0
#: An engine that starts a dozen containers at once may leave a question unanswered for a while.
MAX_UNANSWERED: Final = 3
#: As long as a rollback may take that has begun.
ROLLBACK_TIMEOUT_S: Final = 180.0


class Watch:
    """One wait. Owned by the calling thread.

    Args:
        info: Of the engine, just before what is waited for began: its clock counts.
        before: Services as they were then: an update that was taken back earlier is no news.
    """

    def __init__(self, site: Site, board: StepBoard, *, info: EngineInfo, before: StackState, cancel: threading.Event) -> None:
        self._site, self._board, self._cancel = site, board, cancel
        self._began, self._before = time.monotonic(), before
        self._since = info.system_time or datetime.now(UTC)
        self._oom: dict[str, bool] = {}
        self._clocks: dict[str, float] = {}

    def until_converged(self, names: Collection[str]) -> Iterator[Step]:
        """Each name's step ends with its service; returns when all are as wanted at the same time.

        Raises:
            StepFailedError: one of them never will be, or its time is up.
            CancelledError: the cancel event was set.
        """
        for name in names:
            yield self._board.begin(name, "Waits for the swarm to place it.")
        healthy: set[str] = set()
        unanswered = 0
        while True:
            try:
                state = self._site.engine.state(self._site.stack)
            except EngineTimeoutError:
                unanswered += 1
                if unanswered >= MAX_UNANSWERED:
                    raise
                continue
            unanswered = 0
            for name in names:
                yield from self._look(name, state, names, healthy)
            if healthy.issuperset(names):
                return
            if self._cancel.wait(POLL_S):
                raise CancelledError("Stopped as you asked.", remedy="Run it again to go on, or take the system down.")

    def _look(self, name: str, state: StackState, names: Collection[str], healthy: set[str]) -> Iterator[Step]:
        service = state.find(name)
        if service is None:
            yield from self._wait(name, "Waits for the swarm to take it.", names, healthy)
            return
        tasks = state.tasks_of(service)
        verdict = judge(service, tasks)
        if self._was_rolled_back(service):
            if not verdict.converged and self._waited_s(f"rollback of {name}") < ROLLBACK_TIMEOUT_S:
                healthy.discard(name)
                yield from self._update(name, "Its update failed and is being taken back.")
                return
            raise self._failure(name, self._why_rolled_back(service, tasks, verdict), self._worst(tasks, verdict))
        if verdict.converged:
            if name not in healthy:
                healthy.add(name)
                note = notes(self._site.engine, state, [service]).get(name, "")
                yield self._board.done(name, healthy_text(note, verdict.wanted))
            return
        why = hopeless(
            service, verdict, tasks, since=self._since, now=self._now(), oom_killed=sum(map(self._was_oom, self._fresh(tasks)))
        )
        if why:
            raise self._failure(name, why, self._worst(tasks, verdict))
        yield from self._wait(name, verdict.detail, names, healthy, tasks=tasks, verdict=verdict)

    def _wait(
        self,
        name: str,
        detail: str,
        names: Collection[str],
        healthy: set[str],
        *,
        tasks: list[Task] | None = None,
        verdict: Verdict | None = None,
    ) -> Iterator[Step]:
        healthy.discard(name)
        known = BY_NAME.get(name)
        # What it needs comes first; its own time begins then.
        if known is None or all(needed in healthy for needed in known.after if needed in names):
            limit = known.start_timeout_s if known else DEFAULT_TIMEOUT_S
            if self._waited_s(name) > limit:
                why = f"It was not healthy after {limit:.0f} s. {detail}"
                raise self._failure(name, why, self._worst(tasks or [], verdict), kind=WaitTimeoutError)
        progress = verdict.running / verdict.wanted if verdict is not None and verdict.wanted > 1 else None
        yield from self._update(name, detail, progress)

    def _update(self, name: str, detail: str, progress: float | None = None) -> Iterator[Step]:
        if not self._board.is_running(name):
            yield self._board.begin(name, detail)
        elif step := self._board.update(name, detail, progress):
            yield step

    def _waited_s(self, key: str) -> float:
        return time.monotonic() - self._clocks.setdefault(key, time.monotonic())

    def _now(self) -> datetime:
        return self._since + timedelta(seconds=time.monotonic() - self._began)

    def _fresh(self, tasks: list[Task]) -> list[Task]:
        return [task for task in tasks if task.failed and task.created >= self._since]

    def _was_oom(self, task: Task) -> bool:
        if task.id not in self._oom:
            killed = task.exit_code == 137 and bool(task.container_id)
            self._oom[task.id] = killed and bool(self._site.engine.was_oom_killed(task.container_id))
        return self._oom[task.id]

    def _was_rolled_back(self, service: Service) -> bool:
        before = self._before.find(service.name)
        known = before.update if before is not None else None
        return service.update is not None and service.update.rolled_back and service.update != known

    def _why_rolled_back(self, service: Service, tasks: list[Task], verdict: Verdict) -> str:
        serving = (
            "The former version serves on." if verdict.alive >= verdict.wanted else "The former version is not back either."
        )
        message = service.update.message.removesuffix(".") if service.update else ""
        return f"The update was rolled back ({message}). {serving}"

    def _worst(self, tasks: list[Task], verdict: Verdict | None) -> Task | None:
        """The task that tells most: the newest that ended badly in this run, else the one that cannot be placed."""
        fresh = self._fresh(tasks)
        return fresh[0] if fresh else verdict.bad if verdict is not None else None

    def _failure(
        self, name: str, why: str, task: Task | None, *, kind: type[StepFailedError] = StepFailedError
    ) -> StepFailedError:
        known = BY_NAME.get(name)
        title = known.title if known else name
        parts = [why]
        if task is not None:
            said = sentence(task, known, oom=self._was_oom(task))
            if said not in why:
                parts.append(said)
            if task.container_id and (lines := self._excerpt(task)):
                parts.append(f"Its last lines:\n{lines}\n")
        return kind(
            name,
            f"{title} did not start",
            why=" ".join(parts),
            remedy=remedy(task, self._site.command) or f"See `{self._site.command(f'logs {name}')}`, then run `up` again.",
            service=name,
        )

    def _excerpt(self, task: Task) -> str:
        try:
            return logs.excerpt(self._site.engine, task.id)
        except StackError:
            return ""  # the container is gone with its log; what the task says stays


def guarded(board: StepBoard, steps: Iterator[Step], first: str) -> Iterator[Step]:
    """All steps; a failure is yielded as a FAILED one before it is raised.

    Args:
        first: The step to blame where none is running.
    """
    try:
        yield from board.all()
        yield from steps
    except (StackError, OSError, UnicodeError) as caught:
        error = caught if isinstance(caught, StackError) else system_error(caught)
        running = board.running()
        if isinstance(error, StepFailedError) and board.has(error.step):
            failed = error.step
        else:
            failed = running[0] if running else first
        yield board.failed(failed, str(error))
        raise error from error.__cause__
