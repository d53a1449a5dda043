"""The versions of the model as a table."""

import time
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.model.figures import thousands
from desktop.model.plain_text import tool_tip
from desktop.model.predictor.card import Version, sensor_label
from desktop.model.predictor.words import moment, span, when

Index = QModelIndex | QPersistentModelIndex
_NOWHERE: Final = QModelIndex()


class Column(IntEnum):
    """In their order."""

    VERSION = 0
    STATE = 1
    TRAINED = 2
    DATA = 3
    READINGS = 4
    SENSORS = 5


TITLES: Final = {
    Column.VERSION: "Version",
    Column.STATE: "State",
    Column.TRAINED: "Trained",
    Column.DATA: "Data",
    Column.READINGS: "Readings",
    Column.SENSORS: "Sensors",
}
_RIGHT: Final = (Column.READINGS,)


class VersionsModel(QAbstractTableModel):
    """The newest first. GUI thread."""

    def __init__(self, *, clock: Callable[[], float] = time.time, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self._utc = False
        self._rows: list[Version] = []

    def set_rows(self, rows: list[Version], *, utc: bool) -> bool:
        """Show these. Whether rows came or went, so that the selection has to be made again."""
        if rows == self._rows and utc == self._utc:
            return False
        same = [r.version for r in rows] == [r.version for r in self._rows]
        if not same:
            self.beginResetModel()
        self._rows, self._utc = list(rows), utc
        if not same:
            self.endResetModel()
        elif rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(Column) - 1))
        return not same

    def version(self, row: int) -> Version | None:
        """Of a row, where there is one."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def row_of(self, version: str) -> int:
        """-1 where it is not there."""
        return next((i for i, r in enumerate(self._rows) if r.version == version), -1)

    def text(self, row: Version, column: int) -> str:
        """What a cell says."""
        now, utc, card = self._clock(), self._utc, row.card
        match column:
            case Column.VERSION:
                return row.version
            case Column.STATE:
                if not row.promoted:
                    return "–"
                since = when(moment(row.promoted_at), utc=utc, now=now)
                return "● promoted" if since == "–" else f"● promoted {since}"
            case Column.TRAINED:
                return when(moment(card.created), utc=utc, now=now)
            case Column.DATA:
                return span(card.start, card.end, utc=utc, now=now)
            case Column.READINGS:
                return thousands(card.count("used"))
            case _:
                return ", ".join(sensor_label(s) for s in card.sensors) or "–"

    # Qt's names, from here on

    def rowCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else len(Column)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.version(index.row())
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(row, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return tool_tip(self.text(row, index.column()))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_side(index.column()))
        return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return TITLES[Column(section)]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_side(section))
        return None


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _RIGHT else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
