"""The chart column of the history table: a bar from minimum to maximum with a mark at the average, on one scale a sensor."""

from typing import Final

from PySide6.QtCore import QLineF, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop.model.palette import Palette
from desktop.plots.figures import value_text
from desktop.plots.layer import colour, pen
from desktop.views.history.model import BAR_ROLE, Bar

_LABEL_PX: Final = 54.0
_BAR_PX: Final = 8.0
#: In a narrower column the bar has all the room.
_LABELS_FROM_PX: Final = 210.0


class BarDelegate(QStyledItemDelegate):
    """Draws a `Bar`; the ends of the scale stand at both sides."""

    def __init__(self, *, palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._palette = palette

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        self._palette = palette

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        return QSize(320, super().sizeHint(option, index).height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().paint(painter, option, index)
        bar = index.data(BAR_ROLE)
        if not isinstance(bar, Bar):
            return
        area: QRectF = QRectF(option.rect).adjusted(8, 0, -12, 0)
        palette = self._palette
        painter.save()
        painter.setPen(colour(palette.muted))
        track = area
        if area.width() >= _LABELS_FROM_PX:
            middle = Qt.AlignmentFlag.AlignVCenter
            left = QRectF(area.left(), area.top(), _LABEL_PX, area.height())
            right = QRectF(area.right() - _LABEL_PX, area.top(), _LABEL_PX, area.height())
            painter.drawText(left, Qt.AlignmentFlag.AlignRight | middle, value_text(bar.sensor, bar.scale_low))
            painter.drawText(right, Qt.AlignmentFlag.AlignLeft | middle, value_text(bar.sensor, bar.scale_high))
            track = area.adjusted(_LABEL_PX + 8, 0, -_LABEL_PX - 8, 0)
        y = round(area.center().y())
        painter.setPen(pen(colour(palette.line)))
        painter.drawLine(QLineF(track.left(), y, track.right(), y))
        hue = palette.sensors.get(bar.sensor, palette.accent)
        x0, x1, mark = (self._x(track, bar, v) for v in (bar.low, bar.high, bar.average))
        body = QRectF(x0, y - _BAR_PX / 2, max(2.0, x1 - x0), _BAR_PX)
        painter.fillRect(body, colour(hue, 0.35))
        painter.setPen(pen(colour(hue)))
        painter.drawLine(QLineF(x0, body.top(), x0, body.bottom()))
        painter.drawLine(QLineF(x1, body.top(), x1, body.bottom()))
        painter.setPen(pen(colour(palette.text), 2.0))
        painter.drawLine(QLineF(mark, body.top() - 3, mark, body.bottom() + 3))
        painter.restore()

    @staticmethod
    def _x(track: QRectF, bar: Bar, value: float) -> float:
        extent = bar.scale_high - bar.scale_low
        share = (value - bar.scale_low) / extent if extent > 0 else 0.5
        return track.left() + share * track.width()
