"""Refused records and rejected requests in a window beside the main one, kept up to date while it is open."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QDialog, QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from desktop.model.palette import GAP, GAP_SMALL
from desktop.model.refused.words import RECORDS, REQUESTS, figure
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.theme import ThemeController
from desktop.views.refused.list_view import RecordList, RequestList
from desktop.views.widgets.roles import hairline, label, set_role
from desktop.views.widgets.signs import StateSign

SIZE: Final = (1000, 620)
LEAST: Final = (760, 480)


class RefusedDialog(QDialog):
    """Two lists, one shown. Not modal.

    Attributes:
        records, requests: The lists.
        tabs: Their buttons, in this order.
    """

    def __init__(self, *, monitor: Monitor, theme: ThemeController, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Refused records and rejected requests")
        self.setMinimumSize(*LEAST)
        self.resize(min(SIZE[0], parent.width() - 24), min(SIZE[1], parent.height() - 60))
        self._monitor = monitor
        self.records, self.requests = RecordList(theme=theme), RequestList(theme=theme)
        self.stack = QStackedWidget()
        self.tabs: list[QToolButton] = []
        self._group = QButtonGroup(self)
        head = QHBoxLayout()
        head.setContentsMargins(GAP, GAP_SMALL, GAP, GAP_SMALL)
        head.setSpacing(GAP_SMALL)
        pages: tuple[QWidget, ...] = (self.records, self.requests)
        for number, page in enumerate(pages):
            self.stack.addWidget(page)
            button = set_role(QToolButton(), "segment")
            button.setCheckable(True)
            self._group.addButton(button, number)
            self.tabs.append(button)
            head.addWidget(button)
        self.sign = StateSign(theme=theme, state="degraded", size=10)
        self.difference = label("", "muted", wrap=True)
        head.addSpacing(GAP_SMALL)
        head.addWidget(self.sign)
        head.addWidget(self.difference, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(hairline())
        layout.addWidget(self.stack, 1)
        self._group.idClicked.connect(self.show_tab)
        monitor.refused_changed.connect(self._refresh)
        monitor.detached.connect(self._refresh)
        self.show_tab(0)
        self._refresh()

    def show_tab(self, number: int) -> None:
        """Show the list with this number: 0 records, 1 requests."""
        self.tabs[number].setChecked(True)
        self.stack.setCurrentIndex(number)
        (self.records, self.requests)[number].table.setFocus()

    def _refresh(self) -> None:
        records, requests = self._monitor.refused_records, self._monitor.rejected_requests
        self.tabs[0].setText(f"{RECORDS}  {figure(records.total)}")
        self.tabs[1].setText(f"{REQUESTS}  {figure(requests.total)}")
        difference = self._monitor.refused_difference
        self.sign.setVisible(bool(difference))
        self.difference.setText(difference)
        self.records.show_records(records)
        self.requests.show_requests(requests)
