"""A number with decimals that takes both decimal signs, whatever the language of the system is."""

import re
from typing import Final

from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox

_SPACES: Final = str.maketrans("", "", " \u00a0\u2009\u202f")


class DecimalBox(QDoubleSpinBox):
    """Reads ``0.5`` and ``0,5`` as the same number. Thousands separators are refused as they are typed: they look the same."""

    def textFromValue(self, value: float) -> str:  # noqa: N802 - Qt's names, from here on
        return f"{value:.{self.decimals()}f}"  # as every other figure in the window

    def valueFromText(self, text: str) -> float:  # noqa: N802
        plain = self._plain(text)
        return float(plain) if plain.strip(".") else self.minimum()

    def validate(self, text: str, pos: int) -> tuple[QValidator.State, str, int]:
        plain = self._plain(text)
        if not re.fullmatch(rf"[0-9]*(\.[0-9]{{0,{self.decimals()}}})?", plain):
            return QValidator.State.Invalid, text, pos
        if not plain.strip("."):
            return QValidator.State.Intermediate, text, pos
        value = float(plain)
        if value > self.maximum():
            return QValidator.State.Invalid, text, pos
        return QValidator.State.Acceptable if value >= self.minimum() else QValidator.State.Intermediate, text, pos

    def _plain(self, text: str) -> str:
        """The number as Python reads it."""
        return text.removesuffix(self.suffix()).translate(_SPACES).replace(",", ".")
