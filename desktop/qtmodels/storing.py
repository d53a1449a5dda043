"""What the attached system stores at most: measured while it runs, kept per system for the next start."""

import hashlib
import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, Signal

from desktop.model.storing import Limit, LimitMeter, rounded
from desktop.qtmodels.monitor import Monitor
from desktop.services.switched_target import pinned
from desktop.settings import Settings
from stack.target import Endpoints, Target

#: A measurement that goes on is written this often.
_KEEP_S: Final = 60.0


def system_key(target: Target, endpoints: Endpoints) -> str:
    """Return the settings' key for this system: one machine may run several, in other folders or on other ports."""
    where = endpoints.mongo.partition("://")[2].partition("/")[0].rpartition("@")[2]
    # Two data folders may use the same ports one after the other; only the local target has a folder.
    folder = str(getattr(pinned(target), "data_dir", ""))
    return "storing/" + hashlib.sha256(f"{target.name}\n{where}\n{folder}".encode()).hexdigest()[:16]


class StoringLimit(QObject):
    """Lives on the GUI thread.

    Signals:
        changed(): `limit` became known, another one, or unknown. Not for differences that nobody sees.
    """

    changed = Signal()

    def __init__(
        self, *, monitor: Monitor, settings: Settings, clock: Callable[[], float] = time.time, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._monitor, self._settings, self._clock = monitor, settings, clock
        self._key = ""
        self._meter = LimitMeter()
        self._kept: Limit | None = None
        self._shown = 0.0
        monitor.attached.connect(self._begin)
        monitor.detached.connect(self._end)
        monitor.stats_changed.connect(self._measure)

    @property
    def limit(self) -> Limit | None:
        """What the system stores at most, rounded as it is shown; None while that has not been seen."""
        limit = self._meter.limit
        return Limit(rounded(limit.per_s), limit.at) if limit is not None else None

    def _begin(self) -> None:
        endpoints = self._monitor.endpoints
        if endpoints is None:
            return
        self._key = system_key(self._monitor.target, endpoints)
        self._kept = Limit.from_text(self._settings.text(self._key), now=self._clock())
        self._meter = LimitMeter(self._kept)
        self._announce()

    def _end(self) -> None:
        self._keep()
        self._key, self._kept, self._meter = "", None, LimitMeter()
        self._announce()

    def _measure(self, _: object) -> None:
        connection = self._monitor.connection
        if connection is None or not self._key:
            return
        self._meter.add(connection.sink())
        now, before = self._meter.limit, self._kept
        if now != before and (now is None or before is None or now.at - before.at >= _KEEP_S):
            self._keep()
        self._announce()

    def _keep(self) -> None:
        if self._key and self._meter.limit != self._kept:
            self._kept = self._meter.limit
            self._settings.set_text(self._key, self._kept.to_text() if self._kept is not None else "")

    def _announce(self) -> None:
        shown = rounded(self._meter.limit.per_s) if self._meter.limit is not None else 0.0
        if shown != self._shown:
            self._shown = shown
            self.changed.emit()
