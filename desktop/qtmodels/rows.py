"""A table of immutable rows, newest first, that other rows come to: a selection stays where it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from desktop.model.plain_text import tool_tip

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex
_NOWHERE: Final = QModelIndex()
#: The row itself.
ROW_ROLE: Final = Qt.ItemDataRole.UserRole
_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """A column.

    Attributes:
        title: In the header.
        text: What a cell shows.
        sort: What a row is sorted by.
        width: Usual width, logical pixels.
        right: Figures stand at the right.
        hint: Tooltip of a cell; None for its whole text.
    """

    title: str
    text: Callable[[R], str]
    sort: Callable[[R], Any]
    width: int
    right: bool = False
    hint: Callable[[R], str] | None = None


class RowsModel(QAbstractTableModel, Generic[R]):
    """Rows in the order given. GUI thread."""

    def __init__(self, columns: Sequence[Column[R]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self._rows: tuple[R, ...] = ()

    @property
    def rows(self) -> tuple[R, ...]:
        """In the order of the table."""
        return self._rows

    def set_rows(self, rows: Sequence[R]) -> None:
        """Show these, newest first. Those that are known already keep their places; new ones come above them."""
        wanted, known = tuple(rows), self._rows
        if wanted == known:
            return
        new = _new_above(wanted, known)
        if new is None:
            self.beginResetModel()
            self._rows = wanted
            self.endResetModel()
            return
        kept = len(wanted) - new
        if kept < len(known):
            self.beginRemoveRows(_NOWHERE, kept, len(known) - 1)
            self._rows = known[:kept]
            self.endRemoveRows()
        if new:
            self.beginInsertRows(_NOWHERE, 0, new - 1)
            self._rows = wanted
            self.endInsertRows()

    # QAbstractTableModel

    def rowCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(row)
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.right else _LEFT
        if role == Qt.ItemDataRole.ToolTipRole:
            return tool_tip((column.hint or column.text)(row))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{column.title}: {column.text(row)}"
        return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        return (_RIGHT if column.right else _LEFT) if role == Qt.ItemDataRole.TextAlignmentRole else None


class FilteredRows(QSortFilterProxyModel):
    """Over a `RowsModel`: rows in which every typed word occurs, sorted by what the columns mean."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[str, ...] = ()

    def set_filter(self, text: str) -> None:
        """Show only rows that contain every word of `text` in any cell, whatever the case."""
        words = tuple(text.casefold().split())
        if words != self._words:
            self.beginFilterChange()
            self._words = words
            self.endFilterChange()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:  # noqa: N802
        if not self._words:
            return True
        model = self.sourceModel()
        if not isinstance(model, RowsModel) or row >= len(model.rows):
            return False
        found = model.rows[row]
        text = "\n".join(column.text(found) for column in model.columns).casefold()
        return all(word in text for word in self._words)

    def lessThan(self, left: Index, right: Index) -> bool:  # noqa: N802
        model = self.sourceModel()
        if not isinstance(model, RowsModel):
            return False
        sort = model.columns[left.column()].sort
        return bool(sort(model.rows[left.row()]) < sort(model.rows[right.row()]))


def _new_above(wanted: tuple[R, ...], known: tuple[R, ...]) -> int | None:
    """How many rows of `wanted` are new above the known ones; None when it is another list."""
    if not known:
        return None
    first = known[0]
    for new, row in enumerate(wanted):
        if row is first or row == first:
            return new if wanted[new:] == known[: len(wanted) - new] else None
    return None
