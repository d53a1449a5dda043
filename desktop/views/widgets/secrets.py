"""Secrets in the window: copied without being shown, shown only where asked for, and not left on the clipboard."""

from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from desktop.model.palette import GAP_SMALL
from desktop.views.widgets.roles import label, set_role

#: So long a copied secret stays on the clipboard, unless something else was copied.
CLIPBOARD_S: Final = 60
MASK: Final = "••••••••••••"


def copy_secret(secret: str) -> None:
    """Put `secret` on the clipboard for `CLIPBOARD_S`."""
    clipboard = QGuiApplication.clipboard()
    clipboard.setText(secret)

    def forget() -> None:
        if clipboard.text() == secret:
            clipboard.clear()

    QTimer.singleShot(round(CLIPBOARD_S * 1000), clipboard, forget)


class SecretField(QWidget):
    """A secret behind dots, with buttons to show and to copy it."""

    def __init__(self, secret: str, *, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._secret = secret
        self.text = label(MASK)
        self.show_button = set_role(QPushButton("Show"), "link")
        self.show_button.setAccessibleName(f"Show the {words}")
        self.show_button.clicked.connect(self._toggle)
        self.copy_button = set_role(QPushButton("Copy"), "link")
        self.copy_button.setAccessibleName(f"Copy the {words}")
        self.copy_button.clicked.connect(lambda: copy_secret(secret))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP_SMALL)
        row.addWidget(self.text, 1)
        row.addWidget(self.show_button)
        row.addWidget(self.copy_button)

    def _toggle(self) -> None:
        shown = self.text.text() != MASK
        self.text.setText(MASK if shown else self._secret)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.NoTextInteraction if shown else Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self.show_button.setText("Show" if shown else "Hide")
