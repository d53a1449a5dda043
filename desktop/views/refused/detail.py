"""The chosen refusal in full: where, why, and its bytes as text or hex, to be copied."""

from PySide6.QtGui import QGuiApplication, QTextOption
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from desktop.model.palette import GAP, GAP_SMALL, GRID
from desktop.model.refused.words import as_hex, as_text
from desktop.qtmodels.theme import ThemeController
from desktop.views.widgets.figure import Elided
from desktop.views.widgets.menu_button import IconButton
from desktop.views.widgets.roles import label, set_role


class RefusalDetail(QFrame):
    """Its height does not depend on what it shows, so that the table above never jumps.

    Args:
        theme: For the icon.
        hint: What stands here while nothing is chosen.
        with_hex: Whether the bytes themselves are known, not only their printable form.
    """

    def __init__(self, *, theme: ThemeController, hint: str, with_hex: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "panel")
        self._hint = hint
        self._value: bytes | None = None
        self.title = Elided(role="strong")
        self.reason = label("", "muted", wrap=True)
        self.bytes = set_role(QPlainTextEdit(), "log")
        self.bytes.setReadOnly(True)
        self.bytes.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.bytes.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self.bytes.document().setDocumentMargin(GAP_SMALL)
        self.bytes.setAccessibleName("Bytes")
        self.bytes.setTabChangesFocus(True)
        self.as_text, self.as_hex = _segment("Text"), _segment("Hex")
        self.as_text.setChecked(True)
        group = QButtonGroup(self)
        for button in (self.as_text, self.as_hex):
            group.addButton(button)
            button.setVisible(with_hex)
        group.buttonToggled.connect(lambda *_: self._show_bytes())
        self.copy = IconButton(theme=theme, name="copy", words="Copy the bytes as shown")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.bytes.toPlainText()))
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self.title, 1)
        for widget in (self.as_text, self.as_hex, self.copy):
            head.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP_SMALL, GAP, GAP)
        layout.setSpacing(GRID)
        layout.addLayout(head)
        layout.addWidget(self.reason)
        layout.addWidget(self.bytes, 1)
        self.show_nothing()

    def show_nothing(self) -> None:
        """Nothing is chosen."""
        self._fill("", self._hint, None, "")

    def show_refusal(self, title: str, reason: str, value: bytes | None, nothing: str) -> None:
        """Show one.

        Args:
            title: Where it is.
            reason: Why it was refused.
            value: Its bytes; None when there are none.
            nothing: Stands in their place then.
        """
        self._fill(title, reason, value, nothing)

    def _fill(self, title: str, reason: str, value: bytes | None, nothing: str) -> None:
        self._value = value
        self.title.set_text(title)
        self.reason.setText(reason)
        self.bytes.setPlaceholderText(nothing)
        for button in (self.as_text, self.as_hex, self.copy):
            button.setEnabled(value is not None)
        self._show_bytes()

    def _show_bytes(self) -> None:
        value = self._value or b""
        text = as_hex(value) if self.as_hex.isChecked() else as_text(value)
        if text != self.bytes.toPlainText():
            self.bytes.setPlainText(text)


def _segment(text: str) -> QToolButton:
    button = set_role(QToolButton(), "segment")
    button.setText(text)
    button.setCheckable(True)
    return button
