"""Frames to draw: up to 30 snapshots a second of what somebody looks at, off the GUI thread where they take long."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from desktop.model.snapshot import LiveSnapshot, ViewRequest

FRAME_MS: Final = 33
#: A snapshot quicker than this is taken on the GUI thread: handing it over would cost as much.
DIRECT_S: Final = 0.005

#: Given the time now (epoch seconds), what the charts want to see.
ViewSource = Callable[[float], ViewRequest]
_Taken = tuple[LiveSnapshot, float]


class SnapshotStore(Protocol):
    """What frames are taken of."""

    def now(self) -> float: ...

    def snapshot(self, request: ViewRequest) -> LiveSnapshot: ...


#: Runs the first off the GUI thread, one at a time, and hands its result to the second.
TakeAside = Callable[[Callable[[], _Taken], Callable[[_Taken], None]], None]


class Frames(QObject):
    """The clock of the charts. Lives on the GUI thread.

    Signals:
        frame(LiveSnapshot): while there are both a store and somebody who looks.
    """

    frame = Signal(object)

    def __init__(self, *, aside: TakeAside, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._aside = aside
        self._store: SnapshotStore | None = None
        self._source: ViewSource | None = None
        self._took_s = 0.0
        self._handed_out: deque[float] = deque(maxlen=120)
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._take)

    @property
    def per_s(self) -> float:
        """Frames handed out per second, over the last two seconds."""
        now = time.monotonic()
        return sum(1 for t in self._handed_out if now - t <= 2.0) / 2.0

    @property
    def took_ms(self) -> float:
        """How long a frame takes to compute, smoothed."""
        return self._took_s * 1000

    def set_store(self, store: SnapshotStore | None) -> None:
        """Take frames of this store; None for none."""
        self._store = store
        self._run()

    def set_source(self, source: ViewSource | None) -> None:
        """What the frames shall show; None: nobody looks, nothing is computed."""
        self._source = source
        if source is None:
            self._handed_out.clear()
        self._run()

    def _run(self) -> None:
        if self._store is None or self._source is None:
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()

    def _take(self) -> None:
        store, source = self._store, self._source
        if store is None or source is None:
            return
        request = source(store.now())

        def work() -> _Taken:
            started = time.perf_counter()
            snapshot = store.snapshot(request)
            return snapshot, time.perf_counter() - started

        if self._took_s < DIRECT_S:
            self._emit(work())
        else:
            self._aside(work, self._emit)

    def _emit(self, taken: _Taken) -> None:
        snapshot, took_s = taken
        self._took_s += 0.2 * (took_s - self._took_s)
        if self._source is not None:
            self._handed_out.append(time.monotonic())
            self.frame.emit(snapshot)
