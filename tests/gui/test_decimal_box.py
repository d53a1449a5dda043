"""Numbers are read the same whatever decimal sign the system's language has."""

from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QValidator
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.views.fleet.type_row import CountBox
from desktop.views.widgets.decimal_box import DecimalBox

DESKTOP = Path(__file__).parents[2] / "desktop"


def box_in(language: str, qtbot: QtBot) -> DecimalBox:
    box = DecimalBox()
    qtbot.addWidget(box)
    box.setLocale(QLocale(language))
    box.setRange(0.1, 3600.0)
    box.setDecimals(1)
    box.setSuffix(" s")
    box.setKeyboardTracking(False)
    box.setValue(1.0)
    box.show()
    return box


@pytest.mark.parametrize("language", ["de_DE", "en_US", "C", "fr_FR", "de_CH", "ar_EG", "hi_IN"])
@pytest.mark.parametrize(
    ("typed", "value"),
    [("0,5", 0.5), ("0.5", 0.5), ("2,0", 2.0), ("12.5", 12.5), (",5", 0.5), ("60", 60.0), ("3600", 3600.0), ("7.", 7.0)],
)
def test_both_decimal_signs_are_understood(qtbot: QtBot, language: str, typed: str, value: float) -> None:
    box = box_in(language, qtbot)
    for suffix in ("", " s"):
        box.setValue(1.0)
        box.lineEdit().selectAll()
        QTest.keyClicks(box.lineEdit(), typed + suffix)
        QTest.keyClick(box, Qt.Key.Key_Return)
        assert box.value() == value
        assert box.text() == f"{value:.1f} s"


@pytest.mark.parametrize("language", ["de_DE", "en_US"])
@pytest.mark.parametrize("text", ["1,000", "1.000", "1,2,3", "1.2.3", "5e1", "-1", "٣", "1,5 m", "4000", "inf", "nan"])
def test_what_could_be_misread_is_refused(qtbot: QtBot, language: str, text: str) -> None:
    box = box_in(language, qtbot)
    state, *_ = box.validate(text, 0)
    assert state is QValidator.State.Invalid


@pytest.mark.parametrize("text", ["", " s", ".", "0", "0,0"])
def test_an_unfinished_number_leaves_what_was_there(qtbot: QtBot, text: str) -> None:
    box = box_in("de_DE", qtbot)
    box.setValue(2.5)
    box.lineEdit().setText(text)
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.value() in (2.5, box.minimum())
    assert box.valueFromText(box.text()) == box.value()


def test_the_reading_interval_is_such_a_box() -> None:
    """So is whatever else takes a number with decimals."""
    uses = [path for path in DESKTOP.rglob("*.py") if "QDoubleSpinBox" in path.read_text() and path.name != "theme.py"]
    assert [path.name for path in uses] == ["decimal_box.py"]


def test_a_superscript_is_no_count(qtbot: QtBot) -> None:
    box = CountBox()
    qtbot.addWidget(box)
    assert box.validate("1²", 0)[0] is QValidator.State.Invalid
    assert box.valueFromText("1²") == 1
