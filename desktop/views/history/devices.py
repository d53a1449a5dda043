"""Choosing devices: search in what paai has stored, page by page; the chosen ones are chips."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLayout,
    QLayoutItem,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from backend.contract.devices import BY_SENSOR, DEVICE_TYPES
from desktop.model.figures import plural, thousands
from desktop.model.palette import GAP_SMALL
from desktop.model.plain_text import button_text, tool_tip
from desktop.plots.figures import elide_middle
from desktop.qtmodels.tasks import RunTask
from desktop.views.widgets.elided_items import elide_items
from desktop.views.widgets.roles import label, set_role

PAGE_SIZE: Final = 100
SEARCH_DELAY_MS: Final = 200
#: paai answers for any number; a table of more rows than this helps nobody.
MAX_CHOSEN: Final = 1000
#: Chips beyond these are counted instead.
MAX_CHIPS: Final = 6


class DeviceRow(Protocol):
    """A stored device, as paai lists it."""

    @property
    def device_id(self) -> str: ...
    @property
    def sensor(self) -> str: ...
    @property
    def count(self) -> int: ...


class DevicePage(Protocol):
    """A page of the list; `next` is where the next one begins."""

    @property
    def devices(self) -> Sequence[DeviceRow]: ...
    @property
    def next(self) -> str | None: ...


#: sensor, prefix, after → a page. Blocking.
LoadPage = Callable[[str | None, str, str | None], DevicePage]


class DevicePicker(QWidget):
    """Search, results, chips.

    Attributes:
        chosen: Device ids, in the order in which they were chosen.
        results: What paai has that fits.

    Signals:
        changed(): another choice.
    """

    changed = Signal()

    def __init__(self, *, load: LoadPage, run_task: RunTask, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._load, self._run_task = load, run_task
        self.chosen: list[str] = []
        self._next: str | None = None
        self._wanted = PAGE_SIZE
        self._asked = 0  # an answer to an earlier question is dropped
        self.sensor = QComboBox()
        self.sensor.setAccessibleName("Sensor")
        self.sensor.addItem("All sensors", None)
        for each in DEVICE_TYPES:
            self.sensor.addItem(each.label, each.sensor)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Device id begins with …")
        self.search.setAccessibleName("Search devices")
        self.search.setClearButtonEnabled(True)
        self.results = QListWidget()
        self.results.setAccessibleName("Stored devices")
        elide_items(self.results)
        self.message = label(role="muted", wrap=True)
        self.more = set_role(QPushButton("More"), "link")
        self.add_all = set_role(QPushButton("All listed"), "link")
        self.clear = set_role(QPushButton("Clear"), "link")
        self.chips = ChipRow()
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(SEARCH_DELAY_MS)
        self._lay_out()
        self._delay.timeout.connect(self.reload)
        self.search.textChanged.connect(lambda _: self._delay.start())
        self.sensor.currentIndexChanged.connect(lambda _: self.reload())
        self.results.itemChanged.connect(self._item_changed)
        self.more.clicked.connect(self._load_more)
        self.add_all.clicked.connect(self._choose_all)
        self.clear.clicked.connect(lambda: self.set_chosen([]))
        self.chips.removed.connect(lambda d: self.set_chosen([c for c in self.chosen if c != d]))
        self.set_chosen([])

    def _lay_out(self) -> None:
        links = QHBoxLayout()
        links.setContentsMargins(0, 0, 0, 0)
        for link in (self.add_all, self.more):
            links.addWidget(link)
        links.addStretch(1)
        links.addWidget(self.clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_SMALL)
        for widget in (label("DEVICES", "heading"), self.sensor, self.search):
            layout.addWidget(widget)
        layout.addWidget(self.results, 1)
        layout.addWidget(self.message)
        layout.addLayout(links)
        layout.addWidget(self.chips)

    @property
    def sensor_name(self) -> str | None:
        """The sensor filter, or None for all."""
        name: str | None = self.sensor.currentData()
        return name

    def set_chosen(self, device_ids: Sequence[str]) -> None:
        """Choose exactly these."""
        self.chosen = list(dict.fromkeys(device_ids))[:MAX_CHOSEN]
        self.chips.show_ids(self.chosen)
        self.clear.setVisible(bool(self.chosen))
        self._check_items()
        self.changed.emit()

    def reload(self) -> None:
        """Ask paai for the first devices that fit."""
        self._wanted = PAGE_SIZE
        self._ask(None)

    def _load_more(self) -> None:
        if self._next is not None:
            self._wanted = self.results.count() + PAGE_SIZE
            self._ask(self._next)

    def _ask(self, after: str | None) -> None:
        self._asked += 1
        number, sensor, prefix = self._asked, self.sensor_name, self.search.text().strip()
        if after is None:
            self.message.setText("Looking …")
            self.message.show()

        def done(page: DevicePage) -> None:
            if number == self._asked:
                self._show_page(page, append=after is not None)
                # paai ends a page early rather than answer late: go on until there is a list worth reading.
                if page.next is not None and self.results.count() < self._wanted and page.next != after:
                    self._ask(page.next)

        def failed(error: Exception) -> None:
            if number == self._asked:
                self.message.setText(f"The list of devices could not be read. {error}")
                self.message.show()

        self._run_task(lambda: self._load(sensor, prefix, after), done, failed)

    def _show_page(self, page: DevicePage, *, append: bool) -> None:
        self.results.blockSignals(True)
        if not append:
            self.results.clear()
        known = {self.results.item(i).data(Qt.ItemDataRole.UserRole) for i in range(self.results.count())}
        for device in page.devices:
            if device.device_id in known:
                continue
            known.add(device.device_id)
            item = QListWidgetItem(device.device_id)
            item.setData(Qt.ItemDataRole.UserRole, device.device_id)
            kind = BY_SENSOR.get(device.sensor)
            stored = f"{kind.label if kind else device.sensor}, {thousands(device.count)} readings stored"
            item.setToolTip(tool_tip(f"{device.device_id}\n{stored}"))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if device.device_id in self.chosen else Qt.CheckState.Unchecked)
            self.results.addItem(item)
        self.results.blockSignals(False)
        self._next = page.next
        self.more.setVisible(self._next is not None)
        none = self.results.count() == 0
        self.add_all.setVisible(not none)
        self.message.setVisible(none)
        self.message.setText("No matching devices. Clear the search, or wait until devices have sent readings.")

    def _item_changed(self, item: QListWidgetItem) -> None:
        device_id: str = item.data(Qt.ItemDataRole.UserRole)
        if item.checkState() == Qt.CheckState.Checked:
            self.set_chosen([*self.chosen, device_id])
        else:
            self.set_chosen([c for c in self.chosen if c != device_id])

    def _choose_all(self) -> None:
        listed = [self.results.item(i).data(Qt.ItemDataRole.UserRole) for i in range(self.results.count())]
        self.set_chosen([*self.chosen, *listed])

    def _check_items(self) -> None:
        chosen = set(self.chosen)
        self.results.blockSignals(True)
        for i in range(self.results.count()):
            item = self.results.item(i)
            on = item.data(Qt.ItemDataRole.UserRole) in chosen
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.results.blockSignals(False)


class ChipRow(QWidget):
    """The chosen ids, each with a cross.

    Signals:
        removed(str): the cross of this id.
    """

    removed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._flow = FlowLayout(self)

    def show_ids(self, device_ids: Sequence[str]) -> None:
        """Show these; beyond `MAX_CHIPS` the rest is counted."""
        while (item := self._flow.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for device_id in device_ids[:MAX_CHIPS]:
            chip = set_role(QToolButton(), "chip")
            chip.setText(button_text(f"{elide_middle(device_id, 11)} ×"))
            chip.setToolTip(tool_tip(f"Remove {device_id}"))
            chip.setAccessibleName(f"Remove {device_id} from the choice")
            chip.clicked.connect(lambda _=False, d=device_id: self.removed.emit(d))
            self._flow.addWidget(chip)
        rest = len(device_ids) - MAX_CHIPS
        if rest > 0:
            self._flow.addWidget(label(f"and {plural(rest, 'more', 'more')}", "muted"))
        self.updateGeometry()


class FlowLayout(QLayout):
    """Lays widgets out in lines, like words."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(4)

    def addItem(self, item: QLayoutItem, /) -> None:  # noqa: N802
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int, /) -> QLayoutItem | None:  # noqa: N802
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int, /) -> QLayoutItem | None:  # noqa: N802
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        return True

    def heightForWidth(self, width: int, /) -> int:  # noqa: N802
        return self._place(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect, /) -> None:  # noqa: N802
        super().setGeometry(rect)
        self._place(rect, move=True)

    def sizeHint(self) -> QSize:  # noqa: N802
        return self.minimumSize()

    def minimumSize(self) -> QSize:  # noqa: N802
        size = QSize(0, 0)
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _place(self, rect: QRect, *, move: bool) -> int:
        x, y, line = rect.x(), rect.y(), 0
        for item in self._items:
            hint = item.sizeHint()
            if x > rect.x() and x + hint.width() > rect.x() + rect.width():
                x, y, line = rect.x(), y + line + self.spacing(), 0
            if move:
                item.setGeometry(QRect(QPoint(x, y), hint))
            x += hint.width() + self.spacing()
            line = max(line, hint.height())
        return y + line - rect.y()
