"""The device search: type a part of an id, Enter puts the device into focus."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from desktop.model.palette import GAP_SMALL
from desktop.model.plain_text import tool_tip
from desktop.plots.figures import elide_middle
from desktop.views.widgets.elided_items import elide_items
from desktop.views.widgets.roles import label, set_role

Search = Callable[[str], list[str]]

_WIDTH_PX = 300
_ROWS_PX = 240


class FindPopup(QFrame):
    """A line and what fits it.

    Attributes:
        line: Where the user types.
        results: Ids that fit.

    Signals:
        chosen(str): a device id.
    """

    chosen = Signal(str)

    def __init__(self, *, search: Search, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._search = search
        set_role(self, "card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.line = QLineEdit()
        self.line.setPlaceholderText("Device id, or a part of it")
        self.line.setAccessibleName("Find a device")
        self.line.setClearButtonEnabled(True)
        self.line.textChanged.connect(self._look)
        self.line.installEventFilter(self)
        self.results = QListWidget()
        self.results.setAccessibleName("Devices found")
        self.results.setFixedHeight(_ROWS_PX)
        elide_items(self.results)
        self.results.itemClicked.connect(self._take)
        self.none = label(role="muted", wrap=True)
        self.hint = label("↑ ↓ choose · Enter adds to focus · Esc closes", "caption")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_SMALL, GAP_SMALL, GAP_SMALL, GAP_SMALL)
        layout.setSpacing(GAP_SMALL)
        for widget in (self.line, self.results, self.none, self.hint):
            layout.addWidget(widget)
        self.setFixedWidth(_WIDTH_PX)

    def open_at(self, place: QPoint) -> None:
        """Show with its top right corner there (screen coordinates)."""
        self.line.clear()
        self._look("")
        self.adjustSize()
        self.move(place - QPoint(self.width(), 0))
        self.show()
        self.line.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if watched is self.line and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                step = 1 if event.key() == Qt.Key.Key_Down else -1
                row = min(max(self.results.currentRow() + step, 0), self.results.count() - 1)
                self.results.setCurrentRow(row)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                item = self.results.currentItem()
                if item is not None:
                    self._take(item)
                return True
        return super().eventFilter(watched, event)

    def _look(self, text: str) -> None:
        found = self._search(text.strip())
        self.results.clear()
        for device_id in found:
            item = QListWidgetItem(device_id)
            item.setData(Qt.ItemDataRole.UserRole, device_id)
            item.setToolTip(tool_tip(device_id))
            self.results.addItem(item)
        self.results.setCurrentRow(0 if found else -1)
        self.results.setVisible(bool(found))
        self.none.setVisible(not found)
        part = elide_middle(text.strip(), 24)
        self.none.setText(f"No device seen so far contains “{part}”." if part else "No device seen yet.")

    def _take(self, item: QListWidgetItem) -> None:
        device_id: str = item.data(Qt.ItemDataRole.UserRole)
        self.hide()
        self.chosen.emit(device_id)
