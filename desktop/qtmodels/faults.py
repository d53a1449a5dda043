"""Which faults the generator puts into its signals, and asking for others."""

from PySide6.QtCore import QObject, Signal

from desktop.model.faults import PRESETS, Plan, Preset, preset_of
from desktop.model.notifications import Notifications, describe
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.tasks import RunTask


class FaultsController(QObject):
    """Shows a choice at once, and takes it back when the generator refuses it. Lives on the GUI thread.

    Attributes:
        known: Whether the generator told.
        preset: What is on; None for what was asked for elsewhere and is no preset.

    Signals:
        changed(): any of these.
    """

    changed = Signal()

    def __init__(
        self, *, monitor: Monitor, run_task: RunTask, notifications: Notifications, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._monitor, self._run_task, self._notifications = monitor, run_task, notifications
        self.known = False
        self.preset: Preset | None = None
        self._asked = 0  # an answer that was overtaken is dropped
        monitor.attached.connect(self.refresh)
        monitor.detached.connect(self._forget)

    def refresh(self) -> None:
        """Ask what is on: somebody else may have changed it."""
        connection = self._monitor.connection
        if connection is None:
            return
        number = self._next()
        # What cannot be asked is not known; the fleet's own line says that the generator does not answer.
        self._run_task(connection.faults, lambda plan: self._told(number, plan), lambda _: self._untold(number))

    def choose(self, key: str) -> None:
        """Ask for a preset."""
        connection = self._monitor.connection
        wanted = next((preset for preset in PRESETS if preset.key == key), None)
        if connection is None or wanted is None or (self.known and wanted == self.preset):
            return
        before, number = self.preset, self._next()
        self._show(wanted)

        def refused(error: Exception) -> None:
            if connection is not self._monitor.connection:
                return
            if number == self._asked:
                self._show(before)
            self._notifications.warning(f"The faults were not changed: {describe(error)}")

        self._run_task(lambda: connection.set_faults(wanted.plan), lambda plan: self._told(number, plan), refused)

    def _next(self) -> int:
        self._asked += 1
        return self._asked

    def _told(self, number: int, plan: Plan) -> None:
        if number == self._asked:
            self._show(preset_of(plan))

    def _untold(self, number: int) -> None:
        if number == self._asked:
            self._forget()

    def _show(self, preset: Preset | None) -> None:
        self.known, self.preset = True, preset
        self.changed.emit()

    def _forget(self) -> None:
        self._asked += 1
        self.known, self.preset = False, None
        self.changed.emit()
