"""Cells that are not plain text. Severity: the triangle of the charts in the size and colour of its grade, and the word."""

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.model.predictions.record import Grade
from desktop.plots.triangles import SIZES
from desktop.qtmodels.theme import ThemeController
from desktop.views.anomalies.table import EVENT_ROLE

_LEFT = 11
_ROOM = 12


class MiddleDelegate(QStyledItemDelegate):
    """Leaves out the middle of what is too long: both the kind and the number of a device stay readable."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:  # noqa: N802
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideMiddle


class GradeDelegate(QStyledItemDelegate):
    """For the column `SEVERITY` of an `EventTable`."""

    def __init__(self, *, theme: ThemeController, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        self.initStyleOption(option, index)
        word, option.text = option.text, ""
        option.widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        event, rect, palette = index.data(EVENT_ROLE), option.rect, self._theme.palette
        fills = {Grade.INFO: palette.idle, Grade.WARNING: palette.warn, Grade.CRITICAL: palette.bad}
        size = SIZES.get(int(event.grade), SIZES[2])
        middle = QPointF(rect.left() + _LEFT + _ROOM / 2, rect.center().y())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # An acknowledged anomaly is an outline: still there, but nothing left to do.
        painter.setPen(QPen(QColor(palette.text if not event.acknowledged else palette.muted), 1.0))
        if not event.acknowledged:
            painter.setBrush(QColor(fills.get(event.grade, palette.warn)))
        half = size / 2
        corners = [middle + QPointF(0, half), middle + QPointF(-half, -half), middle + QPointF(half, -half)]
        painter.drawPolygon(QPolygonF(corners))
        painter.restore()
        painter.setPen(QColor(palette.muted) if event.acknowledged else option.palette.text().color())
        painter.drawText(rect.adjusted(_LEFT + _ROOM + 8, 0, 0, -1), Qt.AlignmentFlag.AlignVCenter, word)
