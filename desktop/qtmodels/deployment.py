"""Bringing the system up and down as the start page shows it: plan, checks, steps, failure, cancel, retry."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.model.notifications import describe, format_traceback
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.tasks import RunTask
from stack.errors import PreflightError, StackError, StepFailedError
from stack.target import FLOWING, Action, Check, Plan, Step, StepState, Target

TICK_MS: Final = 200
#: What was brought up is usually attached within two seconds; a deployment is called done by then, attached or not.
SETTLE_MS: Final = 10_000


class Phase(StrEnum):
    """Where a deployment stands."""

    IDLE = "idle"
    RUNNING = "running"
    CANCELLING = "cancelling"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why it stopped.

    Attributes:
        what, why, remedy: For people.
        step: Key of the step, or empty.
        service: The service whose log tells more, or None.
        details: For a report; never shown unasked.
    """

    what: str
    why: str = ""
    remedy: str = ""
    step: str = ""
    service: str | None = None
    details: str = ""


@dataclass(slots=True)
class _Run:
    title: str
    cancel: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)


class Deployment(QObject):
    """Runs `up`, `down` and `fix` off the GUI thread and keeps what they said. Lives on the GUI thread.

    Signals:
        prepared(): plan and checks have been read, or could not be (see `trouble`).
        steps_changed(): a step changed, or time went on.
        phase_changed(Phase)
        flowing(): `up` has seen a reading flow through. What is still being started may be looked at like the rest.
        finished(str): "up", "down" or "fix" ended well.
        fell_short(Failure): readings flow, but what was started after that failed: the system is there, `up` is done.
    """

    prepared = Signal()
    steps_changed = Signal()
    phase_changed = Signal(object)
    flowing = Signal()
    finished = Signal(str)
    fell_short = Signal(object)
    _step_came = Signal(object, object)

    def __init__(self, *, target: Target, monitor: Monitor, run_task: RunTask, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._target = target
        self._monitor = monitor
        self._run_task = run_task
        self._run: _Run | None = None
        self._steps: dict[str, tuple[Step, float]] = {}
        self._preparing = False
        self.phase = Phase.IDLE
        self.plan: Plan | None = None
        self.checks: list[Check] = []
        self.trouble = ""
        self.failure: Failure | None = None
        self.title = ""
        self.kind = ""  # "up", "down" or "fix", once one began
        self._again: Callable[[], None] = self.deploy
        self._epoch = 0  # counts targets; what an earlier one answers is dropped
        self._step_came.connect(self._take_step)
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self.steps_changed)
        self._flows = False  # this `up` has seen a reading flow through
        self._settling = False  # `up` has ended, what it brought up is not attached yet
        self._settle_timer = QTimer(self)
        self._settle_timer.setSingleShot(True)
        self._settle_timer.setInterval(SETTLE_MS)
        self._settle_timer.timeout.connect(self._settled)
        monitor.attached.connect(self._settled)
        monitor.detached.connect(self._gone)

    # What is known

    @property
    def busy(self) -> bool:
        """Whether `up` or `down` runs now; after `up` until the system is attached."""
        return self.phase in (Phase.RUNNING, Phase.CANCELLING)

    @property
    def can_cancel(self) -> bool:
        """Whether `cancel` would change anything."""
        return self.phase is Phase.RUNNING and self.kind in ("up", "fix") and not self._settling

    @property
    def steps(self) -> list[tuple[Step, float]]:
        """Each step with the seconds it has taken until now, in order."""
        now = time.monotonic()
        rows = []
        for step, seen in sorted(self._steps.values(), key=lambda row: row[0].index):
            running = step.state is StepState.RUNNING and self.busy
            rows.append((step, step.elapsed_s + (now - seen if running else 0.0)))
        return rows

    @property
    def elapsed_s(self) -> float:
        """Since the run began."""
        return time.monotonic() - self._run.began if self._run else 0.0

    @property
    def progress(self) -> float:
        """Steps done as a share of all, 0 … 1."""
        rows = [step for step, _ in self._steps.values()]
        total = max((s.total for s in rows), default=1)
        done = sum(1.0 if s.state is StepState.DONE else (s.progress or 0.0) for s in rows if s.state is not StepState.PENDING)
        return min(done / max(total, 1), 1.0)

    # Actions

    def prepare(self) -> None:
        """Read plan and checks; `prepared` follows."""
        if self._preparing or self.busy:
            return
        self._preparing = True
        epoch = self._epoch

        def done(result: tuple[Plan, list[Check]]) -> None:
            if epoch != self._epoch:
                return
            self._preparing = False
            self.plan, self.checks = result
            self.trouble = ""
            self.prepared.emit()

        def failed(error: Exception) -> None:
            if epoch != self._epoch:
                return
            self._preparing = False
            self.trouble = describe(error)
            self.prepared.emit()

        self._run_task(lambda: (self._target.plan(), self._target.preflight()), done, failed)

    def deploy(self) -> None:
        """Run `up`. Does nothing while something runs."""
        self._again = self.deploy
        self._begin("up", "Deploying", lambda cancel: self._target.up(cancel=cancel))

    def fix(self, action: Action) -> None:
        """Do what a failed check offers, then check again."""
        self._again = lambda: self.fix(action)
        self._begin("fix", action.label, lambda cancel: self._target.fix(action.key, cancel=cancel))

    def retry(self) -> None:
        """What failed, once more."""
        self._again()

    def retarget(self) -> None:
        """The target became another one (while nothing runs): forget what was said of the one before, and ask anew."""
        self._epoch += 1
        self._preparing = False
        self._forget()
        self.plan, self.checks, self.trouble = None, [], ""
        self._again = self.deploy
        self._set_phase(Phase.IDLE)
        self.prepare()

    def take_down(self, *, purge: bool = False) -> None:
        """Run `down`; with `purge` the data go too (the caller has asked)."""
        if not self.busy:
            self._again = lambda: self.take_down(purge=purge)
            self.phase = Phase.IDLE  # what it was brought up with is not what goes on now; see `_gone`
            self._monitor.hold(True)
            self._monitor.detach()
            self._begin("down", "Stopping", lambda _: self._target.down(purge=purge))

    def cancel(self) -> None:
        """Ask a running `up` or `fix` to end; it stops at its next wait."""
        if self._run is not None and self.can_cancel:
            self._run.cancel.set()
            self._set_phase(Phase.CANCELLING)

    def dismiss(self) -> None:
        """Forget a failure; the start page begins anew."""
        if not self.busy:
            self._forget()
            self._set_phase(Phase.IDLE)
            self._monitor.hold(False)

    def close(self) -> None:
        """The window closes: a deployment under way is cancelled, not left without anybody who watches it."""
        self._tick.stop()
        self._settle_timer.stop()
        if self._run is not None:
            self._run.cancel.set()

    def report(self) -> str:
        """All that a report needs, as text."""
        lines = [self.title or "Deployment"]
        lines += [f"[{s.state}] {s.title}: {s.detail} ({taken:.1f} s)" for s, taken in self.steps]
        if self.failure:
            lines += [part for part in (self.failure.what, self.failure.why, self.failure.remedy, self.failure.details) if part]
        return "\n".join(lines)

    # The run

    def _begin(self, kind: str, title: str, start: Callable[[threading.Event], Iterator[Step]]) -> None:
        if self.busy:
            return
        self._forget()
        run = self._run = _Run(title)
        self.title, self.kind = title, kind
        self._monitor.hold(True)
        self._set_phase(Phase.RUNNING)
        self._tick.start()

        def work() -> None:
            for step in start(run.cancel):
                self._step_came.emit(run, step)  # crosses to the GUI thread

        def done(_: None) -> None:
            if run is not self._run:
                return
            if kind == "up" and not run.cancel.is_set() and not self._monitor.is_attached:
                self._settling = True
                self._settle_timer.start()
                self.phase_changed.emit(self.phase)
                self._monitor.hold(False)
                return
            self._tick.stop()
            self._set_phase(Phase.IDLE if kind != "up" or run.cancel.is_set() else Phase.DONE)
            self._monitor.hold(False)
            self.steps_changed.emit()
            if kind == "fix":
                self.prepare()
            if not run.cancel.is_set():
                self.finished.emit(kind)

        def failed(error: Exception) -> None:
            if run is not self._run:
                return
            self._tick.stop()
            if run.cancel.is_set():
                self._forget()
                self._set_phase(Phase.IDLE)
                self.prepare()
                return
            failure = _explain(error, title)
            if self._flows and self._monitor.is_attached:
                self._set_phase(Phase.DONE)
                self.steps_changed.emit()
                self.fell_short.emit(failure)
                return
            self.failure = failure
            self._mark_failed()
            self._set_phase(Phase.FAILED)
            self.steps_changed.emit()
            if isinstance(error, PreflightError):
                self.prepare()  # its checks offer what can be done about it

        self._run_task(work, done, failed)

    def _settled(self) -> None:
        if self._settling:
            self._settling = False
            self._settle_timer.stop()
            self._tick.stop()
            self._set_phase(Phase.DONE)
            self.steps_changed.emit()
            self.finished.emit("up")

    def _gone(self) -> None:
        """What was brought up is not there any more, taken down elsewhere or ended: its healthy steps are of the past."""
        if self.phase is Phase.DONE:
            self._forget()
            self._set_phase(Phase.IDLE)
            self.prepare()

    def _take_step(self, run: object, step: Step) -> None:
        if self._run is not None and run is self._run:
            self._steps[step.key] = (step, time.monotonic())
            self.steps_changed.emit()
            if step.key == FLOWING and step.state is StepState.DONE and self.kind == "up" and not self._run.cancel.is_set():
                self._flows = True
                self._monitor.hold(False)
                self.flowing.emit()

    def _mark_failed(self) -> None:
        """What the failure names, where the target did not say so itself."""
        failure = self.failure
        if failure and not failure.step:
            failed = [s for s, _ in self._steps.values() if s.state is StepState.FAILED]
            if failed:
                self.failure = Failure(
                    failure.what, failure.why, failure.remedy, failed[-1].key, failed[-1].service, failure.details
                )

    def _forget(self) -> None:
        self._steps.clear()
        self._flows = False
        self.failure = None
        self._run = None

    def _set_phase(self, phase: Phase) -> None:
        self.phase = phase
        self.phase_changed.emit(phase)


def _explain(error: Exception, title: str) -> Failure:
    details = format_traceback(error, error.__traceback__)
    if isinstance(error, StepFailedError):
        return Failure(error.what, error.why, error.remedy, error.step, error.service, details)
    if isinstance(error, StackError):
        return Failure(error.what, error.why, error.remedy, details=details)
    return Failure(
        f"{title} failed unexpectedly",
        describe(error),
        "Try again; if it stays, copy the details into a report.",
        details=details,
    )
