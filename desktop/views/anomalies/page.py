"""The anomalies page: filter, read, acknowledge, go and see."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QItemSelectionModel, Qt, QTimer
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QTableView, QVBoxLayout, QWidget

from desktop.model.figures import plural
from desktop.model.moment import Moment
from desktop.model.palette import GAP, GAP_LARGE, GAP_SMALL, Palette
from desktop.model.predictions.event import Event, EventKey
from desktop.model.predictions.record import Grade
from desktop.qtmodels.anomalies import PAGE, Anomalies
from desktop.views.anomalies.delegate import GradeDelegate, MiddleDelegate
from desktop.views.anomalies.detail import EventDetail
from desktop.views.anomalies.filters import FilterBar
from desktop.views.anomalies.sorting import SortedEvents
from desktop.views.anomalies.states import say_state
from desktop.views.anomalies.table import BEGAN, COLUMNS, DEVICE, EVENT_ROLE, REASON, SCORE, SENSOR, SEVERITY, EventTable, Look
from desktop.views.export.kinds import EventsKind, ExportKind
from desktop.views.export.opening import Exports
from desktop.views.page import Page, PageContext
from desktop.views.widgets.figure import Elided
from desktop.views.widgets.roles import hairline, set_role
from desktop.views.widgets.state_panel import StatePanel
from desktop.views.widgets.table import rows_table

TICK_MS: Final = 1000
#: The charts hold an hour; what is older is looked up in the history.
LIVE_S: Final = 3500.0
_ROW_PX: Final = 28
#: In a narrower window these columns go first.
_SCORE_FROM_PX: Final = 1160
_SENSOR_FROM_PX: Final = 1000


class AnomaliesPage(Page):
    """Every anomaly of the last hours.

    Attributes:
        filters: What is wanted.
        model: The events listed.
        table: Shows them, sorted.
        detail: The selected one.
        exports: Export dialogs opened from here.
    """

    key = PAGE
    title = "Anomalies"
    icon = "anomalies"

    def __init__(
        self,
        *,
        context: PageContext,
        anomalies: Anomalies,
        clock: Callable[[], float] = time.time,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(context=context, parent=parent)
        self._anomalies, self._clock = anomalies, clock
        self._asked = 0
        self._fetching = self._again = self._visible = False
        self._fetched = False
        self._sought: EventKey | None = None
        self._undo: tuple[EventKey, ...] = ()
        self.exports = Exports(context=context, parent=self)
        self.filters = FilterBar()
        self.model = EventTable(self)
        self._sorted = SortedEvents(self)
        self._sorted.setSourceModel(self.model)
        self.table = self._build_table()
        self.state = StatePanel(theme=context.theme, icon="anomalies")
        self.detail = EventDetail()
        self.summary = Elided(mode=Qt.TextElideMode.ElideRight, role="muted")
        self.undo = set_role(QPushButton("Undo"), "link")
        self.seen_all = QPushButton("Acknowledge all shown")
        self.seen = QPushButton("Acknowledge")
        self.show_chart = set_role(QPushButton("Show on the chart"), "")
        self.export_button = QPushButton("Export CSV…")
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._build()
        self._connect()
        self._show_all()

    # Building

    def _build_table(self) -> QTableView:
        table = rows_table("Anomalies", row_px=_ROW_PX)
        table.setModel(self._sorted)
        table.setSortingEnabled(True)
        table.sortByColumn(BEGAN, Qt.SortOrder.DescendingOrder)
        table.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        table.setTabKeyNavigation(False)
        table.setTextElideMode(Qt.TextElideMode.ElideRight)
        for number, column in enumerate(COLUMNS):
            if number != REASON:
                table.setColumnWidth(number, column.width)
        table.setItemDelegateForColumn(SEVERITY, GradeDelegate(theme=self.context.theme, parent=table))
        table.setItemDelegateForColumn(DEVICE, MiddleDelegate(table))
        return table

    def _build(self) -> None:
        strip = QHBoxLayout()
        strip.setContentsMargins(GAP_LARGE, GAP, GAP_LARGE, GAP)
        strip.setSpacing(GAP_SMALL)
        strip.addWidget(self.filters, 1)
        strip.addWidget(self.export_button)
        foot = QHBoxLayout()
        foot.setContentsMargins(GAP_LARGE, GAP_SMALL, GAP_LARGE, GAP)
        foot.setSpacing(GAP_SMALL)
        foot.addWidget(self.summary, 1)
        for button in (self.undo, self.seen_all, self.seen, self.show_chart):
            foot.addWidget(button)
        self._content = QWidget()
        content = QVBoxLayout(self._content)
        content.setContentsMargins(0, 0, 0, 0)
        content.setSpacing(0)
        content.addWidget(self.table, 1)
        content.addWidget(hairline())
        content.addWidget(self.detail)
        body = set_role(QFrame(), "panel")
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(strip)
        layout.addWidget(hairline())
        layout.addWidget(self.state, 1)
        layout.addWidget(self._content, 1)
        layout.addWidget(hairline())
        layout.addLayout(foot)
        self.set_body(body)
        self.show_body()

    def _connect(self) -> None:
        self.filters.changed.connect(self.refresh)
        self.seen.clicked.connect(self.acknowledge_selected)
        self.seen_all.clicked.connect(self.acknowledge_all)
        self.undo.clicked.connect(self.take_back)
        self.show_chart.clicked.connect(self.show_selected)
        self.export_button.clicked.connect(self.export)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show_selected())
        self.table.doubleClicked.connect(lambda _: self.show_selected())
        self._timer.timeout.connect(self._tick)
        anomalies, monitor = self._anomalies, self.context.monitor
        self.track(anomalies.changed, self.refresh)
        self.track(anomalies.counted, self._count)
        self.track(anomalies.busy_changed, lambda _: self._show_selected())
        self.track(monitor.detached, self._detached)
        keys: tuple[tuple[str, tuple[str, ...], Callable[[], None], QWidget], ...] = (
            ("Show on the chart", ("Return", "Enter"), self.show_selected, self.table),
            ("Acknowledge or reopen", ("Space",), self.acknowledge_selected, self.table),
            ("Find", ("Ctrl+F",), self.filters.search.setFocus, self),
        )
        for text, sequences, call, owner in keys:
            action = QAction(text, self)
            action.setShortcuts([QKeySequence(s) for s in sequences])
            # Enter and Space press buttons elsewhere.
            alone = owner is self.table
            context = Qt.ShortcutContext.WidgetShortcut if alone else Qt.ShortcutContext.WidgetWithChildrenShortcut
            action.setShortcutContext(context)
            action.triggered.connect(lambda _=False, c=call: c())
            self.addAction(action)
            if owner is not self:
                owner.addAction(action)

    # Page

    def shown(self) -> None:
        self._visible = self._anomalies.watched = True
        self._timer.start()
        self._tick()
        self.refresh()
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def hidden(self) -> None:
        self._visible = self._anomalies.watched = False
        self._timer.stop()

    def closing(self) -> None:
        self._timer.stop()
        self.exports.closing()
        super().closing()

    def export(self) -> None:
        own: list[ExportKind] = []
        if self.model.events:
            own.append(EventsKind(lambda: self.model.events))
        devices = dict.fromkeys(e.key.device_id for e in self._selected())
        self.exports.open(own, device_ids=tuple(devices))

    def apply_palette(self, palette: Palette) -> None:
        self.table.viewport().update()

    def open_at(self, what: object) -> None:
        if isinstance(what, EventKey):
            self._sought = what
            self._select_sought()
            self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self.table.setColumnHidden(SCORE, self.width() < _SCORE_FROM_PX)
        self.table.setColumnHidden(SENSOR, self.width() < _SENSOR_FROM_PX)

    # What is listed

    def refresh(self) -> None:
        """List what is wanted now; later where nobody looks."""
        if not self._visible:
            return
        if self._fetching:
            self._again = True
            return
        self._fetching, self._again = True, False
        self._asked += 1
        number = self._asked
        self._anomalies.fetch(self.filters.wanted(), lambda events: self._take(number, events))

    def _take(self, number: int, events: Sequence[Event]) -> None:
        if number != self._asked:
            return
        self._fetching, self._fetched = False, True
        self.model.set_events(events)
        self._select_sought()
        self._show_all()
        if self._again:
            self.refresh()

    def _detached(self) -> None:
        self._asked += 1
        self._fetching = self._fetched = False
        self._undo = ()
        self.model.set_events([])
        self._show_all()

    def _select_sought(self) -> None:
        if self._sought is None:
            return
        row = self.model.row_of(self._sought)
        if row < 0:
            if self._fetched and not self.filters.is_clear:
                self.filters.clear()  # it is asked for: no filter may hide it
            return
        self._sought = None
        index = self._sorted.mapFromSource(self.model.index(row, 0))
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.table.selectionModel().setCurrentIndex(index, flags)
        self.table.scrollTo(index, QTableView.ScrollHint.PositionAtCenter)

    def _tick(self) -> None:
        self.model.set_look(self._look())
        if not self.model.events:
            self._show_state()

    def _look(self) -> Look:
        return Look(self._clock(), utc=self.context.settings.flag("live/utc"))

    # What is done

    def _selected(self) -> list[Event]:
        rows = self.table.selectionModel().selectedRows()
        return [index.data(EVENT_ROLE) for index in rows]

    def acknowledge_selected(self) -> None:
        """Acknowledge the selected ones; reopen them where all are acknowledged."""
        events = self._selected()
        left = [e.key for e in events if not e.acknowledged]
        if left:
            self._acknowledge(left)
        elif events:
            self._anomalies.acknowledge([e.key for e in events], undo=True)

    def acknowledge_all(self) -> None:
        """Acknowledge everything that the filters let through."""
        self._acknowledge([e.key for e in self.model.events if not e.acknowledged])

    def _acknowledge(self, keys: list[EventKey]) -> None:
        def done() -> None:
            self._undo = tuple(keys)
            self._show_selected()

        self._anomalies.acknowledge(keys, on_done=done)

    def take_back(self) -> None:
        """Undo the last acknowledgement."""
        keys, self._undo = self._undo, ()
        self._anomalies.acknowledge(keys, undo=True)
        self._show_selected()

    def show_selected(self) -> None:
        """Go to the moment of the selected one: on the live charts, or in the history where it is too old for them."""
        events = self._selected()
        if len(events) != 1:
            return
        event, now = events[0], self._clock()
        end = now if event.ongoing(now * 1000) else event.end_ms / 1e3
        moment = Moment(event.key.device_id, event.key.sensor, event.start_ms / 1e3, end)
        self.wanted.emit("live" if end > now - LIVE_S else "history", moment)

    # What is shown

    def _show_all(self) -> None:
        self._show_state()
        self._show_selected()

    def _show_state(self) -> None:
        some = bool(self.model.events)
        self._content.setVisible(some)
        self.state.setVisible(not some)
        status, now = self._anomalies.status, self._clock()
        stats = self.context.monitor.connection.store.stats() if self.context.monitor.connection is not None else None
        self.summary.set_text(
            say_state(
                self.state,
                status,
                now=now,
                shown=self.model.events,
                fetched=self._fetched,
                filtered=not self.filters.is_clear,
                flowing=stats is not None and stats.readings_per_s > 0,
                clear=self.filters.clear,
                go=lambda key: self.wanted.emit(key, None),
            )
        )

    def _show_selected(self) -> None:
        events, busy = self._selected(), self._anomalies.busy
        one = events[0] if len(events) == 1 else None
        self.detail.show_event(one, self._look(), len(events))
        left = sum(not e.acknowledged for e in events)
        takes_back = bool(events) and not left
        self.seen.setText("Reopen" if takes_back else f"Acknowledge {left}" if left > 1 else "Acknowledge")
        self.seen.setToolTip("Mark as unacknowledged" if takes_back else "Mark as acknowledged")
        self.seen.setEnabled(bool(events) and not busy)
        open_ = sum(not e.acknowledged for e in self.model.events)
        for button in (self.seen, self.seen_all, self.show_chart):
            button.setVisible(bool(self.model.events))
        self.seen_all.setEnabled(open_ > 0 and not busy)
        self.undo.setVisible(bool(self._undo))
        self.undo.setText(f"Undo ({plural(len(self._undo), 'anomaly', 'anomalies')})")
        self.undo.setEnabled(not busy)
        self.show_chart.setEnabled(one is not None)
        old = one is not None and one.end_ms / 1e3 <= self._clock() - LIVE_S and not one.silent
        self.show_chart.setText("Show in the history" if old else "Show on the chart")

    def _count(self) -> None:
        urgent = {grade: self._anomalies.open.get(grade, 0) for grade in (Grade.CRITICAL, Grade.WARNING)}
        words = f"{urgent[Grade.CRITICAL]} critical and {urgent[Grade.WARNING]} warnings unacknowledged"
        self.badged.emit(sum(urgent.values()), words)
