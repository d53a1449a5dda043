"""The fleet as the sliders show it: what the user asked for at once, what the generator says as soon as it says it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from backend.contract.devices import DEVICE_TYPES, MAX_FLEET_PER_TYPE
from desktop.model.first_fleet import STARTER_FLEET
from desktop.model.fleet import FleetState
from desktop.model.notifications import Notifications, describe
from desktop.qtmodels.connection import Connection
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.tasks import RunTask

DEBOUNCE_MS: Final = 150


class FleetController(QObject):
    """Optimistic: a change shows at once, goes out within `DEBOUNCE_MS`, and is rolled back when the generator refuses it.

    A poll never overrides what the user holds, has just set, or what is on its way; everything else follows the generator, so
    that changes made elsewhere appear. Lives on the GUI thread.

    Signals:
        wish_changed(): `count`, `interval_s` or `running` became something else.
        state_changed(FleetState): what the generator last said.
        failed(str): a change was refused; the sentence says why. The wish was rolled back.
    """

    wish_changed = Signal()
    state_changed = Signal(object)
    failed = Signal(str)

    def __init__(
        self, *, monitor: Monitor, run_task: RunTask, notifications: Notifications, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._monitor = monitor
        self._run_task = run_task
        self._notifications = notifications
        self._state = FleetState()
        self._counts = {t.tag: 0 for t in DEVICE_TYPES}
        self._interval_s = 1.0
        self._running = False
        self._held: set[str] = set()
        self._dirty: set[str] = set()  # tags, "interval_s", "running"
        self._flying: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self._send)
        monitor.fleet_changed.connect(self._follow)
        monitor.detached.connect(self._reset)

    # What is shown

    def count(self, tag: str) -> int:
        """Devices of `tag` as the user wants them."""
        return self._counts[tag]

    @property
    def counts(self) -> Mapping[str, int]:
        """Devices by tag, as the user wants them."""
        return self._counts

    @property
    def interval_s(self) -> float:
        """Seconds between two readings of a device."""
        return self._interval_s

    @property
    def running(self) -> bool:
        """Whether the fleet sends."""
        return self._running

    @property
    def state(self) -> FleetState:
        """What the generator said last."""
        return self._state

    @property
    def wanted_per_s(self) -> float:
        """Readings per second that the wish comes to."""
        return sum(self._counts.values()) / self._interval_s if self._running else 0.0

    @property
    def demand_per_s(self) -> float:
        """Readings per second that the counts come to, whether or not the fleet sends."""
        return sum(self._counts.values()) / self._interval_s

    # What the user does

    def hold(self, tag: str) -> None:
        """The user has the slider of `tag` in hand."""
        self._held.add(tag)

    def release(self, tag: str) -> None:
        """The user let go."""
        self._held.discard(tag)

    def set_count(self, tag: str, count: int) -> None:
        """Ask for `count` devices of `tag`."""
        count = min(max(count, 0), MAX_FLEET_PER_TYPE)
        if count != self._counts[tag]:
            self._counts[tag] = count
            if count and not self._running:
                self._running = True  # the generator starts by itself when a device joins
            self._changed(tag)

    def set_interval(self, interval_s: float) -> None:
        """Ask for another interval."""
        if interval_s > 0 and interval_s != self._interval_s:
            self._interval_s = interval_s
            self._changed("interval_s")

    def set_running(self, running: bool) -> None:
        """Stop sending, or go on; with nothing to go on with, start the starter fleet."""
        if running and not any(self._counts.values()):
            self.start_starter_fleet()
            return
        if running != self._running:
            self._running = running
            self._changed("running")

    def start_starter_fleet(self) -> None:
        """Ask for `STARTER_FLEET`."""
        for tag, count in STARTER_FLEET.items():
            self.set_count(tag, count)

    def _changed(self, what: str) -> None:
        self._dirty.add(what)
        # Not restarted by each change: a slider that moves on and on is followed live.
        if not self._timer.isActive():
            self._timer.start()
        self.wish_changed.emit()

    # What goes out

    def _send(self) -> None:
        connection = self._monitor.connection
        if connection is None or self._flying or not self._dirty:
            return
        self._flying, self._dirty = self._dirty, set()
        flying = self._flying
        counts = {tag: self._counts[tag] for tag in flying if tag in self._counts}
        interval_s = self._interval_s if "interval_s" in flying else None
        running = self._running if "running" in flying else None

        def work() -> FleetState:
            state: FleetState | None = None
            if counts or interval_s is not None:
                state = connection.set_fleet(counts, interval_s)
            if running is not None and (state is None or state.running != running):
                state = connection.set_running(running)
            return state if state is not None else connection.set_fleet({}, None)

        self._run_task(work, lambda s: self._sent(connection, s), lambda e: self._refused(connection, e))

    def _sent(self, connection: Connection, state: FleetState) -> None:
        if connection is not self._monitor.connection:
            return
        self._flying = set()
        # The answer to a change does not know who reports.
        self._follow(replace(state, reporting=state.reporting or self._state.reporting))
        if self._dirty:
            self._timer.start()

    def _refused(self, connection: Connection, error: Exception) -> None:
        if connection is not self._monitor.connection:
            return
        flying, self._flying = self._flying, set()
        self._dirty -= flying
        self._held -= flying
        sentence = f"The fleet was not changed: {describe(error)}"
        self._notifications.warning(sentence)
        self._adopt(self._state)
        self.failed.emit(sentence)

    # What comes in

    def _follow(self, state: FleetState) -> None:
        if state.known and state.as_of < self._state.as_of:
            return  # asked before the last change was answered
        self._state = state
        self._adopt(state)
        self.state_changed.emit(state)

    def _adopt(self, state: FleetState) -> None:
        mine = self._held | self._dirty | self._flying
        before = (dict(self._counts), self._interval_s, self._running)
        for tag in self._counts:
            if tag not in mine:
                self._counts[tag] = state.counts.get(tag, 0)
        if "interval_s" not in mine:
            self._interval_s = state.interval_s
        if not mine:
            self._running = state.running
        if before != (self._counts, self._interval_s, self._running):
            self.wish_changed.emit()

    def _reset(self) -> None:
        self._held, self._dirty, self._flying = set(), set(), set()
        self._timer.stop()
        self._state = FleetState()
        self._follow(self._state)
