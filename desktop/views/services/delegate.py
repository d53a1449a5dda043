"""Draws the state cell: sign and word."""

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.qtmodels.services import STATE_ROLE
from desktop.qtmodels.theme import ThemeController
from desktop.views.widgets.signs import WORDS, paint_sign

SIGN = 11
LEFT = 11


class StateDelegate(QStyledItemDelegate):
    """For the column `STATE` of `ServicesModel`."""

    def __init__(self, *, theme: ThemeController, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        state = str(index.data(STATE_ROLE))
        self.initStyleOption(option, index)
        option.text = ""
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        rect = option.rect
        paint_sign(painter, QRectF(rect.left() + LEFT, rect.center().y() - SIGN / 2, SIGN, SIGN), state, self._theme.palette)
        painter.setPen(option.palette.text().color())
        painter.drawText(rect.adjusted(LEFT + SIGN + 8, 0, 0, -1), Qt.AlignmentFlag.AlignVCenter, WORDS.get(state, state))
