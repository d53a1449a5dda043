"""The history page: choose devices and a time frame, run, read the table."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtCore import QSortFilterProxyModel, Qt
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QTableView, QVBoxLayout, QWidget

from desktop.model.figures import plural
from desktop.model.moment import Moment
from desktop.model.palette import GAP, GAP_LARGE, Palette
from desktop.services.paai_client import DevicesPage, PaaiClient, Statistics
from desktop.views.export.kinds import ExportKind, StatisticsKind
from desktop.views.export.opening import Exports
from desktop.views.history.bars import BarDelegate
from desktop.views.history.devices import PAGE_SIZE, DevicePicker
from desktop.views.history.model import BAR_COLUMN, SENSOR_COLUMN, SORT_ROLE, StatisticsModel
from desktop.views.page import Page, PageContext
from desktop.views.widgets.roles import hairline, label, set_role
from desktop.views.widgets.state_panel import StatePanel
from desktop.views.widgets.table import rows_table
from desktop.views.widgets.timeframe import TimeFrameBar
from stack.target import Endpoints

_PICKER_PX = 264
_ROW_PX = 28
_SENSOR_FROM_PX = 820


class HistoryClient(Protocol):
    """What the page asks of paai. Blocking; raises ServiceError."""

    def statistics(
        self, device_ids: Sequence[str], *, start: float | None = None, end: float | None = None, sensor: str | None = None
    ) -> list[Statistics]: ...

    def devices(
        self, *, sensor: str | None = None, prefix: str = "", limit: int = 100, after: str | None = None
    ) -> DevicesPage: ...


MakeClient = Callable[[Endpoints], HistoryClient]


def paai_client(endpoints: Endpoints) -> HistoryClient:
    """The real one."""
    return PaaiClient(endpoints.paai, token=endpoints.token)


class HistoryPage(Page):
    """Average, maximum, minimum and count of devices over a time frame.

    Attributes:
        picker: The devices.
        frame: The time frame.
        model: The answer.
        table: Shows it, sorted.
        answered: Start and end that the table is about, or None.
        exports: Export dialogs opened from here.
    """

    key = "history"
    title = "History"
    icon = "history"

    def __init__(
        self,
        *,
        context: PageContext,
        make_client: MakeClient = paai_client,
        clock: Callable[[], float] = time.time,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(context=context, parent=parent)
        self._make_client = make_client
        self._client: HistoryClient | None = None
        self.exports = Exports(context=context, parent=self)
        self._running = 0  # number of the question that is awaited; 0 = none
        self._asked = 0
        self.answered: tuple[float, float] | None = None
        self.picker = DevicePicker(load=self._load_devices, run_task=context.run_task)
        self.frame = TimeFrameBar(utc=context.settings.flag("live/utc"), clock=clock)
        self.run = set_role(QPushButton("Run"), "primary")
        self.cancel = QPushButton("Cancel")
        self.export_button = QPushButton("Export CSV…")
        self.summary = label(role="muted")
        self.progress = QProgressBar()
        self.progress.setRange(0, 0)
        self.progress.setTextVisible(False)
        self.model = StatisticsModel(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.model)
        self._sorted.setSortRole(SORT_ROLE)
        self.table = self._build_table()
        self.state = StatePanel(theme=context.theme, icon="history")
        self._build()
        self._connect()
        self.apply_palette(context.theme.palette)
        self._show_state()

    # Building

    def _build_table(self) -> QTableView:
        table = rows_table("Statistics", row_px=_ROW_PX)
        table.setModel(self._sorted)
        table.setSortingEnabled(True)
        table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        for column, width in enumerate((160, 112, 98, 88, 88, 64, 88)):
            table.setColumnWidth(column, width)
        self._bars = BarDelegate(palette=self.context.theme.palette, parent=table)
        table.setItemDelegateForColumn(BAR_COLUMN, self._bars)
        return table

    def _build(self) -> None:
        side = set_role(QFrame(), "side")
        side.setFixedWidth(_PICKER_PX)
        side_layout = QVBoxLayout(side)
        side_layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP_LARGE)
        side_layout.addWidget(self.picker)
        strip = QHBoxLayout()
        strip.setContentsMargins(GAP_LARGE, GAP, GAP_LARGE, GAP)
        strip.setSpacing(GAP)
        strip.addWidget(self.frame, 1)
        self.frame.add_right(self.cancel)
        self.frame.add_right(self.run)
        foot = QHBoxLayout()
        foot.setContentsMargins(GAP_LARGE, GAP, GAP_LARGE, GAP)
        foot.addWidget(self.summary, 1)
        foot.addWidget(self.export_button)
        self._right = set_role(QFrame(), "panel")
        right = QVBoxLayout(self._right)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addLayout(strip)
        right.addWidget(self.progress)
        right.addWidget(hairline())
        right.addWidget(self.state, 1)
        right.addWidget(self.table, 1)
        right.addWidget(hairline())
        right.addLayout(foot)
        body = QWidget()
        body.setObjectName("HistoryBody")
        layout = QHBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(side)
        layout.addWidget(self._right, 1)
        self.set_body(body)
        self.show_body()

    def _connect(self) -> None:
        self.run.clicked.connect(self.run_query)
        self.cancel.clicked.connect(self.cancel_query)
        self.export_button.clicked.connect(self.export)
        self.picker.changed.connect(self._show_state)
        self.track(self.context.monitor.attached, self._attached)
        self.track(self.context.monitor.detached, self._detached)
        action = QAction("Run the query", self)
        action.setShortcut(QKeySequence("Ctrl+Return"))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda _=False: self.run_query())
        self.addAction(action)

    # Page

    def shown(self) -> None:
        self.frame.set_utc(self.context.settings.flag("live/utc"))
        self.frame.refresh()
        if not self.picker.chosen and self.context.monitor.focus:
            self.picker.set_chosen(self.context.monitor.focus)
        if self.context.monitor.is_attached:
            self.picker.reload()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        # Where there is little room, unit and colour tell the sensor.
        self.table.setColumnHidden(SENSOR_COLUMN, self.width() - _PICKER_PX < _SENSOR_FROM_PX)

    def open_at(self, what: object) -> None:
        if isinstance(what, Moment):
            self.picker.set_chosen([what.device_id])
            self.frame.set_range(*what.around())
            self.run_query()

    def export(self) -> None:
        own: list[ExportKind] = []
        if self.answered is not None and self.model.rowCount():
            own.append(StatisticsKind(self.model.rows, *self.answered))
        self.exports.open(own, device_ids=self.picker.chosen, frame=self.answered or self.frame.range())

    def closing(self) -> None:
        self.exports.closing()
        super().closing()

    def apply_palette(self, palette: Palette) -> None:
        self._bars.set_palette(palette)
        self.table.viewport().update()

    def _attached(self) -> None:
        self._client = None
        if self.isVisible():
            self.picker.reload()

    def _detached(self) -> None:
        self._client = None
        self.cancel_query()

    # The question

    def run_query(self) -> None:
        """Ask paai."""
        if self._running:
            return
        problem = self.frame.problem()
        if problem:
            self.show_error(problem)
            return
        if not self.picker.chosen:
            self.picker.search.setFocus()
            return
        start, end = self.frame.range()
        device_ids, sensor = tuple(self.picker.chosen), self.picker.sensor_name
        self._asked += 1
        number = self._running = self._asked
        self.show_body()
        self._show_state()

        def ask() -> list[Statistics]:
            return self._paai().statistics(device_ids, start=start, end=end, sensor=sensor)

        def done(rows: list[Statistics]) -> None:
            if number == self._running:
                self._running = 0
                self.answered = (start, end)
                self.model.set_rows(rows)
                self._show_answer(len(device_ids), rows)
                self._show_state()

        def failed(error: Exception) -> None:
            if number == self._running:
                self._running = 0
                self._show_state()
                self.show_error("The query was not answered.", str(error), "", self.run_query)

        self.context.run_task(ask, done, failed)

    def cancel_query(self) -> None:
        """Wait no longer; a late answer is dropped."""
        self._running = 0
        self._show_state()

    def _paai(self) -> HistoryClient:
        if self._client is None:
            endpoints = self.context.monitor.endpoints
            if endpoints is None:
                endpoints = self.context.monitor.target.endpoints()
            self._client = self._make_client(endpoints)
        return self._client

    def _load_devices(self, sensor: str | None, prefix: str, after: str | None) -> DevicesPage:
        return self._paai().devices(sensor=sensor, prefix=prefix, limit=PAGE_SIZE, after=after)

    # What is shown

    def _show_answer(self, asked: int, rows: Sequence[Statistics]) -> None:
        readings = sum(r.count for r in rows)
        absent = asked - len({r.device_id for r in rows})
        text = f"{plural(len(rows), 'row')} from {plural(readings, 'reading')}"
        if absent:
            text += f"; {plural(absent, 'device has', 'devices have')} no readings in this time frame"
        self.summary.setText(text)

    def _show_state(self) -> None:
        running, chosen, rows = bool(self._running), len(self.picker.chosen), self.model.rowCount()
        self.run.setEnabled(chosen > 0 and not running)
        self.run.setText("Run" if chosen < 2 else f"Run for {plural(chosen, 'device')}")
        self.cancel.setVisible(running)
        self.progress.setVisible(running)
        self.export_button.setEnabled(rows > 0)
        self.table.setVisible(rows > 0)
        self.state.setVisible(rows == 0)
        if rows:
            return
        self.summary.setText("")
        if running:
            self.state.show_loading(f"paai computes the statistics of {plural(chosen, 'device')} …")
        elif self.answered is not None:
            self.state.show_empty(
                "No readings in this time frame", "None of the chosen devices has sent anything then. Choose a longer one."
            )
        elif chosen:
            self.state.show_empty("Ready", "Run asks paai for average, minimum, maximum and count of each chosen device.")
        else:
            self.state.show_empty(
                "Choose devices and a time frame", "Tick devices at the left, pick a time frame above, then Run (Ctrl+Enter)."
            )
