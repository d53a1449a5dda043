"""Changing the colours of a built window without holding its event loop: a few widgets at a time, those in view first."""

import gc
import time
from typing import Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget
from shiboken6 import isValid

from desktop.model.palette import Palette
from desktop.views import theme as look

#: The event loop is held no longer than this at a time (and one widget more): frames go on being drawn.
SLICE_S: Final = 0.006


class Restyler(QObject):
    """Puts a palette into force for the whole application. Lives on the GUI thread.

    The style sheet is set once. It names roles, which Qt looks up when it polishes a widget: a change of palette therefore
    polishes each widget again. Setting the sheet again would do the same, but to all of them at once. What is in view changes
    together, a few frames later: nothing of it is painted in between.
    """

    def __init__(self, *, app: QApplication, palette: Palette, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._scheme = palette.name
        self._windows: list[QMainWindow] = []
        self._waiting: list[QWidget] = []
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._slice)
        app.setPalette(look.qt_palette(palette))
        app.setStyleSheet(look.sheet())

    @property
    def done(self) -> bool:
        """Whether every widget has the colours in force."""
        return not self._waiting

    @property
    def waiting(self) -> list[QWidget]:
        """Widgets that still have the colours of before; some may be deleted by now."""
        return [w for w in self._waiting if isValid(w)]

    def add_window(self, window: QMainWindow) -> None:
        """Tell `window`, before it is first shown, which pictures go with the colours."""
        self._windows.append(window)
        window.setProperty("scheme", self._scheme)

    def set_palette(self, palette: Palette) -> None:
        """Restyle what is built; widgets built from now on have the new colours at once."""
        self._app.setPalette(look.qt_palette(palette))
        self._scheme = palette.name
        for window in self._windows:
            window.setProperty("scheme", self._scheme)
        for window in self._windows:
            # A window in two schemes at once looks broken, and painting it half-way costs more than the restyling.
            window.setUpdatesEnabled(False)
        self._waiting = all_widgets()
        self._timer.start(0)

    def _slice(self) -> None:
        until = time.monotonic() + SLICE_S
        # What came into view since the last slice is next: nobody sees a page in the old colours for long.
        waiting = self.waiting
        waiting.sort(key=lambda w: not w.isVisible())
        done = 0
        for widget in waiting:
            widget.style().polish(widget)
            widget.update()
            done += 1
            if time.monotonic() >= until:
                break
        self._waiting = waiting[done:]
        if not any(w.isVisible() for w in self._waiting):
            for window in self._windows:
                if not window.updatesEnabled():
                    window.setUpdatesEnabled(True)
        if not self._waiting:
            self._timer.stop()


def all_widgets() -> list[QWidget]:
    """Every widget of the application.

    PySide makes a Python object for one after the other. Python's cyclic garbage collection, should it begin meanwhile, may
    delete a closed window whose turn has not come yet, and PySide then reads freed memory: it waits until all are there.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return QApplication.allWidgets()
    finally:
        if collects:
            gc.enable()
