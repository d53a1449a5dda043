"""The rail at the left: one button a page, and a menu at its foot."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from desktop.model.palette import GAP, GAP_SMALL, GRID
from desktop.model.plain_text import tool_tip
from desktop.qtmodels.theme import ThemeController
from desktop.views.icons import icon, pixmap
from desktop.views.page import Page
from desktop.views.widgets.menu_button import IconButton
from desktop.views.widgets.roles import set_role

WIDTH = 76


class NavRail(QFrame):
    """Signals: chosen(int): index of the page wanted."""

    chosen = Signal(int)

    def __init__(self, *, pages: Sequence[Page], theme: ThemeController, menu: QMenu, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "rail")
        self._theme = theme
        self.setFixedWidth(WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GAP, GRID, GAP_SMALL)
        layout.setSpacing(GRID)
        self._mark = QLabel()
        self._mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._mark.setFixedHeight(28)
        layout.addWidget(self._mark)
        layout.addSpacing(GAP)
        self._group = QButtonGroup(self)
        self._buttons: list[tuple[QToolButton, str]] = []
        for i, page in enumerate(pages):
            button = set_role(QToolButton(), "nav")
            button.setText(page.title)
            button.setCheckable(True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setIconSize(QSize(22, 22))
            button.setToolTip(f"{page.title}  ·  Ctrl+{i + 1}")
            button.setAccessibleName(f"Page {page.title}")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._group.addButton(button, i)
            self._buttons.append((button, page.icon))
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        self.menu_button = IconButton(theme=theme, name="more", words="Menu", size=22)
        self.menu_button.setMenu(menu)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        layout.addWidget(self.menu_button, 0, Qt.AlignmentFlag.AlignHCenter)
        self._badges = [_badge(button) for button, _ in self._buttons]
        self._group.idClicked.connect(self.chosen)
        theme.changed.connect(self._recolour)
        self._recolour()

    def set_current(self, index: int) -> None:
        """Mark the page shown."""
        button = self._group.button(index)
        if button is not None:
            button.setChecked(True)

    def button(self, index: int) -> QToolButton:
        """The button of a page."""
        return self._buttons[index][0]

    def badge(self, index: int) -> QLabel:
        """The number on it; hidden while there is none."""
        return self._badges[index]

    def set_badge(self, index: int, count: int, words: str) -> None:
        """So many things wait on that page; 0 for none."""
        badge, (button, _) = self._badges[index], self._buttons[index]
        badge.setText(str(count) if count < 100 else "99+")
        badge.setVisible(count > 0)
        badge.adjustSize()
        badge.move(button.width() - badge.width() - 4, 2)
        title = button.text()
        button.setToolTip(tool_tip(f"{title}  ·  Ctrl+{index + 1}" + (f"\n{words}" if count else "")))
        button.setAccessibleDescription(words if count else "")

    def _recolour(self) -> None:
        palette = self._theme.palette
        self._mark.setPixmap(pixmap("mark", palette.accent, 28, self.devicePixelRatioF()))
        for button, name in self._buttons:
            button.setIcon(icon(name, palette.muted, active=palette.accent, size=22))


def _badge(button: QToolButton) -> QLabel:
    """A number on a button's corner."""
    badge = set_role(QLabel(button), "badge")
    badge.setAlignment(Qt.AlignmentFlag.AlignCenter)
    badge.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    badge.hide()
    return badge
