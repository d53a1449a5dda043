"""The focus devices: the few whose own curves are drawn. Found by typing part of an id."""

from PySide6.QtCore import QEvent, QObject, QStringListModel, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListView, QVBoxLayout, QWidget

from desktop.model.palette import GRID
from desktop.qtmodels.monitor import MAX_FOCUS, Monitor
from desktop.qtmodels.theme import ThemeController
from desktop.views.widgets.elided_items import elide_items
from desktop.views.widgets.figure import Elided
from desktop.views.widgets.menu_button import IconButton
from desktop.views.widgets.roles import label, set_role

SEARCH_MS = 120
SHOWN = 6


class _FocusRow(QWidget):
    def __init__(self, device_id: str, *, monitor: Monitor, theme: ThemeController) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        self.text = Elided(device_id)
        row.addWidget(self.text, 1)
        self.remove = IconButton(theme=theme, name="close", words=f"Take {device_id} out of focus", size=14)
        self.remove.clicked.connect(lambda: monitor.remove_focus(device_id))
        row.addWidget(self.remove)


class FocusList(QWidget):
    """Rows of focus devices over a search field with its suggestions."""

    def __init__(self, *, monitor: Monitor, theme: ThemeController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._monitor = monitor
        self._theme = theme
        self._rows: list[_FocusRow] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Add a device …")
        self.search.setAccessibleName("Search a device to put into focus")
        self.search.setClearButtonEnabled(False)
        self.search.installEventFilter(self)
        self._found = QStringListModel(self)
        self.results = set_role(QListView(), "popup")
        self.results.setModel(self._found)
        self.results.setUniformItemSizes(True)
        self.results.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        elide_items(self.results)
        self.results.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.results.setAccessibleName("Devices found")
        self.results.hide()
        self.hint = label("", "caption", wrap=True)
        self.hint.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addLayout(self._list)
        layout.addWidget(self.search)
        layout.addWidget(self.results)
        layout.addWidget(self.hint)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SEARCH_MS)
        self._timer.timeout.connect(self._look)
        self.search.textEdited.connect(lambda _: self._timer.start())
        self.search.returnPressed.connect(self._take_current)
        self.results.clicked.connect(lambda index: self._take(str(index.data())))
        monitor.focus_changed.connect(self._rebuild)
        monitor.attached.connect(self._offer)
        self._rebuild()

    def _rebuild(self, _: object = None) -> None:
        for row in self._rows:
            self._list.removeWidget(row)
            row.deleteLater()
        self._rows = [_FocusRow(d, monitor=self._monitor, theme=self._theme) for d in self._monitor.focus]
        for row in self._rows:
            self._list.addWidget(row)
        full = len(self._rows) >= MAX_FOCUS
        self.search.setEnabled(not full)
        self.search.setPlaceholderText(f"Maximum {MAX_FOCUS} devices" if full else "Add a device …")

    def _offer(self) -> None:
        self.search.setEnabled(len(self._rows) < MAX_FOCUS)

    def _look(self) -> None:
        found = self._monitor.search(self.search.text().strip(), 50) if self.search.hasFocus() or self.search.text() else []
        self._found.setStringList(found)
        self.results.setVisible(bool(found))
        if found:
            height = self.results.sizeHintForRow(0)
            self.results.setFixedHeight(height * min(len(found), SHOWN) + 4)
            self.results.setCurrentIndex(self._found.index(0, 0))
        text = self.search.text().strip()
        self.hint.setText("No device of that name has reported." if text else "")
        self.hint.setVisible(bool(text) and not found)

    def _take_current(self) -> None:
        self._timer.stop()
        self._look()
        index = self.results.currentIndex()
        if index.isValid():
            self._take(str(index.data()))

    def _take(self, device_id: str) -> None:
        self._monitor.add_focus(device_id)
        self.search.clear()
        self._close()

    def _close(self) -> None:
        self._timer.stop()
        self.results.hide()
        self.hint.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if watched is self.search:
            if event.type() == QEvent.Type.FocusIn:
                self._timer.start()
            elif event.type() == QEvent.Type.FocusOut:
                # After a click on a result was taken.
                QTimer.singleShot(0, self, self._close_if_left)
            elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
                step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
                if step and self.results.isVisible():
                    row = min(max(self.results.currentIndex().row() + step, 0), self._found.rowCount() - 1)
                    self.results.setCurrentIndex(self._found.index(row, 0))
                    return True
                if event.key() == Qt.Key.Key_Escape:
                    self.search.clear()
                    self._close()
                    return True
        return super().eventFilter(watched, event)

    def _close_if_left(self) -> None:
        if not self.search.hasFocus():
            self._close()
