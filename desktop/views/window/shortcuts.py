"""F1: every shortcut of the window and of the page shown."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QVBoxLayout, QWidget

from desktop.model.palette import GAP, GAP_LARGE, GAP_SECTION, GAP_SMALL
from desktop.views.widgets.roles import label


class ShortcutSheet(QDialog):
    """Groups of actions and their keys."""

    def __init__(self, *, groups: Sequence[tuple[str, Sequence[QAction]]], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_SECTION, GAP_LARGE, GAP_SECTION, GAP_SECTION)
        layout.setSpacing(GAP_SMALL)
        for title, actions in groups:
            rows = [(_keys(a), a.text()) for a in actions if a.text() and not a.shortcut().isEmpty()]
            if not rows:
                continue
            layout.addSpacing(GAP_SMALL)
            layout.addWidget(label(title.upper(), "heading"))
            grid = QGridLayout()
            grid.setHorizontalSpacing(GAP_SECTION)
            grid.setVerticalSpacing(GAP // 2)
            grid.setColumnMinimumWidth(0, 120)
            for row, (keys, text) in enumerate(rows):
                grid.addWidget(label(keys, "muted"), row, 0)
                grid.addWidget(label(text), row, 1)
            grid.setColumnStretch(1, 1)
            layout.addLayout(grid)


def _keys(action: QAction) -> str:
    return ", ".join(s.toString(QKeySequence.SequenceFormat.NativeText) for s in action.shortcuts())
