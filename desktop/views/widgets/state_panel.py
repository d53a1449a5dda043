"""The designed states of a page: empty, loading, error; and the banner that says an error over content that stays."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from desktop.model.palette import GAP, GAP_LARGE, GAP_SMALL
from desktop.qtmodels.theme import ThemeController
from desktop.views.icons import pixmap
from desktop.views.widgets.roles import label, set_role

Click = Callable[[], None]

TEXT_WIDTH = 420
RETRY = "Try again"


class StatePanel(QWidget):
    """One thing in the middle of the page: what is, and what to do next."""

    def __init__(self, *, theme: ThemeController, icon: str = "mark", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon = icon
        self._is_error = False
        self._click: Click | None = None
        self.image = QLabel()
        self.image.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title = label(role="subtitle", wrap=True)
        self.text = label(role="muted", wrap=True)
        for each in (self.title, self.text):
            each.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.progress = QProgressBar()
        self.progress.setRange(0, 0)
        self.progress.setFixedWidth(200)
        self.progress.setTextVisible(False)
        self.button = QPushButton()
        self.button.clicked.connect(self._clicked)
        layout = QVBoxLayout(self)
        layout.setSpacing(GAP)
        layout.addStretch(2)
        # A column of fixed width: the height of wrapped text is only known for a known width.
        column = QWidget()
        column.setFixedWidth(TEXT_WIDTH)
        rows = QVBoxLayout(column)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GAP)
        for widget in (self.image, self.title, self.text):
            rows.addWidget(widget)
        for control in (self.progress, self.button):
            rows.addWidget(control, 0, Qt.AlignmentFlag.AlignHCenter)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(column)
        middle.addStretch(1)
        layout.addLayout(middle)
        layout.addStretch(3)
        theme.changed.connect(self._recolour)
        self.show_empty("", "")

    def show_empty(self, title: str, text: str, button: str = "", on_click: Click | None = None) -> None:
        """Nothing there yet."""
        self._set(title, text, button, on_click, primary=True)

    def show_loading(self, text: str, on_cancel: Click | None = None) -> None:
        """Waiting for `text`."""
        self._set("", text, "Cancel" if on_cancel else "", on_cancel, loading=True)

    def show_error(
        self, what: str, why: str = "", remedy: str = "", on_click: Click | None = None, *, button: str = RETRY
    ) -> None:
        """Failed."""
        text = "\n".join(part for part in (why, remedy) if part)
        self._set(what, text, button if on_click else "", on_click, error=True)

    def _set(
        self,
        title: str,
        text: str,
        button: str,
        click: Click | None,
        *,
        primary: bool = False,
        loading: bool = False,
        error: bool = False,
    ) -> None:
        self._is_error, self._click = error, click
        self.title.setText(title)
        self.title.setVisible(bool(title))
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.image.setVisible(not loading)
        self.progress.setVisible(loading)
        self.button.setText(button)
        self.button.setVisible(bool(button))
        set_role(self.button, "primary" if primary else "")
        self._recolour()

    def _recolour(self) -> None:
        palette = self._theme.palette
        name, colour = ("anomalies", palette.bad) if self._is_error else (self._icon, palette.idle)
        self.image.setPixmap(pixmap(name, colour, 40, self.devicePixelRatioF()))

    def _clicked(self) -> None:
        if self._click is not None:
            self._click()


class Banner(QFrame):
    """A line above content that stays: what, why, what to do, and a button."""

    def __init__(self, *, theme: ThemeController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._click: Click | None = None
        set_role(self, "banner")
        self.image = QLabel()
        self.text = label(wrap=True)
        self.button = QPushButton(RETRY)
        self.button.clicked.connect(self._clicked)
        self.dismiss = QPushButton("Dismiss")
        set_role(self.dismiss, "quiet")
        self.dismiss.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_SMALL, GAP_SMALL, GAP_SMALL)
        layout.setSpacing(GAP)
        layout.addWidget(self.image)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.button)
        layout.addWidget(self.dismiss)
        theme.changed.connect(self._recolour)
        self._recolour()

    def show_error(
        self, what: str, why: str = "", remedy: str = "", on_click: Click | None = None, *, button: str = RETRY
    ) -> None:
        """Say it until it is dismissed or done with."""
        self._click = on_click
        self.text.setText(" ".join(part for part in (what, why, remedy) if part))
        self.button.setText(button)
        self.button.setVisible(on_click is not None)
        self.show()

    def _recolour(self) -> None:
        self.image.setPixmap(pixmap("anomalies", self._theme.palette.bad, 18, self.devicePixelRatioF()))

    def _clicked(self) -> None:
        if self._click is not None:
            self._click()
