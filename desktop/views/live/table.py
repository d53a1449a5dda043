"""The table twin of a chart: the windows that it shows, as rows, for those who read rather than look."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QDialog, QHeaderView, QTableView, QVBoxLayout, QWidget

from backend.contract.devices import DeviceType
from desktop.model.figures import thousands
from desktop.model.plain_text import tool_tip
from desktop.model.snapshot import SensorView, Steps
from desktop.plots.figures import elide_middle, value_text
from desktop.plots.ticks import time_text
from desktop.views.widgets.roles import label

Index = QModelIndex | QPersistentModelIndex
_NOWHERE: Final = QModelIndex()


class Row(NamedTuple):
    """One window."""

    start: float
    end: float
    device: str
    average: float
    low: float
    high: float
    readings: int
    provisional: bool


def rows_of(view: SensorView, start: float, end: float) -> list[Row]:
    """The windows between `start` and `end`, newest first; the fleet's before the focus devices'."""
    rows = _rows(view.steps, "all devices", start, end)
    for device_id, steps in view.focus_steps.items():
        rows += _rows(steps, device_id, start, end)
    return sorted(rows, key=lambda r: -r.start)


def _rows(steps: Steps, device: str, start: float, end: float) -> list[Row]:
    inside = ((steps.start < end) & (steps.end > start)).nonzero()[0]
    return [
        Row(
            float(steps.start[i]),
            float(steps.end[i]),
            device,
            float(steps.avg[i]),
            float(steps.low[i]),
            float(steps.high[i]),
            int(steps.count[i]),
            bool(steps.provisional[i]),
        )
        for i in inside.tolist()
        if steps.count[i] > 0
    ]


class WindowTableModel(QAbstractTableModel):
    """Rows of windows with named columns."""

    def __init__(self, *, device_type: DeviceType, rows: list[Row], utc: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = rows
        unit = device_type.unit
        self._columns: tuple[tuple[str, Callable[[Row], str]], ...] = (
            ("Window", lambda r: f"{time_text(r.start, utc=utc)} – {time_text(r.end, utc=utc)}"),
            ("Device", lambda r: elide_middle(r.device, 40)),
            (f"Average, {unit}", lambda r: value_text(device_type.sensor, r.average, more=2)),
            (f"Minimum, {unit}", lambda r: value_text(device_type.sensor, r.low, more=2)),
            (f"Maximum, {unit}", lambda r: value_text(device_type.sensor, r.high, more=2)),
            ("Readings", lambda r: thousands(r.readings)),
            ("From", lambda r: "raw, still open" if r.provisional else "MongoDB"),
        )

    def rowCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._columns[index.column()][1](self._rows[index.row()])
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == 1:
            return tool_tip(self._rows[index.row()].device)
        if role == Qt.ItemDataRole.TextAlignmentRole and 2 <= index.column() <= 5:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section][0]
        return None


class WindowTable(QDialog):
    """Shows the rows; not modal, and does not change while it is read."""

    def __init__(
        self, *, device_type: DeviceType, view: SensorView, start: float, end: float, utc: bool, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"{device_type.label}: windows as a table")
        self.model = WindowTableModel(device_type=device_type, rows=rows_of(view, start, end), utc=utc, parent=self)
        self.view = QTableView()
        self.view.setModel(self.model)
        self.view.setAlternatingRowColors(False)
        self.view.setShowGrid(False)
        self.view.verticalHeader().hide()
        self.view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.view.horizontalHeader().setStretchLastSection(True)
        zone = "UTC" if utc else "local time"
        layout = QVBoxLayout(self)
        layout.addWidget(
            label(f"{time_text(start, utc=utc)} – {time_text(end, utc=utc)}, {zone}, {self.model.rowCount()} windows", "muted")
        )
        layout.addWidget(self.view)
        self.resize(760, 480)
