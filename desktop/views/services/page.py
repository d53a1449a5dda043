"""Every service with state, replicas, restarts, load and message; the log of the selected one below."""

from functools import partial
from typing import Final

from PySide6.QtCore import QItemSelectionModel, Qt, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QSplitter,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.model.access import link_login
from desktop.model.palette import GAP_LARGE, GAP_SMALL
from desktop.model.plain_text import button_text, tool_tip
from desktop.qtmodels.attempts import Attempts
from desktop.qtmodels.logs import LogTail
from desktop.qtmodels.operations import Operations
from desktop.qtmodels.services import Column, ServicesModel, message_of, title_of
from desktop.views.page import Page, PageContext
from desktop.views.services.attempts import AttemptsView
from desktop.views.services.delegate import StateDelegate
from desktop.views.services.replicas import Replicas
from desktop.views.widgets.confirm import confirmed
from desktop.views.widgets.figure import Elided
from desktop.views.widgets.log_view import LogView
from desktop.views.widgets.menu_button import WordButton
from desktop.views.widgets.roles import label, set_role
from desktop.views.widgets.secrets import CLIPBOARD_S, copy_secret
from desktop.views.widgets.table import rows_table
from stack.catalogue import BY_NAME
from stack.target import ServiceStatus

ROW_HEIGHT: Final = 32
WIDTHS: Final = {
    Column.SERVICE: 150,
    Column.STATE: 110,
    Column.REPLICAS: 132,
    Column.RESTARTS: 76,
    Column.CPU: 64,
    Column.MEMORY: 84,
}

#: A restart of these interrupts the flow of readings; asked once, naming what is at stake.
AT_STAKE: Final = {
    "broker": "While it restarts, readings are refused and repeated by the generator; nothing acknowledged is lost.",
    "mongodb": "While it restarts, nothing is stored; the sink and Spark continue from where they were.",
    "zookeeper": "While it restarts, Kafka may not elect leaders.",
    "spark-job": "Windows come late by the time that the restart takes.",
}


class ServicesPage(Page):
    """Works with a stopped system too: the logs of what failed are then most needed."""

    key = "services"
    title = "Services"
    icon = "services"
    needs_system = False

    def __init__(self, *, context: PageContext, operations: Operations, parent: QWidget | None = None) -> None:
        super().__init__(context=context, parent=parent)
        self._operations = operations
        self._tail = LogTail(target=context.monitor.target, run_task=context.run_task, parent=self)
        self._visible = False
        self.model = ServicesModel(clock=context.monitor.now, parent=self)
        self.table = self._build_table()
        self.name = label("", "subtitle")
        self.doing = Elided(mode=Qt.TextElideMode.ElideRight, role="muted")
        self.links = QHBoxLayout()
        self.links.setSpacing(GAP_SMALL)
        self._links_shown: tuple[tuple[str, str], ...] | None = None
        self.restart = WordButton("Restart", theme=context.theme, name="restart")
        self.restart.clicked.connect(self._restart)
        self.log = LogView(tail=self._tail, theme=context.theme, title="LOG")
        set_role(self.log.title, "heading")
        self._attempts = Attempts(target=context.monitor.target, run_task=context.run_task, parent=self)
        self.attempts = AttemptsView(attempts=self._attempts)
        self.past = set_role(QToolButton(), "segment")
        self.past.setText("Attempts")
        self.past.setCheckable(True)
        self.past.setToolTip("What became of each attempt to run this service")
        self.past.toggled.connect(self._past_toggled)
        self._steppers: dict[str, Replicas] = {}
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.set_body(self._lay_out())
        find = QAction("Filter the log", self)
        find.setShortcut(QKeySequence(QKeySequence.StandardKey.Find))
        find.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.triggered.connect(self.log.filter.setFocus)
        self.addAction(find)
        self.track(context.monitor.status_changed, self._take)
        for signal in (context.monitor.attached, context.monitor.detached):
            self.track(signal, self._place_steppers)
            self.track(signal, self._refresh_selected)
        self.track(operations.progressed, self._progressed)
        self.track(operations.failed, self._failed)
        self.track(context.monitor.switched, self.model.forget_scaling)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._selected())
        self._take(context.monitor.status)

    # Hooks

    def shown(self) -> None:
        self._visible = True
        self._take(self.context.monitor.status)
        self._selected()

    def hidden(self) -> None:
        self._visible = False
        self._tail.stop()
        self._attempts.show(None)

    def closing(self) -> None:
        self._tail.stop()
        self.context.settings.set_blob("services/splitter", self.splitter.saveState())
        super().closing()

    def select(self, service: str) -> None:
        """Go to the row of `service`."""
        row = self.model.row_of(service)
        if row >= 0:
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.table.selectionModel().setCurrentIndex(self.model.index(row, 0), flags)

    # Inside

    def _build_table(self) -> QTableView:
        table = rows_table("Services", row_px=ROW_HEIGHT)
        table.setModel(self.model)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)
        for column, width in WIDTHS.items():
            table.setColumnWidth(column, width)
        table.setItemDelegateForColumn(Column.STATE, StateDelegate(theme=self.context.theme, parent=table))
        self.track(self.context.theme.changed, lambda _: table.viewport().update())
        return table

    def _lay_out(self) -> QWidget:
        detail = set_role(QFrame(), "panel")
        column = QVBoxLayout(detail)
        column.setContentsMargins(0, GAP_SMALL, 0, 0)
        column.setSpacing(0)
        bar = QHBoxLayout()
        bar.setContentsMargins(GAP_LARGE, 0, GAP_LARGE, 0)
        bar.setSpacing(GAP_SMALL)
        bar.addWidget(self.name)
        bar.addWidget(self.doing, 1)
        bar.addWidget(self.past)
        bar.addLayout(self.links)
        bar.addWidget(self.restart)
        column.addLayout(bar)
        column.addWidget(self.log, 1)
        column.addWidget(self.attempts, 1)
        self._past_toggled(False)
        self.splitter.addWidget(self.table)
        self.splitter.addWidget(detail)
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setChildrenCollapsible(False)
        state = self.context.settings.blob("services/splitter")
        if state is None or not self.splitter.restoreState(state):
            self.splitter.setSizes([ROW_HEIGHT * 11 + 4, 300])
        return self.splitter

    def _take(self, rows: list[ServiceStatus]) -> None:
        # Only a swarm remembers them.
        self.past.setVisible(self.context.monitor.target.name != "local")
        if not rows:
            self._tail.stop()
            self.past.setChecked(False)
            self.show_loading("Asking how the services are …")
            return
        self.show_body()
        self.model.update_from(rows)
        self._place_steppers()
        if not self.table.selectionModel().hasSelection():
            self.select(rows[0].service)
        self._refresh_selected()
        if self._visible and self.past.isChecked():
            self._attempts.refresh()

    def _place_steppers(self) -> None:
        attached = self.context.monitor.is_attached
        for row in range(self.model.rowCount()):
            status = self.model.status(row)
            if status is None or not status.scalable:
                continue
            index = self.model.index(row, Column.REPLICAS)
            stepper = self._steppers.get(status.service)
            if stepper is None or self.table.indexWidget(index) is not stepper:
                stepper = Replicas(service=status.service, most=BY_NAME[status.service].max_replicas, theme=self.context.theme)
                service = status.service
                stepper.wanted.connect(lambda n, service=service: self._scale(service, n))
                self._steppers[service] = stepper
                self.table.setIndexWidget(index, stepper)
            stepper.show_state(status.running, self.model.wanted(status.service), operable=attached)

    def _current(self) -> ServiceStatus | None:
        return self.model.status(self.table.currentIndex().row())

    def _selected(self) -> None:
        status = self._current()
        if status is None:
            return
        self._refresh_selected()
        if self._visible and self._tail.service != status.service:
            self._tail.follow(status.service)
        if self._visible and self.past.isChecked():
            self._attempts.show(status.service)

    def _past_toggled(self, on: bool) -> None:
        self.log.setVisible(not on)
        self.attempts.setVisible(on)
        status = self._current()
        self._attempts.show(status.service if on and status is not None else None)

    def _refresh_selected(self) -> None:
        status = self._current()
        if status is None:
            return
        self.name.setText(title_of(status.service))
        if not self._operations.busy(status.service):
            self.doing.set_text(message_of(status))
        self.restart.setEnabled(self.context.monitor.is_attached and not self._operations.busy(status.service))
        if status.links != self._links_shown:
            self._links_shown = status.links
            while (item := self.links.takeAt(0)) is not None:
                widget = item.widget()
                if widget is not None:
                    widget.hide()
                    widget.deleteLater()
            for words, address in status.links:
                button = WordButton(button_text(words), theme=self.context.theme, name="link")
                set_role(button, "quiet")
                button.setToolTip(tool_tip(address))
                button.clicked.connect(partial(self._open, status.service, words, address))
                self.links.addWidget(button)

    def _open(self, service: str, words: str, address: str, _: bool = False) -> None:
        """Open a page, its login on the clipboard: in the address it would stay in the browser's history."""
        endpoints = self.context.monitor.endpoints
        login = link_login(service, words, endpoints) if endpoints is not None else None
        if login is not None:
            copy_secret(login.secret)
            who = f"User {login.user}; the password" if login.user else "The bearer token"
            self.context.notifications.info(f"{who} is on the clipboard for {CLIPBOARD_S} s.")
        QDesktopServices.openUrl(QUrl(address))

    def _scale(self, service: str, replicas: int) -> None:
        self.model.set_scaling(service, replicas)
        self._place_steppers()
        self._operations.scale(service, replicas)

    def _progressed(self, service: str, text: str) -> None:
        status = self._current()
        if status is not None and status.service == service:
            self.doing.set_text(text)
            self._refresh_selected()

    def _failed(self, service: str, sentence: str) -> None:
        self.model.set_scaling(service, None)
        self._place_steppers()
        self.show_error(sentence)

    def _restart(self) -> None:
        status = self._current()
        if status is None:
            return
        warning = AT_STAKE.get(status.service)
        if warning is not None and not self._confirmed(status.service, warning):
            return
        self._operations.restart(status.service)

    def _confirmed(self, service: str, warning: str) -> bool:
        return confirmed(self, f"Restart {service}?", at_stake=warning, button="Restart")
