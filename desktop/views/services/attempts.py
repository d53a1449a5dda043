"""The attempts to run a service, as a table in place of its log."""

from typing import Final

from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QVBoxLayout, QWidget

from desktop.model.palette import GAP_LARGE, GAP_SMALL
from desktop.qtmodels.attempts import Attempts
from desktop.views.widgets.roles import label

_WIDTHS: Final = (176, 70, 120, 90, 360)
_ROW_PX: Final = 28


class AttemptsView(QWidget):
    """Shows an `Attempts`."""

    def __init__(self, *, attempts: Attempts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.note = label("", "muted")
        self.note.setContentsMargins(GAP_LARGE, GAP_SMALL, GAP_LARGE, GAP_SMALL)
        self.table = QTableView()
        self.table.setModel(attempts)
        self.table.setAccessibleName("Attempts to run the service")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(_ROW_PX)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in enumerate(_WIDTHS):
            header.resizeSection(column, width)
        header.setStretchLastSection(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.note)
        layout.addWidget(self.table, 1)
        attempts.told.connect(self._tell)
        self._tell("")

    def _tell(self, sentence: str) -> None:
        self.note.setText(sentence)
        self.note.setVisible(bool(sentence))
        self.table.setVisible(not sentence)
