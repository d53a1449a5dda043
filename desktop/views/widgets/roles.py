"""Styling by role: widgets name what they are, the style sheet says how that looks."""

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from desktop.model.plain_text import breakable, unbroken

W = TypeVar("W", bound=QWidget)


def set_role(widget: W, role: str) -> W:
    """Give `widget` the dynamic property `role` and restyle it. Returns the widget."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        style = widget.style()
        style.unpolish(widget)
        style.polish(widget)
    return widget


class WrappingLabel(QLabel):
    """Text in as many lines as it takes; a word that is too long for one is broken."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(text)

    def text(self) -> str:
        return unbroken(super().text())

    def setText(self, text: str) -> None:  # noqa: N802 - Qt's name
        super().setText(breakable(text))


def label(text: str = "", role: str = "", *, wrap: bool = False) -> QLabel:
    """A label of plain text: what services say is never taken as markup."""
    result = WrappingLabel(text) if wrap else QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setWordWrap(wrap)
    if role:
        set_role(result, role)
    return result


def hairline(*, vertical: bool = False) -> QFrame:
    """A line of one pixel."""
    return set_role(QFrame(), "vline" if vertical else "hairline")
