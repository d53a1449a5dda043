"""The panel at the left of the Live page: the sliders, what they lead to, and the focus devices."""

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from backend.contract.devices import DEVICE_TYPES
from desktop.model.figures import thousands
from desktop.model.fleet import FleetState
from desktop.model.palette import GAP, GAP_LARGE, GAP_SMALL, GRID
from desktop.model.plain_text import tool_tip
from desktop.model.storing import exceeds, outlook
from desktop.qtmodels.faults import FaultsController
from desktop.qtmodels.fleet import FleetController
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.storing import StoringLimit
from desktop.qtmodels.theme import ThemeController
from desktop.views.fleet.faults_box import FaultsBox
from desktop.views.fleet.focus_list import FocusList
from desktop.views.fleet.type_row import TypeRow
from desktop.views.widgets.decimal_box import DecimalBox
from desktop.views.widgets.menu_button import WordButton
from desktop.views.widgets.roles import hairline, label, set_role

WIDTH = 240
#: As many as the longest sentence takes.
_OUTLOOK_LINES = 3


class FleetPanel(QFrame):
    """Everything about the fleet in one column."""

    def __init__(
        self,
        *,
        fleet: FleetController,
        faults: FaultsController,
        storing: StoringLimit,
        monitor: Monitor,
        theme: ThemeController,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        set_role(self, "panel")
        self.setMinimumWidth(WIDTH)
        self.setAccessibleName("Fleet")
        self._fleet = fleet
        self._monitor = monitor
        self._storing = storing
        self.switch = WordButton("Start", theme=theme, name="play")
        set_role(self.switch, "quiet")
        self.switch.clicked.connect(self._toggle)
        self.outlook = label("", "caption", wrap=True)
        self.outlook.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.outlook.hide()
        self.rows = [TypeRow(kind=kind, fleet=fleet, storing=storing, theme=theme) for kind in DEVICE_TYPES]
        self.interval = DecimalBox()
        self.interval.setRange(0.1, 3600.0)
        self.interval.setDecimals(1)
        self.interval.setSuffix(" s")
        set_role(self.interval, "plain")
        self.interval.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.interval.setKeyboardTracking(False)
        self.interval.setFixedWidth(72)
        self.interval.lineEdit().setTextMargins(0, 0, 4, 0)
        self.interval.setAccessibleName("Reading interval in seconds")
        self.interval.setToolTip("Time between two readings of a device")
        self.interval.valueChanged.connect(fleet.set_interval)
        self.faults = FaultsBox(faults=faults)
        self.rate = label("–", "strong")
        self.losses = label("", "caption", wrap=True)
        self.message = label("", "bad", wrap=True)
        self.message.hide()
        self.focus = FocusList(monitor=monitor, theme=theme)
        self._lay_out()
        fleet.wish_changed.connect(self._follow)
        fleet.state_changed.connect(self._report)
        fleet.failed.connect(self._say)
        fleet.wish_changed.connect(self._foresee)
        storing.changed.connect(self._foresee)
        monitor.attached.connect(self._follow)
        monitor.detached.connect(self._follow)
        self._follow()
        self._foresee()

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(GAP_LARGE, GAP_SMALL, GAP_LARGE, GAP_LARGE)
        column.setSpacing(GAP_SMALL)
        head = QHBoxLayout()
        head.addWidget(label("FLEET", "heading"))
        head.addStretch(1)
        head.addWidget(self.switch)
        column.addLayout(head)
        column.addWidget(self.outlook)
        for row in self.rows:
            column.addWidget(row)
        each = QHBoxLayout()
        each.addWidget(label("Reading interval"))
        each.addStretch(1)
        each.addWidget(self.interval)
        column.addLayout(each)
        injected = QHBoxLayout()
        injected.addWidget(label("Faults"))
        injected.addStretch(1)
        injected.addWidget(self.faults)
        column.addLayout(injected)
        column.addSpacing(GRID)
        column.addWidget(hairline())
        column.addSpacing(GRID)
        column.addWidget(self.rate)
        column.addWidget(self.losses)
        column.addWidget(self.message)
        column.addSpacing(GRID)
        column.addWidget(hairline())
        column.addSpacing(GRID)
        column.addWidget(label("FOCUS", "heading"))
        column.addWidget(self.focus)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GAP - GRID, 0, 0)
        layout.addWidget(scroll)

    def _toggle(self) -> None:
        self._fleet.set_running(not self._fleet.running)

    def _follow(self) -> None:
        attached = self._monitor.is_attached
        for widget in (self.switch, self.interval, *self.rows):
            widget.setEnabled(attached)
        running = self._fleet.running
        self.switch.setText("Stop" if running else "Start")
        self.switch.set_icon("stop" if running else "play")
        self.switch.setToolTip("Stop sending; the devices are kept" if running else "Let the devices send")
        if not self.interval.hasFocus():
            self.interval.blockSignals(True)
            self.interval.setValue(self._fleet.interval_s)
            self.interval.blockSignals(False)
        self._figures(self._fleet.state)

    def _report(self, state: FleetState) -> None:
        self._figures(state)
        if state.error:
            self._say(state.error)
        elif self.message.property("sticky") is not True:
            self.message.hide()

    def _figures(self, state: FleetState) -> None:
        if not self._monitor.is_attached or not state.known:
            self.rate.setText("–")
            self.losses.setText("")
            return
        self.rate.setText(f"{thousands(state.sent_per_s)} / {thousands(self._fleet.wanted_per_s)} per s")
        parts = [f"dropped {thousands(state.given_up)}", f"queued {thousands(state.backlog)}"]
        if state.behind_ms >= 50:
            parts.append(f"{thousands(state.behind_ms)} ms late")
        self.losses.setText(" · ".join(parts))

    def _foresee(self) -> None:
        """Say what the fleet leads to. Keeps its room, so that no slider moves under the pointer."""
        limit = self._storing.limit
        self.outlook.setVisible(limit is not None)
        if limit is None:
            return
        wanted = self._fleet.demand_per_s
        set_role(self.outlook, "caution" if exceeds(limit.per_s, wanted) else "caption")
        self.outlook.setMinimumHeight(_OUTLOOK_LINES * self.outlook.fontMetrics().lineSpacing())
        self.outlook.setText(outlook(limit.per_s, wanted))
        measured = datetime.fromtimestamp(limit.at).astimezone()
        self.outlook.setToolTip(tool_tip(f"Measured while storing fell behind, last at {measured:%Y-%m-%d %H:%M}"))

    def _say(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.message.show()
