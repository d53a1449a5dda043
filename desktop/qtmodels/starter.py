"""After a first deployment there is something to see: a small fleet, if there never was one."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject

from desktop.model.first_fleet import STARTED, not_started, untouched
from desktop.model.fleet import FleetState
from desktop.model.notifications import Notifications, describe
from desktop.qtmodels.connection import Connection
from desktop.qtmodels.deployment import Deployment
from desktop.qtmodels.fleet import FleetController
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.tasks import RunTask
from stack.target import Endpoints

#: Whether any device's readings are stored; blocking.
HasStored = Callable[[Endpoints], bool]


class Starter(QObject):
    """Watches for a deployment that was asked for here, then looks once at the fleet. Lives on the GUI thread."""

    def __init__(
        self,
        *,
        monitor: Monitor,
        deployment: Deployment,
        fleet: FleetController,
        run_task: RunTask,
        notifications: Notifications,
        has_stored: HasStored,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._monitor = monitor
        self._fleet = fleet
        self._run_task = run_task
        self._notifications = notifications
        self._has_stored = has_stored
        self.armed = False
        deployment.flowing.connect(partial(self._deployed, "up"))
        deployment.finished.connect(self._deployed)
        monitor.fleet_changed.connect(self._look)

    def _deployed(self, kind: str) -> None:
        self.armed = kind == "up"

    def _look(self, state: FleetState) -> None:
        connection = self._monitor.connection
        if not self.armed or not state.known or connection is None:
            return
        self.armed = False
        if not untouched(state):
            return
        # An answer that fails leaves the fleet alone: the empty Live page offers a start too.
        self._run_task(
            partial(self._has_stored, connection.endpoints),
            partial(self._start_unless, connection),
            partial(self._not_known, connection),
        )

    def _not_known(self, connection: Connection, error: Exception) -> None:
        if connection is not self._monitor.connection:
            return
        self._notifications.warning(not_started(describe(error)))

    def _start_unless(self, connection: Connection, stored: bool) -> None:
        if stored or self._fleet.state.devices or connection is not self._monitor.connection:
            return
        self._fleet.start_starter_fleet()
        self._notifications.info(f"{STARTED} Change it at the left.")
