"""Scaling and restarting one service: off the GUI thread, one operation a service at a time, told in words."""

from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, Signal

from desktop.model.notifications import Notifications, describe
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.tasks import RunTask
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

    def busy(self, service: str) -> bool:
        """Whether something is being done to `service`."""
        return service in self._busy

    def scale(self, service: str, replicas: int) -> None:
        """Ask for `replicas`. While an earlier wish is on its way, the newest one follows it."""
        if service in self._busy:
            self._next_scale[service] = replicas
            return
        self._begin(service, f"scaling to {replicas}", lambda: self._target.scale(service, replicas))

    def restart(self, service: str) -> None:
        """Stop and start it."""
        if service not in self._busy:
            self._begin(service, "restarting", lambda: self._target.restart(service))

    def _begin(self, service: str, doing: str, start: Callable[[], Iterator[Step]]) -> None:
        self._busy.add(service)
        self.progressed.emit(service, f"{doing} …")

        def work() -> None:
            for step in start():
                if step.detail:
                    self.progressed.emit(service, step.detail)  # crosses to the GUI thread

        def done(_: None) -> None:
            self._busy.discard(service)
            self.progressed.emit(service, "")
            self._monitor.poll_status()
            wanted = self._next_scale.pop(service, None)
            if wanted is not None:
                self.scale(service, wanted)

        def failed(error: Exception) -> None:
            self._busy.discard(service)
            self._next_scale.pop(service, None)
            sentence = f"{service}, {doing}: {describe(error)}"
            self._notifications.warning(sentence)
            self.progressed.emit(service, "")
            self.failed.emit(service, sentence)
            self._monitor.poll_status()

        self._run_task(work, done, failed)
