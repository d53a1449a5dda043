"""What is running, as the window sees it: the system, its services, its health, the focus, and the frames to draw."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.model.ended import ended_unexpectedly
from desktop.model.fleet import FleetState
from desktop.model.health import Health
from desktop.model.notifications import Notifications, describe
from desktop.model.refused.letters import RefusedRecords
from desktop.model.refused.requests import RejectedRequests
from desktop.qtmodels.connection import Connection
from desktop.qtmodels.frames import Frames, ViewSource
from desktop.qtmodels.tasks import RunTask
from desktop.settings import Settings
from stack.target import Endpoints, ServiceStatus, Target

FLEET_MS: Final = 500
STATUS_MS: Final = 2000
STATS_MS: Final = 500
#: More curves than this tell nobody anything.
MAX_FOCUS: Final = 12

#: Until a chooser says it better.
WHERE: Final = {"local": "This machine", "swarm": "Docker"}

T = TypeVar("T")

Connect = Callable[[Endpoints], Connection]

#: Before the first answer.
_NOTHING_REFUSED: Final = (RefusedRecords(), RejectedRequests(), "")


class Monitor(QObject):
    """The GUI side's owner of what is running. Lives on the GUI thread; never blocks it.

    Signals:
        attached(): a running system was found and its feeds are started.
        detached(): it is no longer there, or was left.
        switched(): the target is another one: requests to the earlier system and their answers are void.
        status_changed(list[ServiceStatus]): every two seconds.
        fleet_changed(FleetState): twice a second.
        health_changed(str): one sentence on what is wrong; empty when nothing is. The whole is `health_report`.
        stats_changed(FeedStats): twice a second.
        refused_changed(): refused records, rejected requests, or what readers differ in.
        frame(LiveSnapshot): up to 30 times a second while a view source is set.
        focus_changed(tuple[str, ...]): the focus devices.
        where_changed(str): the place of the system, for people.
    """

    attached = Signal()
    detached = Signal()
    switched = Signal()
    status_changed = Signal(object)
    fleet_changed = Signal(object)
    health_changed = Signal(str)
    stats_changed = Signal(object)
    refused_changed = Signal()
    frame = Signal(object)
    focus_changed = Signal(object)
    where_changed = Signal(str)

    def __init__(
        self,
        *,
        target: Target,
        connect: Connect,
        run_task: RunTask,
        settings: Settings,
        notifications: Notifications,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.target = target
        self.where = WHERE.get(target.name, target.name) if target is not None else ""
        self._connect = connect
        self._run_task = run_task
        self._settings = settings
        self._notifications = notifications
        self._connection: Connection | None = None
        self._status: list[ServiceStatus] = []
        self._fleet = FleetState()
        self._health = ""
        self._report: Health | None = None
        self._refused = _NOTHING_REFUSED
        self._focus = tuple(settings.focus)[:MAX_FOCUS]
        self._epoch = 0  # counts attachments; an answer for an earlier one is dropped
        self._busy: set[str] = set()
        self._hold = False
        self._closed = False
        self._gate = threading.Lock()  # over _closed and _pending, while a connection is being built
        self._pending: Connection | None = None
        self._frames = Frames(aside=self._take_aside, parent=self)
        self._frames.frame.connect(self.frame)
        self._status_timer = self._timer(STATUS_MS, self.poll_status)
        self._fleet_timer = self._timer(FLEET_MS, self._poll_fleet)
        self._stats_timer = self._timer(STATS_MS, self._poll_stats)

    # What is known

    @property
    def connection(self) -> Connection | None:
        """The attached system, or None."""
        return self._connection

    @property
    def is_attached(self) -> bool:
        """Whether a system is attached."""
        return self._connection is not None

    @property
    def endpoints(self) -> Endpoints | None:
        """Addresses of the attached system."""
        return self._connection.endpoints if self._connection else None

    @property
    def status(self) -> list[ServiceStatus]:
        """As last polled, in start order."""
        return self._status

    @property
    def fleet(self) -> FleetState:
        """As last polled."""
        return self._fleet

    @property
    def health(self) -> str:
        """One sentence on what is wrong; empty when nothing is."""
        return self._health

    @property
    def health_report(self) -> Health | None:
        """Every hop of the stream as last judged; None while detached."""
        return self._report

    @property
    def refused_records(self) -> RefusedRecords:
        """Dead letters, as last polled."""
        return self._refused[0]

    @property
    def rejected_requests(self) -> RejectedRequests:
        """What paai rejected, as last polled."""
        return self._refused[1]

    @property
    def refused_difference(self) -> str:
        """Which readers count other refusals than the dead letters; empty when none does."""
        return self._refused[2]

    @property
    def frames_per_s(self) -> float:
        """Frames handed out per second, over the last two seconds."""
        return self._frames.per_s

    @property
    def snapshot_ms(self) -> float:
        """How long a frame takes to compute, smoothed."""
        return self._frames.took_ms

    def now(self) -> float:
        """The services' time, seconds since the epoch; this computer's while nothing is attached."""
        return self._connection.store.now() if self._connection is not None else time.time()

    @property
    def running_since(self) -> datetime | None:
        """When the first of the running services was started."""
        return min((s.since for s in self._status if s.since is not None and s.running), default=None)

    # Life

    def start(self) -> None:
        """Look for a running system now and every two seconds, and attach to it."""
        self._status_timer.start()
        self.poll_status()

    def hold(self, on: bool) -> None:
        """While on, a system that is found is not attached: it is being deployed or taken down."""
        self._hold = on
        if not on:
            self.poll_status()

    def detach(self) -> None:
        """Leave the system; it goes on running."""
        connection, self._connection = self._connection, None
        self._epoch += 1
        self._frames.set_store(None)
        for timer in (self._fleet_timer, self._stats_timer):
            timer.stop()
        if connection is None:
            return
        self._fleet = FleetState()
        self._report = None
        self._refused = _NOTHING_REFUSED
        self._set_health("")
        self.detached.emit()
        self._run_task(connection.stop, lambda _: None, lambda e: self._unexpected(e, "stopping the feeds"))

    def leave(self) -> None:
        """The target became another one: nothing that was known holds. Looks at once for a running system there."""
        self.detach()
        for key in ("status", "attach"):
            self._busy.discard(key)
        self._status = []
        self.switched.emit()
        self.status_changed.emit([])
        self.hold(False)

    def set_where(self, where: str) -> None:
        """Call the place of the system so."""
        if where != self.where:
            self.where = where
            self.where_changed.emit(where)

    def close(self) -> None:
        """For good: no timer runs and nothing is emitted afterwards. Joins the feeds (bounded); for the end of the program."""
        with self._gate:
            self._closed = True
            pending, self._pending = self._pending, None
        self._epoch += 1
        self._frames.set_store(None)
        for timer in (self._status_timer, self._fleet_timer, self._stats_timer):
            timer.stop()
        connection, self._connection = self._connection, None
        for started in (connection, pending):
            if started is not None:
                started.stop()

    # Views

    def set_view_source(self, source: ViewSource | None) -> None:
        """What the frames shall show; None: nobody looks, nothing is computed."""
        self._frames.set_source(source)

    # Focus

    @property
    def focus(self) -> tuple[str, ...]:
        """Ids of the focus devices, in the order of their legend."""
        return self._focus

    def add_focus(self, device_id: str) -> bool:
        """Put `device_id` into focus. False when it is there already or the list is full."""
        if not device_id or device_id in self._focus or len(self._focus) >= MAX_FOCUS:
            return False
        self._set_focus((*self._focus, device_id))
        return True

    def remove_focus(self, device_id: str) -> None:
        """Take `device_id` out of focus."""
        if device_id in self._focus:
            self._set_focus(tuple(d for d in self._focus if d != device_id))

    def clear_focus(self) -> None:
        """Nothing in focus."""
        if self._focus:
            self._set_focus(())

    def _set_focus(self, focus: tuple[str, ...]) -> None:
        self._focus = focus
        self._settings.focus = list(focus)
        if self._connection is not None:
            self._connection.set_focus(focus)
        self.focus_changed.emit(focus)

    def search(self, text: str, limit: int = 20) -> list[str]:
        """Ids of devices seen that contain `text`, without those in focus."""
        if self._connection is None:
            return []
        found = self._connection.store.search(text, limit=limit + len(self._focus))
        return [d for d in found if d not in self._focus][:limit]

    # Polls; each at most once at a time, each answer for the present attachment only

    def poll_status(self) -> None:
        """Ask how the services are."""
        if self._connection is not None:
            services = list(self._connection.services())
            if services:
                self._got_status((any(s.running for s in services), services))
        else:
            self._ask("status", self._read_status, self._got_status, self._no_status)

    def _read_status(self) -> tuple[bool, list[ServiceStatus]]:
        status = self.target.status()
        # What has lost its supervisor is not attached, though some of it may answer: it is to be deployed again.
        return not ended_unexpectedly(status) and (any(s.running for s in status) or self.target.is_up()), status

    def _got_status(self, answer: tuple[bool, list[ServiceStatus]]) -> None:
        is_up, status = answer
        if status != self._status:
            self._status = status
            self.status_changed.emit(status)
        if is_up and self._connection is None and not self._hold:
            self._attach()
        elif not is_up and self._connection is not None and not self._hold:
            self.detach()

    def _no_status(self, error: Exception) -> None:
        self._set_health(f"The state of the services cannot be read: {describe(error)}")

    def _poll_fleet(self) -> None:
        if self._connection is not None:
            fleet = self._connection.fleet()
            if fleet.known and fleet != self._fleet:
                self._fleet = fleet
                self.fleet_changed.emit(fleet)

    def _poll_stats(self) -> None:
        if self._connection is not None:
            self.stats_changed.emit(self._connection.store.stats())
            self._report = self._connection.health()
            self._set_health(self._report.sentence)
            connection = self._connection
            refused = connection.refused_records(), connection.rejected_requests(), connection.refused_difference()
            if refused != self._refused:
                self._refused = refused
                self.refused_changed.emit()

    def _set_health(self, sentence: str) -> None:
        if sentence != self._health:
            self._health = sentence
            self.health_changed.emit(sentence)

    # Attaching

    def _attach(self) -> None:
        def build() -> Connection:
            connection = self._connect(self.target.endpoints())
            with self._gate:  # or the program ends between start and answer, and nobody stops the feeds
                if not self._closed:
                    connection.start()
                    self._pending = connection
            return connection

        # Not dropped when late: feeds that were started must be stopped.
        if "attach" in self._busy:
            return
        self._busy.add("attach")
        epoch = self._epoch
        self._run_task(build, lambda connection: self._built(connection, epoch), lambda error: self._not_built(error, epoch))

    def _built(self, connection: Connection, epoch: int) -> None:
        if epoch == self._epoch:
            self._busy.discard("attach")
        if self._pending is connection:
            self._pending = None
        if self._closed or self._hold or self._connection is not None or epoch != self._epoch:
            self._run_task(connection.stop, lambda _: None, lambda e: self._unexpected(e, "stopping the feeds"))
            return
        self._connection = connection
        self._epoch += 1
        self._fleet_timer.start()
        self._stats_timer.start()
        self._frames.set_store(connection.store)
        connection.set_focus(self._focus)
        self.attached.emit()
        self._poll_fleet()

    def _not_built(self, error: Exception, epoch: int) -> None:
        if epoch != self._epoch:
            return
        self._busy.discard("attach")
        self._set_health(f"The running system cannot be attached: {describe(error)}")

    # Helpers

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer

    def _ask(
        self, key: str, func: Callable[[], T], on_result: Callable[[T], None], on_error: Callable[[Exception], None]
    ) -> None:
        if key in self._busy or self._closed:
            return
        self._busy.add(key)
        epoch = self._epoch

        def done(result: T) -> None:
            self._busy.discard(key)
            if not self._closed and epoch == self._epoch:
                on_result(result)

        def failed(error: Exception) -> None:
            self._busy.discard(key)
            if not self._closed and epoch == self._epoch:
                on_error(error)

        self._run_task(func, done, failed)

    def _take_aside(self, work: Callable[[], T], on_taken: Callable[[T], None]) -> None:
        self._ask("frame", work, on_taken, lambda e: self._unexpected(e, "drawing the charts"))

    def _unexpected(self, error: Exception, doing: str) -> None:
        self._notifications.exception(error, doing)
