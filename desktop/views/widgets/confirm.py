"""One question before something that cannot be undone."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QMessageBox, QSizePolicy, QSpacerItem, QWidget

#: So that its title can be read: Qt makes it as wide as its text only.
_LEAST_PX: Final = 380


def confirmed(parent: QWidget, question: str, *, at_stake: str, button: str) -> bool:
    """Whether the user wants it.

    Args:
        parent: Whose dialog it is.
        question: "Remove v2?"
        at_stake: What goes, or happens.
        button: What carries it out: "Remove".
    """
    box = QMessageBox(parent)
    box.setWindowTitle(question)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(question)
    box.setInformativeText(at_stake)
    yes = box.addButton(button, QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole))
    layout = box.layout()
    if isinstance(layout, QGridLayout):
        spacer = QSpacerItem(_LEAST_PX, 0, QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Minimum)
        layout.addItem(spacer, layout.rowCount(), 0, 1, layout.columnCount())
    box.exec()
    return box.clickedButton() is yes
