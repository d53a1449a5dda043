"""What will be started, where and why; and what stands in the way."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.model.figures import plural
from desktop.model.palette import GAP, GAP_LARGE, GAP_SMALL, GRID
from desktop.qtmodels.services import title_of
from desktop.qtmodels.theme import ThemeController
from desktop.views.widgets.figure import Elided
from desktop.views.widgets.roles import label, set_role
from desktop.views.widgets.signs import StateSign
from stack.target import Check, Plan


def _clear(layout: QGridLayout | QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()


class PlanCard(QFrame):
    """One line a service: what it does, how it is run, on which port, and the reason for a choice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(GAP_LARGE)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 13)
        self._grid.setColumnStretch(2, 7)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP, GAP_LARGE, GAP)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(label("WHAT WILL BE STARTED", "heading"))
        layout.addLayout(self._grid)

    def show_plan(self, plan: Plan) -> None:
        """Show it."""
        _clear(self._grid)
        row = 0
        for item in plan.items:
            self._grid.addWidget(label(title_of(item.service), "strong"), row, 0)
            self._grid.addWidget(Elided(item.role, mode=Qt.TextElideMode.ElideRight), row, 1)
            self._grid.addWidget(Elided(item.how, mode=Qt.TextElideMode.ElideRight, role="muted"), row, 2)
            port = label(f":{item.port}" if item.port else "", "muted")
            port.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._grid.addWidget(port, row, 3)
            if item.why:
                row += 1
                self._grid.addWidget(label(item.why, "caption", wrap=True), row, 1, 1, 3)
            row += 1


class ChecksCard(QFrame):
    """Failed checks with their remedies; those that passed in one line that opens.

    Signals:
        action_wanted(Action): the button of a failed check was pressed.
    """

    action_wanted = Signal(object)

    def __init__(self, *, theme: ThemeController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self._theme = theme
        self._rows = QVBoxLayout()
        self._rows.setSpacing(GAP_SMALL)
        self._passed = QWidget()
        self._passed_rows = QVBoxLayout(self._passed)
        self._passed_rows.setContentsMargins(0, 0, 0, 0)
        self._passed_rows.setSpacing(GRID)
        self._passed.hide()
        self._sign = StateSign(theme=theme, state="done", size=12)
        self._summary = label("", "muted")
        self._more = set_role(QPushButton("Show"), "link")
        self._more.clicked.connect(self._toggle)
        line = QHBoxLayout()
        line.setSpacing(GAP_SMALL)
        line.addWidget(self._sign)
        line.addWidget(self._summary)
        line.addWidget(self._more)
        line.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP, GAP_LARGE, GAP)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(label("CHECKS", "heading"))
        layout.addLayout(self._rows)
        layout.addLayout(line)
        layout.addWidget(self._passed)

    def show_checks(self, checks: Sequence[Check]) -> None:
        """Show them; failed ones first."""
        _clear(self._rows)
        _clear(self._passed_rows)
        failed = [c for c in checks if not c.ok]
        passed = [c for c in checks if c.ok]
        for check in failed:
            row = _CheckRow(check, theme=self._theme)
            row.action_wanted.connect(self.action_wanted)
            self._rows.addWidget(row)
        for check in passed:
            self._passed_rows.addWidget(_CheckRow(check, theme=self._theme))
        self._summary.setText(f"{plural(len(passed), 'check')} passed")
        for widget in (self._sign, self._summary, self._more):
            widget.setVisible(bool(passed))

    def _toggle(self) -> None:
        self._passed.setVisible(self._passed.isHidden())
        self._more.setText("Show" if self._passed.isHidden() else "Hide")


class _CheckRow(QWidget):
    action_wanted = Signal(object)

    def __init__(self, check: Check, *, theme: ThemeController) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP_SMALL)
        sign = StateSign(theme=theme, state="done" if check.ok else "failed", size=12)
        beside = QVBoxLayout()
        beside.addSpacing(2)  # the middle of the first line
        beside.addWidget(sign)
        beside.addStretch(1)
        row.addLayout(beside)
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addWidget(label(f"{check.name}: {check.detail}", "muted" if check.ok else "", wrap=True))
        if not check.ok and check.remedy:
            text.addWidget(label(check.remedy, "muted", wrap=True))
        text.addStretch(1)
        row.addLayout(text, 1)
        row.addSpacing(GAP_SMALL)
        action = check.action
        if not check.ok and action is not None:
            button = QPushButton(action.label)
            button.clicked.connect(lambda _=False: self.action_wanted.emit(action))
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
