"""The answer as a table: one row a device and sensor, sortable by value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from backend.contract.devices import BY_SENSOR
from desktop.model.figures import thousands
from desktop.model.plain_text import tool_tip
from desktop.plots.figures import SHORT_UNIT, elide_middle, value_text
from desktop.views.export.kinds import StatisticsRow
from desktop.views.widgets.table import beside

Index = QModelIndex | QPersistentModelIndex
_NOWHERE: Final = QModelIndex()

#: What the proxy sorts by.
SORT_ROLE: Final = Qt.ItemDataRole.UserRole
#: What the range column draws: a `Bar`.
BAR_ROLE: Final = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True, slots=True)
class Bar:
    """A range on the scale that all rows of its sensor share."""

    sensor: str
    low: float
    average: float
    high: float
    scale_low: float
    scale_high: float


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: its title, its text, and what it sorts by."""

    title: str
    text: Callable[[StatisticsRow], str]
    sort: Callable[[StatisticsRow], Any]
    right: bool = True


def _unit(row: StatisticsRow) -> str:
    known = BY_SENSOR.get(row.sensor)
    return SHORT_UNIT.get(row.sensor, known.unit) if known else ""


def _sensor_label(row: StatisticsRow) -> str:
    known = BY_SENSOR.get(row.sensor)
    return known.label if known else row.sensor


COLUMNS: Final[tuple[Column, ...]] = (
    Column("Device", lambda r: elide_middle(r.device_id, 40), lambda r: r.device_id, right=False),
    Column("Sensor", _sensor_label, _sensor_label, right=False),
    Column("Average", lambda r: value_text(r.sensor, r.average, more=2), lambda r: r.average),
    Column("Minimum", lambda r: value_text(r.sensor, r.minimum, more=1), lambda r: r.minimum),
    Column("Maximum", lambda r: value_text(r.sensor, r.maximum, more=1), lambda r: r.maximum),
    Column("Unit", _unit, _unit, right=False),
    Column("Readings", lambda r: thousands(r.count), lambda r: r.count),
    Column("Range and average", lambda _: "", lambda r: r.maximum - r.minimum, right=False),
)
SENSOR_COLUMN: Final = 1
BAR_COLUMN: Final = len(COLUMNS) - 1


class StatisticsModel(QAbstractTableModel):
    """Rows of statistics."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[StatisticsRow] = []
        self._scales: dict[str, tuple[float, float]] = {}

    def set_rows(self, rows: Sequence[StatisticsRow]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self._rows = list(rows)
        self._scales = {}
        for row in self._rows:
            low, high = self._scales.get(row.sensor, (row.minimum, row.maximum))
            self._scales[row.sensor] = (min(low, row.minimum), max(high, row.maximum))
        self.endResetModel()

    @property
    def rows(self) -> list[StatisticsRow]:
        """As asked for, unsorted."""
        return self._rows

    def rowCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self._rows[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(row)
        if role == SORT_ROLE:
            return column.sort(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return beside(right=column.right)
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == 0:
            return tool_tip(row.device_id)
        if role == BAR_ROLE and index.column() == BAR_COLUMN:
            low, high = self._scales[row.sensor]
            return Bar(row.sensor, row.minimum, row.average, row.maximum, low, high)
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == BAR_COLUMN:
            texts = (value_text(row.sensor, v) for v in (row.minimum, row.average, row.maximum))
            return " – ".join(texts) + f" {_unit(row)}"
        return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return beside(right=COLUMNS[section].right)
        return None
