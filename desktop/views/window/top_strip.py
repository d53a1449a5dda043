"""The strip at the top: what state the system is in and where it runs, and the controls of the page shown."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QStackedWidget, QWidget

from desktop.model.ended import ended_unexpectedly
from desktop.model.figures import clock
from desktop.model.palette import GAP_LARGE, GAP_SMALL
from desktop.qtmodels.deployment import Deployment, Phase
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.services import state_of
from desktop.qtmodels.theme import ThemeController
from desktop.views.widgets.figure import Figure
from desktop.views.widgets.menu_button import IconButton
from desktop.views.widgets.roles import label, set_role
from desktop.views.widgets.signs import StateSign
from stack.target import ServiceStatus

HEIGHT = 48


def system_state(services: list[ServiceStatus], *, attached: bool, phase: Phase) -> str:
    """State of the whole: the worst of its services, or what is being done to it."""
    if phase in (Phase.RUNNING, Phase.CANCELLING):
        return "starting"
    if phase is Phase.FAILED:
        return "failed"
    if not attached:
        return "failed" if ended_unexpectedly(services) else "stopped"
    states = {state_of(s) for s in services}
    if states & {"failed", "degraded", "stopped", "rolled back"}:
        return "degraded"
    return next((state for state in ("starting", "updating") if state in states), "running")


class TopStrip(QFrame):
    """State, place, uptime; at the right whatever the page shown puts there."""

    def __init__(
        self, *, monitor: Monitor, deployment: Deployment, theme: ThemeController, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        set_role(self, "strip")
        self.setFixedHeight(HEIGHT)
        self._monitor = monitor
        self._deployment = deployment
        self.panel_button = IconButton(theme=theme, name="panel", words="Show or hide the fleet  ·  Ctrl+B", checkable=True)
        self.sign = StateSign(theme=theme)
        self.where = label(monitor.where, "strong")
        self.word = Figure("degraded", role="muted", right=False)
        self.uptime = Figure("00:00:00", role="muted")
        self._holders: dict[QWidget, QWidget] = {}
        self._slot = QStackedWidget()
        self._slot.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Expanding)
        self._slot.addWidget(QWidget())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_SMALL, 0, GAP_LARGE, 0)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(self.panel_button)
        layout.addSpacing(GAP_SMALL)
        layout.addWidget(self.sign)
        layout.addWidget(self.where)
        layout.addWidget(label("·", "muted"))
        layout.addWidget(self.word)
        layout.addWidget(self.uptime)
        layout.addStretch(1)
        layout.addWidget(self._slot)
        self._timer = QTimer(self)
        self._timer.setInterval(500)
        self._timer.timeout.connect(self._update)
        self._timer.start()
        for signal in (monitor.attached, monitor.detached, monitor.status_changed, deployment.phase_changed):
            signal.connect(self._update)
        monitor.where_changed.connect(self.where.setText)
        self._update()

    def add_controls(self, controls: QWidget) -> None:
        """Keep a page's controls for `show_controls`."""
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(controls, 0, Qt.AlignmentFlag.AlignVCenter)
        self._holders[controls] = holder
        self._slot.addWidget(holder)

    def show_controls(self, controls: QWidget | None) -> None:
        """Show them, or none."""
        if controls is None:
            self._slot.setCurrentIndex(0)
        else:
            self._slot.setCurrentWidget(self._holders[controls])

    def closing(self) -> None:
        """No timer runs afterwards."""
        self._timer.stop()

    def _update(self) -> None:
        state = system_state(self._monitor.status, attached=self._monitor.is_attached, phase=self._deployment.phase)
        self.sign.set_state(state)
        stopping = self._deployment.busy and self._deployment.kind == "down"
        self.word.setText("stopping" if stopping else state)
        since = self._monitor.running_since if self._monitor.is_attached else None
        self.uptime.setVisible(since is not None)
        if since is not None:
            self.uptime.setText(clock(self._monitor.now() - since.timestamp()))
