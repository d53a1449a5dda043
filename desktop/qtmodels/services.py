"""The table of services: one row each, cells updated one by one so that selection and scrolling stay."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.model.figures import UNKNOWN, size, thousands
from desktop.model.plain_text import tool_tip
from desktop.model.starting import is_young
from stack.catalogue import BY_NAME
from stack.target import ServiceStatus

Index = QModelIndex | QPersistentModelIndex


class Column(IntEnum):
    """Columns of the table."""

    SERVICE = 0
    STATE = 1
    REPLICAS = 2
    RESTARTS = 3
    CPU = 4
    MEMORY = 5
    MESSAGE = 6


HEADERS: Final = ("Service", "State", "Replicas", "Restarts", "CPU", "Memory", "Message")
RIGHT: Final = (Column.RESTARTS, Column.CPU, Column.MEMORY)

STATUS_ROLE: Final = Qt.ItemDataRole.UserRole
STATE_ROLE: Final = Qt.ItemDataRole.UserRole + 1


def state_of(status: ServiceStatus, now: datetime | None = None) -> str:
    """One of running, updating, rolled back, starting, degraded, stopped, failed: a key of `widgets.signs.WORDS`."""
    if status.stopped or status.wanted == 0:
        return "stopped"
    young = is_young(status, (now or datetime.now(UTC)).timestamp())
    if status.running == 0:
        # One that comes back again and again is always young.
        return "starting" if young and not status.restarts else "failed"
    if status.updating:
        return "updating"  # replicas come and go meanwhile
    if status.running < status.wanted:
        return "degraded"
    if status.rolled_back:
        return "rolled back"
    if status.update:
        return "degraded"  # it stopped half-way
    if status.healthy:
        return "running"
    if status.since is not None:
        return "starting" if young else "degraded"
    return "degraded" if status.message else "starting"


def message_of(status: ServiceStatus) -> str:
    """What is to be said of it: an update first, since it explains the rest."""
    update = f"{status.update[:1].upper()}{status.update[1:].rstrip('.')}." if status.update else ""
    said = status.message or status.note
    if not update or update in said:
        return said
    return f"{update} {said}".strip()


def title_of(service: str) -> str:
    """Its name for people."""
    return BY_NAME[service].title if service in BY_NAME else service


class ServicesModel(QAbstractTableModel):
    """Services in start order. `scaling` holds the numbers of replicas asked for and not yet there."""

    def __init__(self, *, clock: Callable[[], float] = time.time, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self._rows: list[ServiceStatus] = []
        self._scaling: dict[str, int] = {}

    def update_from(self, rows: list[ServiceStatus]) -> None:
        """Take a new status. Only cells that differ are announced; rows are reset only when the services themselves change."""
        for row in rows:
            if self._scaling.get(row.service) == row.running:
                del self._scaling[row.service]
        if [r.service for r in rows] != [r.service for r in self._rows]:
            self.beginResetModel()
            self._rows = list(rows)
            self.endResetModel()
            return
        old, self._rows = self._rows, list(rows)
        for i, (before, now) in enumerate(zip(old, rows, strict=True)):
            if before == now:
                continue
            for column in Column:
                if self._text(before, column) != self._text(now, column) or column in (Column.STATE, Column.REPLICAS):
                    index = self.index(i, column)
                    self.dataChanged.emit(index, index)

    def forget_scaling(self) -> None:
        """Drop every number of replicas asked for: the system is another one."""
        self._scaling.clear()

    def set_scaling(self, service: str, replicas: int | None) -> None:
        """Show `replicas` as asked for at once; None rolls back."""
        if replicas is None:
            self._scaling.pop(service, None)
        else:
            self._scaling[service] = replicas
        row = self.row_of(service)
        if row >= 0:
            index = self.index(row, Column.REPLICAS)
            self.dataChanged.emit(index, index)

    def wanted(self, service: str) -> int:
        """Replicas wanted, with what was asked for a moment ago."""
        row = self.row_of(service)
        return self._scaling.get(service, self._rows[row].wanted if row >= 0 else 0)

    def row_of(self, service: str) -> int:
        """Row of `service`, or -1."""
        return next((i for i, r in enumerate(self._rows) if r.service == service), -1)

    def status(self, row: int) -> ServiceStatus | None:
        """What stands in `row`."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    # QAbstractTableModel

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's names and defaults
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADERS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in RIGHT else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self._rows):
            return None
        status, column = self._rows[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            # Where replicas can be changed, a widget stands over the cell.
            return "" if column is Column.REPLICAS and status.scalable else self._text(status, column)
        if role == STATUS_ROLE:
            return status
        if role == STATE_ROLE:
            return state_of(status, datetime.fromtimestamp(self._clock(), UTC))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column in RIGHT else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole and column is Column.SERVICE:
            known = BY_NAME.get(status.service)
            return tool_tip(f"{status.service}: {known.role}" if known else status.service)
        if role == Qt.ItemDataRole.ToolTipRole and column is Column.MESSAGE:
            return tool_tip(message_of(status)) or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{HEADERS[column]}: {self._text(status, column)}"
        return None

    def _text(self, status: ServiceStatus, column: Column) -> str:
        match column:
            case Column.SERVICE:
                return title_of(status.service)
            case Column.STATE:
                return state_of(status, datetime.fromtimestamp(self._clock(), UTC))
            case Column.REPLICAS:
                wanted = self._scaling.get(status.service, status.wanted)
                return f"{status.running} of {wanted}"
            case Column.RESTARTS:
                return thousands(status.restarts)
            case Column.CPU:
                return UNKNOWN if status.cpu_percent is None else f"{status.cpu_percent:.0f} %"
            case Column.MEMORY:
                return UNKNOWN if status.memory_bytes is None else size(status.memory_bytes)
            case Column.MESSAGE:
                return message_of(status)
