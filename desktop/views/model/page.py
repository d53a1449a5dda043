"""The model page: how prediction stands, train, compare versions, promote."""

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop.model.palette import GAP, GAP_LARGE, GAP_SMALL, Palette
from desktop.model.plain_text import tool_tip
from desktop.model.predictor.card import Models, Version, shortcomings
from desktop.model.predictor.words import outcome, state_line
from desktop.qtmodels.prediction import Link, MakeLink, Prediction
from desktop.qtmodels.versions import Column, VersionsModel
from desktop.services.errors import ServiceError
from desktop.services.mongo import open_client
from desktop.services.predictor_client import PredictorClient
from desktop.services.scoring_progress import fetch_scoring
from desktop.views.model.card_view import CardView
from desktop.views.model.train_bar import TrainBar
from desktop.views.page import Page, PageContext
from desktop.views.widgets.confirm import confirmed
from desktop.views.widgets.figure import Elided
from desktop.views.widgets.roles import hairline, label, set_role
from desktop.views.widgets.signs import StateSign
from desktop.views.widgets.state_panel import StatePanel
from desktop.views.widgets.table import rows_table
from stack.target import Endpoints

_ROW_PX: Final = 28
#: More rows than this are scrolled to.
_ROWS: Final = 5
_WIDTHS: Final = {
    Column.VERSION: 76,
    Column.STATE: 152,
    Column.TRAINED: 128,
    Column.DATA: 200,
    Column.READINGS: 96,
}


def predictor_link(endpoints: Endpoints) -> Link:
    """The real one."""
    client = PredictorClient(endpoints.predictor, token=endpoints.admin_token or endpoints.token)
    mongo = open_client(endpoints.mongo)

    def close() -> None:
        client.close()
        mongo.close()

    return Link(api=client, scoring=lambda: fetch_scoring(mongo), close=close)


class ModelPage(Page):
    """Asks only while it is shown, or while a training is to be promoted.

    Attributes:
        prediction: What is known, and what can be done.
        bar: Choosing and training.
        model, table: The versions.
        card: The selected one.
    """

    key = "model"
    title = "Model"
    icon = "model"

    def __init__(
        self,
        *,
        context: PageContext,
        make_link: MakeLink = predictor_link,
        clock: Callable[[], float] = time.time,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(context=context, parent=parent)
        self._clock = clock
        self._known: set[str] = set()
        self._dismissed = ""
        self._refused: Exception | None = None
        self._problem = ""
        self.prediction = Prediction(
            monitor=context.monitor,
            run_task=context.run_task,
            settings=context.settings,
            notifications=context.notifications,
            make_link=make_link,
            parent=self,
        )
        self.sign = StateSign(theme=context.theme)
        self.sentence = Elided(mode=Qt.TextElideMode.ElideRight, role="strong")
        self.anomalies = set_role(QPushButton("Anomalies"), "link")
        kept = self.anomalies.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.anomalies.setSizePolicy(kept)
        self.bar = TrainBar(theme=context.theme, utc=self._utc, clock=clock)
        self.roll_back = QPushButton("Roll back …")
        self.model = VersionsModel(clock=clock, parent=self)
        self.table = self._build_table()
        self.card = CardView(theme=context.theme, clock=clock)
        self.nothing = StatePanel(theme=context.theme, icon="model")
        self._versions = QWidget()
        self.set_body(self._lay_out())
        self._connect()
        self._update()

    # Building

    def _build_table(self) -> QTableView:
        table = rows_table("Versions", row_px=_ROW_PX)
        table.setModel(self.model)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)
        for column, width in _WIDTHS.items():
            table.setColumnWidth(column, width)
        return table

    def _lay_out(self) -> QWidget:
        top = QHBoxLayout()
        top.setContentsMargins(GAP_LARGE, GAP, GAP_LARGE, GAP)
        top.setSpacing(GAP_SMALL)
        top.addWidget(self.sign)
        top.addWidget(self.sentence, 1)
        top.addWidget(self.anomalies)
        heading = QHBoxLayout()
        heading.setContentsMargins(GAP_LARGE, GAP_SMALL, GAP_LARGE, GAP_SMALL // 2)
        heading.addWidget(label("VERSIONS", "heading"), 1)
        heading.addWidget(self.roll_back)
        versions = QVBoxLayout(self._versions)
        versions.setContentsMargins(0, 0, 0, 0)
        versions.setSpacing(0)
        versions.addLayout(heading)
        versions.addWidget(self.table)
        versions.addWidget(hairline())
        versions.addWidget(self.card)
        versions.addStretch(1)
        inner = set_role(QFrame(), "panel")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(hairline())
        column.addWidget(self.nothing, 1)
        column.addWidget(self._versions, 1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        body = QWidget()
        body.setObjectName("LiveBody")
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(hairline())
        layout.addWidget(area, 1)
        return body

    def _connect(self) -> None:
        prediction, monitor = self.prediction, self.context.monitor
        self.bar.train.clicked.connect(self.train)
        self.bar.cancel.clicked.connect(prediction.cancel)
        self.bar.dismissed.connect(self._dismiss)
        self.bar.frame.changed.connect(self._frame_changed)
        self.card.promote.clicked.connect(self.promote)
        self.card.remove.clicked.connect(self.remove)
        self.roll_back.clicked.connect(self._roll_back)
        self.anomalies.clicked.connect(lambda _=False: self.wanted.emit("anomalies", None))
        self.banner.dismiss.clicked.connect(self._accept)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_card())
        self.track(prediction.changed, self._update)
        self.track(prediction.failed, self._failed)
        self.track(monitor.attached, prediction.attached)
        self.track(monitor.detached, prediction.detached)
        action = QAction("Train a model", self)
        action.setShortcut(QKeySequence("Ctrl+Return"))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda _=False: self.train())
        self.addAction(action)

    # Page

    def shown(self) -> None:
        self.bar.frame.set_utc(self._utc)
        self.bar.frame.refresh()
        self.prediction.watch(True)

    def hidden(self) -> None:
        self.prediction.watch(False)

    def closing(self) -> None:
        super().closing()
        self.prediction.close()

    def apply_palette(self, palette: Palette) -> None:
        self.card.set_palette(palette)

    # What the user does

    def train(self) -> None:
        """Begin a training on what is chosen."""
        if not self.bar.train.isEnabled():
            return
        self._accept()
        self._problem = self.bar.frame.problem()
        if self._problem:
            self._update()
            return
        start, end = self.bar.frame.range()
        chosen = self.bar.chosen
        sensors = () if len(chosen) == len(self.bar.sensors) else chosen
        self.prediction.train(start=start, end=end, sensors=sensors, promote=self.bar.promote.isChecked())

    def promote(self) -> None:
        """Score the stream with the selected version; one that is not better is asked about first."""
        version = self.card.version
        if version is None or version.promoted:
            return
        short = shortcomings(version.card)
        if short and not confirmed(
            self, f"Promote {version.version} all the same?", at_stake="\n".join(short), button="Promote"
        ):
            return
        self._accept()
        self.prediction.promote(version.version)

    def remove(self) -> None:
        """Remove the selected version."""
        version = self.card.version
        if version is None or version.promoted:
            return
        at_stake = "Its file and its card are removed. This cannot be undone; training again makes a new version."
        if confirmed(self, f"Remove {version.version}?", at_stake=at_stake, button="Remove"):
            self._accept()
            self.prediction.delete(version.version)

    def _roll_back(self) -> None:
        models = self.prediction.models
        if models is None or models.serving is None or models.previous is None:
            return
        serving, previous = models.serving.version, models.previous
        at_stake = f"{previous}, which was promoted before {serving}, scores the stream again. {serving} is kept."
        if confirmed(self, f"Roll back to {previous}?", at_stake=at_stake, button="Roll back"):
            self._accept()
            self.prediction.roll_back()

    def _failed(self, error: Exception) -> None:
        self._refused = error
        self._update()

    def _accept(self) -> None:
        """What was refused need not be shown any more."""
        self._refused, self._problem = None, ""
        self.banner.hide()

    def _frame_changed(self) -> None:
        if self._problem:
            self._accept()

    def _dismiss(self) -> None:
        last = self.prediction.last
        self._dismissed = last.job if last is not None else ""
        self._update()

    # What is shown

    @property
    def _utc(self) -> bool:
        return self.context.settings.flag("live/utc")

    def _update(self) -> None:
        prediction = self.prediction
        models, error = prediction.models, prediction.error or self._refused
        if models is None and error is None:
            self.show_loading("Asking the predictor …")
            return
        if models is not None:
            self.show_body()
            self._show_models(models)
        if error is not None:
            self._show_trouble(error)
        elif self._problem:
            self.show_error(self._problem)

    def _show_trouble(self, error: Exception) -> None:
        known = error if isinstance(error, ServiceError) else ServiceError(str(error))
        self.show_error(known.what + ".", known.why, known.remedy, self._go_to_services, button="Services")

    def _go_to_services(self) -> None:
        self.wanted.emit("services", None)

    def _show_models(self, models: Models) -> None:
        prediction = self.prediction
        free = not prediction.doing and prediction.error is None
        line = state_line(models, prediction.scoring, now=self._clock(), utc=self._utc)
        self.sign.set_state(line.sign)
        self.sentence.set_text(line.text)
        self.anomalies.setVisible(models.serving is not None)
        self.bar.frame.refresh()
        self.bar.set_operable(free and prediction.running is None)
        self.bar.show_training(prediction.running)
        self._show_outcome(models)
        self._show_versions(models)
        self.card.set_operable(free)
        self.roll_back.setEnabled(free and models.serving is not None and models.previous is not None)
        self.roll_back.setToolTip(
            tool_tip(f"Promote {models.previous} again, which was promoted before")
            if models.previous is not None
            else "No other version was promoted before"
        )

    def _show_outcome(self, models: Models) -> None:
        last = self.prediction.last
        if last is None or last.running or last.job == self._dismissed:
            self.bar.show_outcome(None)
            return
        version = models.get(last.result.version) if last.result is not None else None
        self.bar.show_outcome(outcome(last, version))

    def _show_versions(self, models: Models) -> None:
        rows = models.models
        self._versions.setVisible(bool(rows))
        self.nothing.setVisible(not rows)
        if not rows:
            self._known = set()
            self._say_nothing()
            return
        before = self.card.version
        if self.model.set_rows(rows, utc=self._utc):
            self.table.setFixedHeight(self.table.horizontalHeader().sizeHint().height() + _ROW_PX * min(len(rows), _ROWS) + 4)
            new = rows[0] if self._known and rows[0].version not in self._known else None
            kept = models.get(before.version) if before is not None else None
            self._select(new or kept or models.serving or rows[0])
            self._known = {r.version for r in rows}
        self._show_card()

    def _say_nothing(self) -> None:
        if self.prediction.running is not None:
            self.nothing.show_empty("The first model is being trained", "It takes a minute or two. You may leave this page.")
        else:
            self.nothing.show_empty(
                "No model yet",
                "Training learns each sensor's normal behaviour from stored readings. Ten minutes of a fleet at one "
                "reading a second are enough for a first one; a training that needs more says how much.",
            )

    def _select(self, version: Version) -> None:
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.table.selectionModel().setCurrentIndex(self.model.index(self.model.row_of(version.version), 0), flags)

    def _show_card(self) -> None:
        version = self.model.version(self.table.currentIndex().row())
        if version is not None:
            self.card.show_version(version, utc=self._utc)
            self.card.set_operable(not self.prediction.doing and self.prediction.error is None)
