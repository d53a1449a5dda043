"""The steps of a deployment: sign, title, what it does right now, how long it took, and the log one click away."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from desktop.model.figures import elapsed
from desktop.model.palette import GAP, GAP_LARGE, GAP_SMALL, GRID
from desktop.qtmodels.theme import ThemeController
from desktop.views.widgets.figure import Elided, Figure
from desktop.views.widgets.roles import label, set_role
from desktop.views.widgets.signs import StateSign
from stack.target import Step, StepState

STATES = {
    StepState.PENDING: "pending",
    StepState.RUNNING: "starting",
    StepState.DONE: "done",
    StepState.FAILED: "failed",
}


#: Room for a title, so that details start at one edge; more where a title needs it.
_TITLE_WIDTH: Final = 230


class _StepRow(QWidget):
    log_wanted = Signal(str)

    def __init__(self, step: Step, *, theme: ThemeController) -> None:
        super().__init__()
        self._service = step.service
        self.sign = StateSign(theme=theme, state="pending", size=14)
        self.title = label(step.title, "strong")
        self.detail = Elided(mode=Qt.TextElideMode.ElideRight, role="muted")
        self.time = Figure("8 min 88 s", role="muted")
        self.log = set_role(QPushButton("Log"), "link")
        self.log.setAccessibleName(f"Log of {step.service}" if step.service else "")
        self.log.clicked.connect(lambda: self.log_wanted.emit(self._service or ""))
        policy = self.log.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.log.setSizePolicy(policy)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1000)
        self.progress.setFixedWidth(80)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, GRID, 0, GRID)
        row.setSpacing(GAP)
        row.addWidget(self.sign)
        row.addWidget(self.title)
        row.addWidget(self.detail, 1)
        row.addWidget(self.progress)
        row.addWidget(self.time)
        row.addWidget(self.log)

    def show_step(self, step: Step, taken_s: float) -> None:
        self._service = step.service
        self.sign.set_state(STATES[step.state])
        self.sign.set_turn(taken_s)
        if self.title.text() != step.title:
            self.title.setText(step.title)
        if self.detail.text() != step.detail:
            self.detail.set_text(step.detail)
        self.time.setText("" if step.state is StepState.PENDING else elapsed(taken_s))
        self.log.setVisible(step.service is not None and step.state is not StepState.PENDING)
        self.progress.setVisible(step.progress is not None and step.state is StepState.RUNNING)
        if step.progress is not None:
            self.progress.setValue(round(step.progress * 1000))


class StepsList(QFrame):
    """Signals: log_wanted(str): the service whose log shall be shown."""

    log_wanted = Signal(str)

    def __init__(self, *, theme: ThemeController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self._theme = theme
        self._rows: dict[str, _StepRow] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(GAP_LARGE, GAP_SMALL, GAP_LARGE, GAP_SMALL)
        self._layout.setSpacing(0)

    def show_steps(self, steps: Sequence[tuple[Step, float]]) -> None:
        """One row a step; rows keep their widgets from call to call."""
        keys = {step.key for step, _ in steps}
        for key in [k for k in self._rows if k not in keys]:
            row = self._rows.pop(key)
            row.hide()
            row.deleteLater()
        for position, (step, taken_s) in enumerate(steps):
            known = self._rows.get(step.key)
            if known is None:
                known = self._rows[step.key] = _StepRow(step, theme=self._theme)
                known.log_wanted.connect(self.log_wanted)
                self._layout.insertWidget(position, known)
            known.show_step(step, taken_s)
        self._align()
        self.setVisible(bool(steps))

    def _align(self) -> None:
        titles = [row.title for row in self._rows.values()]
        for title in titles:
            title.ensurePolished()  # its font comes with the style
        width = max((title.sizeHint().width() for title in titles), default=0)
        for title in titles:
            title.setFixedWidth(max(width, _TITLE_WIDTH))
