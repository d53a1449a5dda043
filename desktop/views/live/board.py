"""The four charts on one time axis: stacked where the window is tall, two by two where it is wide."""

from typing import Final

from PySide6.QtCore import QPoint, QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from backend.contract.devices import DEVICE_TYPES
from desktop.model.palette import Palette
from desktop.model.snapshot import LiveSnapshot
from desktop.plots.chart import Chart
from desktop.views.live.panel import ChartPanel
from desktop.views.widgets.roles import hairline

#: Two columns need this width, and this ratio of width to height.
WIDE_PX: Final = 1240
WIDE_RATIO: Final = 1.3


class ChartBoard(QWidget):
    """Lays out the panels and keeps them in step.

    Attributes:
        panels: By sensor, in the order of the device types.
        hidden: Sensors whose chart the user has hidden.

    Signals:
        panned(float), zoomed(float, float), boxed(float, float): as of `Chart`.
        menu_wanted(str, QPoint): sensor and place on the screen.
        label_clicked(str): a focus device's end label.
        mark_clicked(str, int): sensor, and index of an anomaly in what its chart shows.
        visible_changed(): a chart was hidden or shown.
    """

    panned = Signal(float)
    zoomed = Signal(float, float)
    boxed = Signal(float, float)
    menu_wanted = Signal(str, QPoint)
    label_clicked = Signal(str)
    mark_clicked = Signal(str, int)
    visible_changed = Signal()

    def __init__(self, *, palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.panels = {t.sensor: ChartPanel(device_type=t, palette=palette) for t in DEVICE_TYPES}
        self.hidden: set[str] = set()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(0)
        self._lines: list[QWidget] = []
        self._shape: tuple[int, tuple[str, ...]] = (0, ())
        self._highlighted: str | None = None
        for sensor, panel in self.panels.items():
            chart = panel.chart
            chart.panned.connect(self.panned)
            chart.zoomed.connect(self.zoomed)
            chart.boxed.connect(self.boxed)
            chart.hovered.connect(self.set_cross)
            chart.label_clicked.connect(self._label_clicked)
            chart.mark_clicked.connect(lambda mark, s=sensor: self.mark_clicked.emit(s, mark))
            panel.menu_wanted.connect(lambda at, s=sensor: self.menu_wanted.emit(s, at))
        self._arrange()

    @property
    def charts(self) -> list[Chart]:
        """All charts, hidden ones included."""
        return [panel.chart for panel in self.panels.values()]

    @property
    def shown(self) -> list[str]:
        """Sensors whose chart is shown."""
        return [s for s in self.panels if s not in self.hidden]

    def plot_width(self) -> float:
        """Width of the plots in device pixels; all are equally wide."""
        chart = self.panels[self.shown[0]].chart if self.shown else self.charts[0]
        return chart.frame.rect.width() * chart.devicePixelRatioF()

    def draw(self, snapshot: LiveSnapshot, start: float, end: float) -> None:
        """Draw a frame between `start` and `end`."""
        for sensor in self.shown:
            view = snapshot.views.get(sensor)
            if view is not None:
                panel = self.panels[sensor]
                panel.chart.set_times(start, end)
                panel.draw(view, snapshot.request.focus, snapshot.taken)

    def set_times(self, start: float, end: float) -> None:
        """Show other times at once, before the data of the next frame."""
        for chart in self.charts:
            chart.set_times(start, end)

    def set_cross(self, at: float | None) -> None:
        """One crosshair through all charts."""
        for chart in self.charts:
            chart.set_cross(at)

    def set_utc(self, utc: bool) -> None:
        """Label times in UTC, or in local time."""
        for chart in self.charts:
            chart.set_utc(utc)

    def set_label_room(self, room: bool) -> None:
        """Reserve the margin of end labels in all charts."""
        for chart in self.charts:
            chart.set_label_room(room)

    def set_hidden(self, hidden: set[str]) -> None:
        """Hide these charts; at least one stays."""
        hidden = {s for s in hidden if s in self.panels}
        if len(hidden) < len(self.panels) and hidden != self.hidden:
            self.hidden = hidden
            self._arrange()
            self.visible_changed.emit()

    def apply_palette(self, palette: Palette) -> None:
        """The colours changed."""
        for panel in self.panels.values():
            panel.apply_palette(palette)

    def highlight(self, device_id: str | None) -> None:
        """Draw one focus device stronger."""
        self._highlighted = device_id
        for chart in self.charts:
            chart.set_highlighted(device_id)

    @property
    def highlighted(self) -> str | None:
        """The focus device drawn stronger, or None."""
        return self._highlighted

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(560, 440)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._arrange()

    def _label_clicked(self, device_id: str) -> None:
        self.highlight(None if device_id == self._highlighted else device_id)
        self.label_clicked.emit(device_id)

    def _columns(self) -> int:
        wide = self.width() >= WIDE_PX and self.width() >= WIDE_RATIO * self.height()
        return 2 if wide and len(self.shown) > 2 else 1

    def _arrange(self) -> None:
        shape = (self._columns(), tuple(self.shown))
        if shape == self._shape:
            return
        self._shape = shape
        columns, shown = shape
        for line in self._lines:
            self._grid.removeWidget(line)
            line.deleteLater()
        self._lines.clear()
        for panel in self.panels.values():
            self._grid.removeWidget(panel)
        for i in range(self._grid.rowCount()):
            self._grid.setRowStretch(i, 0)
        for i in range(self._grid.columnCount()):
            self._grid.setColumnStretch(i, 0)
        rows = -(-len(shown) // columns)
        for number, sensor in enumerate(shown):
            row, column = divmod(number, columns)
            panel = self.panels[sensor]
            self._grid.addWidget(panel, 2 * row, 2 * column)
            # The lowest chart of each column carries the times.
            panel.chart.set_show_times(number + columns >= len(shown))
            panel.show()
        for sensor in self.hidden:
            self.panels[sensor].hide()
        for row in range(rows):
            self._grid.setRowStretch(2 * row, 1)
            if row:
                self._add_line(hairline(), 2 * row - 1, 0, 1, 2 * columns - 1)
        for column in range(columns):
            self._grid.setColumnStretch(2 * column, 1)
            if column:
                self._add_line(hairline(vertical=True), 0, 2 * column - 1, 2 * rows - 1, 1)

    def _add_line(self, line: QWidget, row: int, column: int, rows: int, columns: int) -> None:
        self._grid.addWidget(line, row, column, rows, columns)
        self._lines.append(line)
