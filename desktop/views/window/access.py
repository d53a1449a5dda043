"""Every address of the system with its login, for clients other than this window."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QGridLayout, QPushButton, QVBoxLayout, QWidget

from desktop.model.access import Access
from desktop.model.palette import GAP, GAP_LARGE, GAP_SECTION, GAP_SMALL
from desktop.views.widgets.roles import hairline, label, set_role
from desktop.views.widgets.secrets import CLIPBOARD_S, SecretField


class AccessDialog(QDialog):
    """One row a way in. Secrets are dots until asked for, and dots again when it is opened anew. Not modal."""

    def __init__(self, *, ways: Sequence[Access], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Addresses and logins")
        self.secrets: list[SecretField] = []
        grid = QGridLayout()
        grid.setHorizontalSpacing(GAP_SECTION)
        grid.setVerticalSpacing(GAP_SMALL)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(4, 250)
        for column, head in enumerate(("", "Address", "", "User", "Password or token")):
            grid.addWidget(label(head, "caption"), 0, column)
        for row, way in enumerate(ways, start=1):
            grid.addWidget(label(way.title, "strong"), row, 0)
            address = label(way.address)
            address.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(address, row, 1)
            copy = set_role(QPushButton("Copy"), "link")
            copy.setAccessibleName(f"Copy the address of {way.title}")
            copy.clicked.connect(lambda _=False, text=way.address: QGuiApplication.clipboard().setText(text))
            grid.addWidget(copy, row, 2)
            if way.login is None:
                grid.addWidget(label("none asked for", "muted"), row, 4)
                continue
            grid.addWidget(label(way.login.user or "–"), row, 3)
            secret = SecretField(way.login.secret, words=f"{way.login.kind} of {way.title}")
            self.secrets.append(secret)
            grid.addWidget(secret, row, 4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_SECTION, GAP_LARGE, GAP_SECTION, GAP_LARGE)
        layout.setSpacing(GAP)
        layout.addLayout(grid)
        layout.addWidget(hairline())
        layout.addWidget(label(f"What is copied of the last column leaves the clipboard after {CLIPBOARD_S} s.", "caption"))
