"""The attempts to run a service, as a table in place of its log."""

from typing import Final

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.model.palette import GAP_LARGE, GAP_SMALL
from desktop.qtmodels.attempts import Attempts
from desktop.views.widgets.roles import label
from desktop.views.widgets.table import rows_table

_WIDTHS: Final = (176, 70, 120, 90, 360)
_ROW_PX: Final = 28


class AttemptsView(QWidget):
    """Shows an `Attempts`."""

    def __init__(self, *, attempts: Attempts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.note = label("", "muted")
        self.note.setContentsMargins(GAP_LARGE, GAP_SMALL, GAP_LARGE, GAP_SMALL)
        self.table = rows_table("Attempts to run the service", row_px=_ROW_PX)
        self.table.setModel(attempts)
        self.table.setTabKeyNavigation(False)
        for column, width in enumerate(_WIDTHS):
            self.table.setColumnWidth(column, width)
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
