"""Scaling and restarting one service: off the GUI thread, one operation a service at a time.

A request ends with its system: after another one was chosen, queued requests are dropped and answers are ignored.
"""

from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, Signal

from desktop.model.notifications import Notifications, describe
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.tasks import RunTask
from desktop.services.switched_target import pinned
from stack.target import Step, Target


class Operations(QObject):
    """Lives on the GUI thread.

    Signals:
        progressed(str, str): service, what is being done; an empty text when it is done.
        failed(str, str): service, a sentence.
    """

    progressed = Signal(str, str)
    failed = Signal(str, str)

    def __init__(
        self,
        *,
        target: Target,
        monitor: Monitor,
        run_task: RunTask,
        notifications: Notifications,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._target = target
        self._monitor = monitor
        self._run_task = run_task
        self._notifications = notifications
        self._busy: set[str] = set()
        self._next_scale: dict[str, int] = {}
        self._epoch = 0  # counts systems; an answer of an earlier one is ignored
        monitor.detached.connect(self._next_scale.clear)
        monitor.switched.connect(self._forget)

    def busy(self, service: str) -> bool:
        """Whether something is being done to `service`."""
        return service in self._busy

    def scale(self, service: str, replicas: int) -> None:
        """Ask for `replicas`. While an earlier wish is on its way, the newest one follows it."""
        if service in self._busy:
            self._next_scale[service] = replicas
            return
        target = pinned(self._target)
        self._begin(service, f"scaling to {replicas}", lambda: target.scale(service, replicas))

    def restart(self, service: str) -> None:
        """Stop and start it."""
        if service not in self._busy:
            target = pinned(self._target)
            self._begin(service, "restarting", lambda: target.restart(service))

    def _forget(self) -> None:
        """The system is another one."""
        self._epoch += 1
        self._next_scale.clear()
        busy, self._busy = self._busy, set()
        for service in busy:
            self.progressed.emit(service, "")

    def _begin(self, service: str, doing: str, start: Callable[[], Iterator[Step]]) -> None:
        self._busy.add(service)
        self.progressed.emit(service, f"{doing} …")
        epoch = self._epoch

        def work() -> None:
            for step in start():
                if step.detail and epoch == self._epoch:
                    self.progressed.emit(service, step.detail)  # crosses to the GUI thread

        def done(_: None) -> None:
            if epoch != self._epoch:
                return
            self._busy.discard(service)
            self.progressed.emit(service, "")
            self._monitor.poll_status()
            wanted = self._next_scale.pop(service, None)
            if wanted is not None:
                self.scale(service, wanted)

        def failed(error: Exception) -> None:
            if epoch != self._epoch:
                return
            self._busy.discard(service)
            self._next_scale.pop(service, None)
            sentence = f"{service}, {doing}: {describe(error)}"
            self._notifications.warning(sentence)
            self.progressed.emit(service, "")
            self.failed.emit(service, sentence)
            self._monitor.poll_status()

        self._run_task(work, done, failed)
