"""Buttons that show one of the program's icons and follow the palette."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

from desktop.model.plain_text import tool_tip
from desktop.qtmodels.theme import ThemeController
from desktop.views.icons import icon


class IconButton(QToolButton):
    """A small button with an icon; its words are for the tooltip and screen readers."""

    def __init__(
        self,
        *,
        theme: ThemeController,
        name: str,
        words: str,
        size: int = 18,
        checkable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name = name
        self.setIconSize(QSize(size, size))
        self._words = words
        self.setToolTip(tool_tip(words))
        self.setAccessibleName(words)
        self.setCheckable(checkable)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        theme.changed.connect(self._recolour)
        self._recolour()

    def set_icon(self, name: str, words: str) -> None:
        """Another icon and other words."""
        if (name, words) != (self._name, self._words):
            self._name, self._words = name, words
            self.setToolTip(tool_tip(words))
            self.setAccessibleName(words)
            self._recolour()

    def _recolour(self) -> None:
        palette = self._theme.palette
        self.setIcon(icon(self._name, palette.muted, active=palette.text, disabled=palette.line))


class WordButton(QPushButton):
    """A push button with an icon before its words."""

    def __init__(self, text: str, *, theme: ThemeController, name: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._theme = theme
        self._name = name
        self.setIconSize(QSize(16, 16))
        theme.changed.connect(self._recolour)
        self._recolour()

    def set_icon(self, name: str) -> None:
        """Another icon."""
        if name != self._name:
            self._name = name
            self._recolour()

    def _recolour(self) -> None:
        palette = self._theme.palette
        primary = self.property("role") == "primary"
        self.setIcon(icon(self._name, palette.on_accent if primary else palette.muted, disabled=palette.idle, size=16))
