"""Toasts: for what the user did not see happen. At most three; an error stays until it is dismissed."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.model.notifications import Level, Notification, Notifications
from desktop.model.palette import GAP, GAP_LARGE, GAP_SMALL
from desktop.qtmodels.theme import ThemeController
from desktop.views.widgets.menu_button import IconButton
from desktop.views.widgets.roles import label, set_role
from desktop.views.widgets.signs import StateSign

SHOW_MS: Final = 8000
MOST: Final = 3
WIDTH: Final = 360
#: Above the status bar and what stands at the foot of a page: a legend, buttons.
CLEAR: Final = 96
SIGNS: Final = {Level.INFO: "running", Level.WARNING: "degraded", Level.ERROR: "failed"}


class _Toast(QFrame):
    """Signals: page_wanted(str): the key of a page."""

    page_wanted = Signal(str)

    def __init__(self, entry: Notification, *, theme: ThemeController, parent: QWidget) -> None:
        super().__init__(parent)
        set_role(self, "toast")
        self.number, self.page, self.stays = entry.number, entry.page, entry.level is Level.ERROR
        self.setFixedWidth(WIDTH)
        self.text = label("", wrap=True)
        close = IconButton(theme=theme, name="close", words="Dismiss", size=14)
        close.clicked.connect(self.close)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, GAP_SMALL, GAP_SMALL, GAP_SMALL)
        row.setSpacing(GAP_SMALL)
        row.addWidget(StateSign(theme=theme, state=SIGNS[entry.level]), 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(GAP_SMALL)
        column.addWidget(self.text)
        self._details = entry.details
        if entry.details:
            copy = set_role(QPushButton("Copy details"), "link")
            copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(f"{self.text.text()}\n\n{self._details}"))
            column.addWidget(copy, 0, Qt.AlignmentFlag.AlignLeft)
        if entry.page:
            show = set_role(QPushButton("Show"), "link")
            show.clicked.connect(lambda: self.page_wanted.emit(entry.page))
            show.clicked.connect(self.close)
            column.addWidget(show, 0, Qt.AlignmentFlag.AlignLeft)
        row.addLayout(column, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.update_from(entry)
        if not self.stays:
            timer = QTimer(self)
            timer.setSingleShot(True)
            timer.timeout.connect(self.close)
            timer.start(SHOW_MS)

    def update_from(self, entry: Notification) -> None:
        """The same again."""
        self._details = entry.details
        self.text.setText(entry.text + (f" ({entry.count} times)" if entry.count > 1 else ""))
        self.setAccessibleName(self.text.text())


class Toaster(QWidget):
    """Stands at the bottom right over its host, as large as its toasts; takes notifications from any thread.

    Signals:
        page_wanted(str): the key of the page where there is more of one.
    """

    page_wanted = Signal(str)
    _came = Signal(object)

    def __init__(self, *, notifications: Notifications, theme: ThemeController, host: QWidget) -> None:
        super().__init__(host)
        self._theme = theme
        self._host = host
        self._toasts: list[_Toast] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GAP_SMALL)
        self._came.connect(self._show)
        self._unsubscribe = notifications.subscribe(self._came.emit)
        host.installEventFilter(self)
        self.hide()

    def closing(self) -> None:
        """No notification is taken any more."""
        self._unsubscribe()

    def seen(self, page: str) -> None:
        """The user is on that page, where there is more of what some toasts tell: those go."""
        for toast in [t for t in self._toasts if t.page == page and not t.stays]:
            toast.close()

    def _show(self, entry: Notification) -> None:
        for toast in self._toasts:
            if toast.number == entry.number:
                toast.update_from(entry)
                self._place()
                return
        if entry.count > 1:
            return  # dismissed before; it stays in the list
        toast = _Toast(entry, theme=self._theme, parent=self)
        toast.destroyed.connect(self._place)
        toast.page_wanted.connect(self.page_wanted)
        self._toasts.append(toast)
        self._column.addWidget(toast)
        while len(self._toasts) > MOST:
            self._toasts.pop(0).close()
        toast.installEventFilter(self)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if watched is self._host and event.type() == QEvent.Type.Resize:
            self._place()
        elif event.type() == QEvent.Type.Close and isinstance(watched, _Toast):
            self._toasts = [t for t in self._toasts if t is not watched]
        return False

    def _place(self) -> None:
        self.setVisible(bool(self._toasts))
        if not self._toasts:
            return
        height = sum(t.heightForWidth(WIDTH) if t.hasHeightForWidth() else t.sizeHint().height() for t in self._toasts)
        height += GAP_SMALL * (len(self._toasts) - 1)
        self.setGeometry(self._host.width() - WIDTH - GAP_LARGE, self._host.height() - height - CLEAR, WIDTH, height)
        self.raise_()
