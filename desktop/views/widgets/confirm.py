"""One question before something that cannot be undone."""

from PySide6.QtWidgets import QMessageBox, QWidget


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
    box.setText(question)
    box.setInformativeText(at_stake)
    yes = box.addButton(button, QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole))
    box.exec()
    return box.clickedButton() is yes
