"""Says how updates of services end: nobody watches the Services page all the time."""

from dataclasses import replace

from PySide6.QtCore import QObject

from desktop.model.notifications import Notifications
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.services import message_of, title_of
from stack.target import ServiceStatus


class UpdateWatch(QObject):
    """Compares each status with the one before. Lives on the GUI thread. What was so at the first look is no news."""

    def __init__(self, *, monitor: Monitor, notifications: Notifications, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notifications = notifications
        self._before: dict[str, ServiceStatus] = {}
        monitor.status_changed.connect(self._take)

    def _take(self, rows: list[ServiceStatus]) -> None:
        before, self._before = self._before, {row.service: row for row in rows}
        for row in rows:
            was = before.get(row.service)
            if was is None:
                continue
            title = title_of(row.service)
            if row.rolled_back and not was.rolled_back:
                self._notifications.warning(f"{title}: the update failed. {message_of(replace(row, message=''))}")
            elif row.update and not row.updating and was.updating and not row.rolled_back:
                self._notifications.warning(f"{title}: {row.update}.")
            elif was.updating and not row.updating and not row.update:
                self._notifications.info(f"{title} was updated.")
