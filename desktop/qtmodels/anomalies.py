"""Anomalies as the window sees them: the events, how far the prediction is, who has seen to what, and what is told of."""

import getpass
import time
from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.model.notifications import Notifications, describe
from desktop.model.predictions.announcer import Announcer
from desktop.model.predictions.event import Event, EventFilter, EventKey
from desktop.model.predictions.record import Grade
from desktop.model.predictions.status import PredictionStatus
from desktop.model.predictions.store import PredictionStore
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.tasks import RunTask
from desktop.settings import Settings

POLL_MS: Final = 500
#: Key of the page that a notification leads to.
PAGE: Final = "anomalies"

OnEvents = Callable[[list[Event]], None]


class Anomalies(QObject):
    """Looks twice a second whether something changed. Lives on the GUI thread; never blocks it.

    Attributes:
        open: Events that nobody has seen to, by grade.
        busy: Whether an acknowledgement is being written.
        watched: Whether the user has the list before them: nothing is told of then.

    Signals:
        changed(): other events, or another status.
        counted(): another `open`.
        busy_changed(bool): an acknowledgement is being written, or no longer.
    """

    changed = Signal()
    counted = Signal()
    busy_changed = Signal(bool)

    def __init__(
        self,
        *,
        monitor: Monitor,
        run_task: RunTask,
        settings: Settings,
        notifications: Notifications,
        clock: Callable[[], float] = time.time,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._monitor, self._run_task = monitor, run_task
        self._settings, self._notifications, self._clock = settings, notifications, clock
        self._seen: tuple[int, PredictionStatus] | None = None
        self._counting = False
        self.open: dict[Grade, int] = {}
        self.busy = self.watched = False
        self._announcer = Announcer(find=self.find, clock=clock)
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)
        monitor.attached.connect(self._attached)
        monitor.detached.connect(self._detached)

    @property
    def store(self) -> PredictionStore | None:
        """Of the attached system."""
        connection = self._monitor.connection
        return connection.store.predictions if connection is not None else None

    @property
    def status(self) -> PredictionStatus:
        """How far the prediction is."""
        store = self.store
        return store.status if store is not None else PredictionStatus()

    def find(self, key: EventKey) -> Event | None:
        """The event as it is now."""
        store = self.store
        return store.find(key) if store is not None else None

    def fetch(self, wanted: EventFilter, on_events: OnEvents) -> None:
        """The events wanted, newest first; off the GUI thread, since there may be thousands."""
        store = self.store
        if store is None:
            on_events([])
            return

        def failed(error: Exception) -> None:
            self._notifications.exception(error, "listing anomalies")
            on_events([])

        self._run_task(lambda: store.events(wanted), on_events, failed)

    def acknowledge(self, keys: Sequence[EventKey], *, undo: bool = False, on_done: Callable[[], None] = lambda: None) -> None:
        """Note that the user of this desktop has seen to these events, or take it back. One at a time."""
        connection = self._monitor.connection
        if connection is None or not keys or self.busy:
            return
        by = _user()
        self._set_busy(True)

        def done(_: None) -> None:
            self._set_busy(False)
            self.poll()
            on_done()

        def failed(error: Exception) -> None:
            self._set_busy(False)
            if connection is not self._monitor.connection:
                return
            self._notifications.error(f"Nothing was acknowledged. {describe(error)}")

        self._run_task(lambda: connection.acknowledge(keys, by=by, undo=undo), done, failed)

    def poll(self) -> None:
        """Look now."""
        store = self.store
        if store is None:
            return
        seen = (store.version, store.status)
        if seen != self._seen:
            before, self._seen = self._seen, seen
            if before is None or before[0] != seen[0]:
                self._count(store)
            self.changed.emit()
        self._announcer.add(store.take_news())
        text = self._announcer.due(utc=self._settings.flag("live/utc"))
        if text and not self.watched:
            self._notifications.warning(text, page=PAGE)

    def _count(self, store: PredictionStore) -> None:
        if self._counting:
            self._seen = None  # looked at again with the next poll
            return
        self._counting = True

        def done(counts: dict[Grade, int]) -> None:
            self._counting = False
            if store is self.store and counts != self.open:
                self.open = counts
                self.counted.emit()

        def failed(error: Exception) -> None:
            self._counting = False
            self._notifications.exception(error, "counting anomalies")

        self._run_task(store.open_by_grade, done, failed)

    def _set_busy(self, busy: bool) -> None:
        self.busy = busy
        self.busy_changed.emit(busy)

    def _attached(self) -> None:
        self._seen = None
        self._timer.start()
        self.poll()

    def _detached(self) -> None:
        self._timer.stop()
        self._seen = None
        self.open = {}
        self.counted.emit()
        self.changed.emit()

    def close(self) -> None:
        """No timer runs afterwards."""
        self._timer.stop()


def _user() -> str:
    """The login name of whoever uses this desktop."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # an account without a name, as in some containers
        return "somebody"
