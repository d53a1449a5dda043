"""One chart with its header: name, unit, mean, range, devices, and the menu button."""

import math

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from backend.contract.devices import DeviceType
from desktop.model.figures import UNKNOWN, plural
from desktop.model.palette import GAP, GAP_LARGE, GAP_SMALL, Palette
from desktop.model.snapshot import SensorView
from desktop.plots.chart import Chart
from desktop.plots.figures import SHORT_UNIT, range_text, value_text
from desktop.plots.geometry import has_data
from desktop.views.icons import icon
from desktop.views.widgets.figure import Figure
from desktop.views.widgets.roles import label

#: Header figures change at most this often: nobody reads thirty numbers a second.
FIGURES_EVERY_S = 0.25


class _Swatch(QWidget):
    """The sensor's hue before its name."""

    def __init__(self) -> None:
        super().__init__()
        self._colour = QColor()
        self.setFixedSize(10, 10)

    def set_colour(self, name: str) -> None:
        self._colour = QColor(name)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour)
        painter.drawRoundedRect(self.rect(), 3, 3)
        painter.end()


class ChartPanel(QWidget):
    """Header and chart of one sensor.

    Attributes:
        chart: The chart.
        mean, range, devices: The header's figures.
        empty: What stands in the chart while it has nothing to draw.

    Signals:
        menu_wanted(QPoint): the menu button or a right click, at this place on the screen.
    """

    menu_wanted = Signal(QPoint)

    def __init__(self, *, device_type: DeviceType, palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.device_type = device_type
        self.sensor = device_type.sensor
        self._figures_at = -math.inf
        self.swatch = _Swatch()
        self.name = label(device_type.label, "strong")
        self.unit = label(SHORT_UNIT.get(device_type.sensor, device_type.unit), "muted")
        self.mean = Figure("1 013.2", role="figure")
        self.range = Figure("1 008.8 – 1 019.2", role="")
        self.devices = Figure("5 000 devices", role="muted")
        self.menu = QToolButton()
        self.menu.setAccessibleName(f"Menu of the {device_type.label} chart")
        self.menu.setToolTip("Hide, export, copy, autoscale …")
        self.menu.clicked.connect(self._menu_clicked)
        self.chart = Chart(device_type=device_type, palette=palette)
        self.chart.menu_wanted.connect(self.menu_wanted)
        self.empty = label(role="muted")
        self.empty.setParent(self.chart)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.empty.hide()
        self.chart.installEventFilter(self)
        self._lay_out()
        self.apply_palette(palette)

    def _lay_out(self) -> None:
        header = QHBoxLayout()
        header.setContentsMargins(GAP_LARGE, GAP_SMALL, GAP_SMALL, 0)
        header.setSpacing(GAP_SMALL)
        header.addWidget(self.swatch)
        header.addWidget(self.name)
        header.addWidget(self.unit)
        header.addStretch(1)
        for figure, caption in ((self.mean, "mean"), (self.range, "range")):
            header.addWidget(figure, 0, Qt.AlignmentFlag.AlignVCenter)
            header.addWidget(label(caption, "caption"), 0, Qt.AlignmentFlag.AlignVCenter)
            header.addSpacing(GAP)
        header.addWidget(self.devices)
        header.addWidget(self.menu)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(header)
        layout.addWidget(self.chart, 1)

    def draw(self, view: SensorView, order: tuple[str, ...], taken: float) -> None:
        """Draw a frame taken at that time."""
        self.chart.draw(view, order, taken)
        if not 0 <= taken - self._figures_at < FIGURES_EVERY_S:
            self._figures_at = taken
            self.mean.setText(value_text(self.sensor, view.mean))
            self.range.setText(range_text(self.sensor, view.low, view.high))
            self.devices.setText(plural(view.devices, "device") if view.devices else "no devices")
            self._describe()

    def show_empty(self, text: str) -> None:
        """Say in the chart why it is empty; "" when it is not."""
        if text != self.empty.text():
            self.empty.setText(text)
            self._place_empty()
        self.empty.setVisible(bool(text))

    def is_empty(self) -> bool:
        """Whether there is nothing to draw between the chart's edges."""
        view = self.chart.view
        return view is None or not has_data(self.chart.frame.start, self.chart.frame.end, view)

    def apply_palette(self, palette: Palette) -> None:
        """The colours changed."""
        self.chart.set_palette(palette)
        self.swatch.set_colour(palette.sensors[self.sensor])
        self.menu.setIcon(icon("more", palette.muted))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if watched is self.chart and event.type() == QEvent.Type.Resize:
            self._place_empty()
        return super().eventFilter(watched, event)

    def _place_empty(self) -> None:
        self.empty.setGeometry(self.chart.frame.rect.toRect())

    def _describe(self) -> None:
        mean = self.mean.text()
        if mean != UNKNOWN:
            self.chart.setAccessibleDescription(
                f"Mean {mean}, range {self.range.text()} {self.device_type.unit}, {self.devices.text()}. "
                "Space pauses, left and right scroll, plus and minus zoom."
            )

    def _menu_clicked(self) -> None:
        self.menu_wanted.emit(self.menu.mapToGlobal(self.menu.rect().bottomLeft()))
