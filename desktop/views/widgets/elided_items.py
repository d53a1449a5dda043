"""Lists of device ids: each id on one line, elided in the middle where it does not fit."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem


class _AsWideAsTheView(QStyledItemDelegate):
    """Qt elides an item only at the width that the item asks for."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        return QSize(0, super().sizeHint(option, index).height())


def elide_items(view: QListView) -> None:
    """Elide the items of `view` in the middle instead of scrolling sideways."""
    view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setItemDelegate(_AsWideAsTheView(view))
