"""The slider of one device type, in its sensor's hue, with marks of the devices that really report and of the storing limit."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSlider, QWidget

from desktop.model.plain_text import tool_tip
from desktop.qtmodels.fleet_scale import LAST, position_of
from desktop.qtmodels.theme import ThemeController

KNOB = 7.0


class FleetSlider(QSlider):
    """Positions are stops of `fleet_scale`. A click goes where it points."""

    def __init__(self, *, theme: ThemeController, sensor: str, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self._sensor = sensor
        self._reporting = -1
        self._limit: int | None = None
        self.setRange(0, LAST)
        self.setPageStep(10)
        self.setFixedHeight(20)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.changed.connect(self.update)

    def set_reporting(self, count: int) -> None:
        """Where the mark stands; negative for none."""
        if count != self._reporting:
            self._reporting = count
            self.update()

    @property
    def limit(self) -> int | None:
        """Where the limit's mark stands, in devices."""
        return self._limit

    def set_limit(self, count: int | None, words: str) -> None:
        """Mark the most devices whose readings are stored in time.

        Args:
            count: None for no mark.
            words: The same for the tooltip and assistive technology.
        """
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)
            self.setToolTip(tool_tip(words))
        if count != self._limit:
            self._limit = count
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's names, from here on
        return QSize(120, 20)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setSliderPosition(self._position_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if self.isSliderDown():
            self.setSliderPosition(self._position_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.setSliderDown(False)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        palette = self._theme.palette
        hue = QColor(palette.sensors[self._sensor] if self.isEnabled() else palette.idle)
        y = self.height() / 2
        x = self._x_of(self.sliderPosition())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(palette.line))
        painter.drawRoundedRect(QRectF(KNOB, y - 1.5, self.width() - 2 * KNOB, 3), 1.5, 1.5)
        painter.setBrush(hue)
        painter.drawRoundedRect(QRectF(KNOB, y - 1.5, max(x - KNOB, 0), 3), 1.5, 1.5)
        if self._reporting >= 0 and self.isEnabled():
            painter.setPen(QPen(QColor(palette.muted), 1.5))
            mark = self._x_of(position_of(self._reporting))
            painter.drawLine(QPointF(mark, y + 4.5), QPointF(mark, y + 8.5))
        if self._limit is not None and self.isEnabled():
            # Above the groove, where the reporting devices' mark is below; what lies beyond is tinted.
            mark = self._x_of(position_of(self._limit))
            beyond = QColor(palette.warn)
            painter.setPen(QPen(beyond, 2))
            painter.drawLine(QPointF(mark, y - 9), QPointF(mark, y - 3))
            beyond.setAlphaF(0.3)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(beyond)
            start = max(mark, x)
            painter.drawRoundedRect(QRectF(start, y - 1.5, max(self.width() - KNOB - start, 0), 3), 1.5, 1.5)
        ring = QColor(palette.accent) if self.hasFocus() else hue
        painter.setPen(QPen(ring, 2))
        painter.setBrush(QColor(palette.surface))
        radius = KNOB - 1.0 if self.isSliderDown() or self.hasFocus() or self.underMouse() else KNOB - 2.0
        painter.drawEllipse(QPointF(x, y), radius, radius)
        painter.end()

    def _x_of(self, position: int) -> float:
        return KNOB + (self.width() - 2 * KNOB) * position / LAST

    def _position_at(self, x: float) -> int:
        return round((x - KNOB) / max(self.width() - 2 * KNOB, 1) * LAST)
