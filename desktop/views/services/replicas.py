"""− 3 + : how many replicas of a service are wanted."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.qtmodels.theme import ThemeController
from desktop.views.widgets.figure import Figure
from desktop.views.widgets.menu_button import IconButton


class Replicas(QWidget):
    """Signals: wanted(int)."""

    wanted = Signal(int)

    def __init__(self, *, service: str, most: int, theme: ThemeController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wanted = 0
        self._most = most
        self.less = IconButton(theme=theme, name="minus", words=f"One replica of {service} less", size=14)
        self.more = IconButton(theme=theme, name="add", words=f"One replica of {service} more", size=14)
        self.text = Figure("16 of 16", right=False)
        row = QHBoxLayout(self)
        row.setContentsMargins(3, 0, 4, 0)
        row.setSpacing(4)
        row.addWidget(self.text)
        row.addWidget(self.less, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.more, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        self.less.clicked.connect(lambda: self.wanted.emit(self._wanted - 1))
        self.more.clicked.connect(lambda: self.wanted.emit(self._wanted + 1))

    def show_state(self, running: int, wanted: int, *, operable: bool) -> None:
        """Say how many run and are wanted."""
        self._wanted = wanted
        self.text.setText(f"{running} of {wanted}")
        self.less.setEnabled(operable and wanted > 1)
        self.more.setEnabled(operable and wanted < self._most)
