"""The one question before something that cannot be undone."""

import pytest
from PySide6.QtWidgets import QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from desktop.views.widgets.confirm import confirmed


@pytest.mark.parametrize(("pressed", "answer"), [("Remove", True), ("Cancel", False)])
def test_only_its_own_button_carries_it_out(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, pressed: str, answer: bool) -> None:
    asked: list[tuple[str, str, str]] = []

    def press(box: QMessageBox) -> int:
        default = box.defaultButton()
        asked.append((box.text(), box.informativeText(), default.text() if default is not None else ""))
        next(b for b in box.buttons() if b.text() == pressed).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", press)
    parent = QWidget()
    qtbot.addWidget(parent)
    assert confirmed(parent, "Remove v2?", at_stake="Its file.", button="Remove") is answer
    assert asked == [("Remove v2?", "Its file.", "Cancel")], "Enter does nothing that cannot be undone"
