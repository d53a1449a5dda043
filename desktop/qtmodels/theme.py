"""Which colours are in force: the system's choice, followed live, or the user's own."""

from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QStyleHints

from desktop.model.palette import DARK, LIGHT, Palette

CHOICES: Final = ("system", "light", "dark")


class ThemeController(QObject):
    """Says which palette is in force. Lives on the GUI thread.

    Signals:
        changed(Palette): after the palette in force became another one.
    """

    changed = Signal(object)

    def __init__(self, *, hints: QStyleHints, choice: str = "system", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hints = hints
        self._choice = "system"
        self._palette = LIGHT
        self.set_choice(choice)
        hints.colorSchemeChanged.connect(self._follow)

    @property
    def palette(self) -> Palette:
        """The palette in force."""
        return self._palette

    @property
    def choice(self) -> str:
        """One of `CHOICES`."""
        return self._choice

    def set_choice(self, choice: str) -> None:
        """Follow the system, or not."""
        self._choice = choice if choice in CHOICES else "system"
        # Also told to the platform, so that window frames and native dialogs match.
        if self._choice == "system":
            self._hints.unsetColorScheme()
        else:
            self._hints.setColorScheme(Qt.ColorScheme.Dark if self._choice == "dark" else Qt.ColorScheme.Light)
        self._follow()

    def _follow(self) -> None:
        if self._choice == "system":
            wanted = DARK if self._hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT
        else:
            wanted = DARK if self._choice == "dark" else LIGHT
        if wanted is not self._palette:
            self._palette = wanted
            self.changed.emit(wanted)
