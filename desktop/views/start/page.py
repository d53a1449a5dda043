"""The start page: shown wherever a running system is needed and none runs."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QScrollArea, QSplitter, QVBoxLayout, QWidget

from desktop.model.ended import ended_unexpectedly
from desktop.model.figures import elapsed
from desktop.model.palette import GAP, GAP_LARGE, GAP_SECTION, GAP_SMALL
from desktop.qtmodels.deployment import Deployment, Phase
from desktop.qtmodels.logs import LogTail
from desktop.qtmodels.places import Places, in_a_sentence
from desktop.qtmodels.theme import ThemeController
from desktop.views.page import Page, PageContext
from desktop.views.start.place_card import PlaceCard
from desktop.views.start.plan_card import ChecksCard, PlanCard
from desktop.views.start.steps_list import StepsList
from desktop.views.widgets.figure import Figure
from desktop.views.widgets.log_view import LogView
from desktop.views.widgets.roles import label, set_role
from desktop.views.widgets.signs import StateSign

COLUMN_WIDTH = 880
_UNFINISHED = {"up": "The deployment did not finish", "down": "Stopping did not finish"}


class StartPage(Page):
    """Plan and one button; then steps; on failure what, why, what to do."""

    key = "start"
    title = "Start"
    needs_system = False

    def __init__(self, *, context: PageContext, deployment: Deployment, places: Places, parent: QWidget | None = None) -> None:
        super().__init__(context=context, parent=parent)
        theme = context.theme
        self._deployment = deployment
        self._places = places
        self._tail = LogTail(target=context.monitor.target, run_task=context.run_task, parent=self)
        self.headline = label("", "title", wrap=True)
        self.reason = label("", "muted", wrap=True)
        self.deploy = set_role(QPushButton("Deploy"), "primary")
        self.deploy.clicked.connect(deployment.deploy)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(deployment.cancel)
        self._ended = False
        self.retry = set_role(QPushButton("Try again"), "primary")
        self.retry.clicked.connect(deployment.retry)
        self.copy = QPushButton("Copy details")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(deployment.report()))
        self.failed_log = QPushButton("Show its log")
        self.failed_log.clicked.connect(self._show_failed_log)
        self.back = set_role(QPushButton("Back"), "quiet")
        self.back.clicked.connect(self._dismiss)
        self.taken = Figure("88 min 88 s", role="muted")
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the deployment")
        self.place = PlaceCard(places=places)
        self.plan = PlanCard()
        self.checks = ChecksCard(theme=theme)
        self.checks.action_wanted.connect(deployment.fix)
        self.steps = StepsList(theme=theme)
        self.steps.log_wanted.connect(self.show_log)
        self.failure = _FailureCard(theme=theme)
        self.log = LogView(tail=self._tail, theme=theme, closable=True)
        self.log.closed.connect(self.hide_log)
        self.set_body(self._lay_out())
        self.hide_log()
        for signal in (deployment.prepared, deployment.phase_changed):
            self.track(signal, self._update)
        self.track(deployment.steps_changed, self._update_steps)
        self.track(places.changed, self._update)
        self.track(context.monitor.where_changed, self._update)
        self.track(context.monitor.attached, self.hide_log)
        self.track(context.monitor.status_changed, self._status_changed)
        self._update()

    # What the user sees

    def show_log(self, service: str) -> None:
        """Open the pane at the side with the log of `service`."""
        if service:
            self._tail.follow(service)
            self.log.show()

    def hide_log(self) -> None:
        """Close it."""
        self._tail.stop()
        self.log.hide()

    def shown(self) -> None:
        if not self._deployment.busy and self._deployment.failure is None:
            self._deployment.prepare()
        self._places.look()

    def closing(self) -> None:
        self._tail.stop()
        super().closing()

    # Inside

    def _lay_out(self) -> QWidget:
        column = QWidget()
        column.setMaximumWidth(COLUMN_WIDTH)
        rows = QVBoxLayout(column)
        rows.setContentsMargins(0, GAP_SECTION * 2, 0, GAP_SECTION)
        rows.setSpacing(GAP_LARGE)
        head = QHBoxLayout()
        head.setSpacing(GAP)
        words = QVBoxLayout()
        words.setSpacing(GAP_SMALL)
        words.addWidget(self.headline)
        words.addWidget(self.reason)
        head.addLayout(words, 1)
        head.addWidget(self.taken, 0, Qt.AlignmentFlag.AlignVCenter)
        for button in (self.back, self.cancel, self.deploy):
            head.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        rows.addLayout(head)
        rows.addWidget(self.progress)
        self.failure.add_buttons(self.failed_log, self.copy, self.retry)
        for card in (self.failure, self.steps, self.place, self.checks, self.plan):
            rows.addWidget(card)
        rows.addStretch(1)
        outer = QWidget()
        sides = QHBoxLayout(outer)
        sides.setContentsMargins(GAP_SECTION, 0, GAP_SECTION, 0)
        sides.addStretch(1)
        sides.addWidget(column, 100)
        sides.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(outer)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(scroll)
        splitter.addWidget(self.log)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 2)
        splitter.setCollapsible(0, False)
        splitter.setSizes([620, 420])
        return splitter

    def _update(self, _: object = None) -> None:
        deployment = self._deployment
        phase, plan = deployment.phase, deployment.plan
        busy, failed = deployment.busy, phase is Phase.FAILED
        blocked = [c for c in deployment.checks if not c.ok]
        place = in_a_sentence(plan.where if plan else self.context.monitor.where)
        if busy:
            self.headline.setText(f"{deployment.title} …" if phase is Phase.RUNNING else "Cancelling …")
            self.reason.setText(f"On {place}. You may leave this page; the deployment continues.")
        elif failed:
            self.headline.setText(_UNFINISHED.get(deployment.kind, f"{deployment.title} did not finish"))
            self.reason.setText("What was done so far stays; trying again continues from there.")
        elif deployment.trouble:
            self.headline.setText("Cannot read system status")
            self.reason.setText(deployment.trouble)
        elif ended_unexpectedly(self.context.monitor.status):
            self.headline.setText(f"What ran on {place} ended unexpectedly")
            self.reason.setText("Deploy it again to bring it back; the data stay.")
        else:
            self.headline.setText(f"Nothing runs on {place}")
            self.reason.setText(f"Why here: {plan.reason}" if plan else "Looking at what is here …")
        self.deploy.setText(f"Deploy on {place}")
        self.deploy.setVisible(not busy and not failed)
        self.deploy.setEnabled(plan is not None and self._places.moving is None)
        self.deploy.setToolTip("Some checks failed; see below" if blocked else "")
        self.cancel.setVisible(busy and deployment.kind in ("up", "fix"))
        self.cancel.setEnabled(deployment.can_cancel)
        self.back.setVisible(failed)
        self.taken.setVisible(busy)
        self.progress.setVisible(busy)
        self.place.show_places()
        self.place.setVisible(self.place.offers and not busy and not failed)
        self.plan.setVisible(plan is not None and not busy and not failed)
        self.checks.setVisible(bool(deployment.checks) and not busy and (not failed or bool(blocked)))
        if plan is not None:
            self.plan.show_plan(plan)
        self.checks.show_checks(deployment.checks)
        failure = deployment.failure
        self.failure.setVisible(failure is not None)
        if failure is not None:
            self.failure.show_failure(failure.what, failure.why, failure.remedy)
            self.failed_log.setVisible(failure.service is not None)
        self._update_steps()
        self.show_body()

    def _status_changed(self, _: object) -> None:
        ended = ended_unexpectedly(self.context.monitor.status)
        if ended != self._ended:  # nothing else here depends on the services
            self._ended = ended
            self._update()

    def _update_steps(self) -> None:
        deployment = self._deployment
        self.steps.show_steps(deployment.steps if deployment.phase is not Phase.IDLE else [])
        self.taken.setText(elapsed(deployment.elapsed_s))
        self.progress.setValue(round(deployment.progress * 1000))

    def _show_failed_log(self) -> None:
        failure = self._deployment.failure
        if failure is not None and failure.service:
            self.show_log(failure.service)

    def _dismiss(self) -> None:
        self._deployment.dismiss()
        self._deployment.prepare()


class _FailureCard(QFrame):
    """What failed, why, what to do, and the buttons to do it."""

    def __init__(self, *, theme: ThemeController) -> None:
        super().__init__()
        set_role(self, "card")
        self.what = label("", "subtitle", wrap=True)
        sign = StateSign(theme=theme, state="failed", size=14)
        self.why = label("", wrap=True)
        self.remedy = label("", "muted", wrap=True)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(GAP_SMALL)
        self._buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP, GAP_LARGE, GAP)
        layout.setSpacing(GAP_SMALL)
        head = QHBoxLayout()
        head.setSpacing(GAP_SMALL)
        head.addWidget(sign)
        head.addWidget(self.what, 1)
        layout.addLayout(head)
        for widget in (self.why, self.remedy):
            layout.addWidget(widget)
        layout.addLayout(self._buttons)

    def add_buttons(self, *buttons: QPushButton) -> None:
        for button in buttons:
            self._buttons.addWidget(button)

    def show_failure(self, what: str, why: str, remedy: str) -> None:
        for widget, text in ((self.what, what), (self.why, why), (self.remedy, remedy)):
            widget.setText(text)
            widget.setVisible(bool(text))
