"""The base of all pages: title, hooks, tracked connections, and the three designed states."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from PySide6.QtCore import QMetaObject, QObject, Signal, SignalInstance
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from desktop.model.notifications import Notifications
from desktop.model.palette import Palette
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.tasks import RunTask
from desktop.qtmodels.theme import ThemeController
from desktop.settings import Settings
from desktop.views.widgets.state_panel import RETRY, Banner, StatePanel


@dataclass(frozen=True, slots=True)
class PageContext:
    """What every page may use. Built once, by app.py."""

    monitor: Monitor
    theme: ThemeController
    settings: Settings
    run_task: RunTask
    notifications: Notifications


class Page(QWidget):
    """One page of the window.

    A subclass sets the class attributes, builds its widgets in `__init__` and passes the outermost to `set_body`. Shortcuts
    are QActions given to `addAction`; the window lists those with a text on its shortcut sheet.

    Attributes:
        key: Stable name, for settings and the command line.
        title: On the rail and for screen readers.
        icon: A key of `icons.SHAPES`.
        needs_system: While nothing runs, the start page stands in its place.
        shows_fleet: The fleet panel stands at its left.

    Signals:
        wanted(str, object): go to the page with this key; what to show there is given to its `open_at`, unless None.
        badged(int, str): so many things wait on this page, in words; 0 for none.
    """

    wanted = Signal(str, object)
    badged = Signal(int, str)

    key: ClassVar[str] = ""
    title: ClassVar[str] = ""
    icon: ClassVar[str] = "more"
    needs_system: ClassVar[bool] = True
    shows_fleet: ClassVar[bool] = False

    def __init__(self, *, context: PageContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.setAccessibleName(self.title)
        self._connections: list[QMetaObject.Connection] = []
        self._body: QWidget | None = None
        self._body_seen = False
        self.state_panel = StatePanel(theme=context.theme)
        self.banner = Banner(theme=context.theme)
        self.banner.hide()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.state_panel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.banner)
        layout.addWidget(self._stack, 1)
        self.track(context.theme.changed, self.apply_palette)

    # Hooks

    def controls(self) -> QWidget | None:
        """What stands in the top strip while this page is shown. Asked once."""
        return None

    def shown(self) -> None:
        """The page came into view."""

    def hidden(self) -> None:
        """The page left the view; nothing of it is drawn until `shown`."""

    def open_at(self, what: object) -> None:
        """Another page sent the user here, to see this. The page is shown already; what it does not know it ignores."""

    def export(self) -> None:
        """Ctrl+E: export what the page shows."""

    def apply_palette(self, palette: Palette) -> None:
        """The colours changed. Style sheets follow by themselves; this is for what is painted."""

    def closing(self) -> None:
        """The window closes: drop every tracked connection. Call the base."""
        for connection in self._connections:
            QObject.disconnect(connection)
        self._connections.clear()

    # For subclasses

    def track(self, signal: SignalInstance, slot: Callable[..., Any]) -> None:
        """Connect for the page's lifetime."""
        connection: Any = signal.connect(slot)
        self._connections.append(connection)

    def set_body(self, body: QWidget) -> None:
        """The page's content; shown until a state takes its place."""
        self._body = body
        self._stack.addWidget(body)
        self._stack.setCurrentWidget(body)

    def show_body(self) -> None:
        """Content, without any banner."""
        self.banner.hide()
        if self._body is not None:
            self._body_seen = True
            self._stack.setCurrentWidget(self._body)

    def show_empty(self, title: str, text: str, button: str = "", on_click: Callable[[], None] | None = None) -> None:
        """Nothing to show yet; says what to do next."""
        self.banner.hide()
        self.state_panel.show_empty(title, text, button, on_click)
        self._stack.setCurrentWidget(self.state_panel)

    def show_loading(self, text: str, on_cancel: Callable[[], None] | None = None) -> None:
        """Says what is waited for."""
        self.banner.hide()
        self.state_panel.show_loading(text, on_cancel)
        self._stack.setCurrentWidget(self.state_panel)

    def show_error(
        self,
        what: str,
        why: str = "",
        remedy: str = "",
        on_click: Callable[[], None] | None = None,
        *,
        button: str = RETRY,
    ) -> None:
        """What failed, why, what to do. Content that was shown before stays, under a banner."""
        if self._body is not None and self._body_seen:
            self.banner.show_error(what, why, remedy, on_click, button=button)
            self._stack.setCurrentWidget(self._body)
            return
        self.banner.hide()
        self.state_panel.show_error(what, why, remedy, on_click, button=button)
        self._stack.setCurrentWidget(self.state_panel)
