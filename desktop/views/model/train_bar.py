"""What to train on, the training that runs, and what became of the last one."""

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from backend.contract.devices import DEVICE_TYPES
from desktop.model.figures import elapsed, percent
from desktop.model.palette import GAP, GAP_LARGE, GAP_SMALL
from desktop.model.plain_text import tool_tip
from desktop.model.predictor.training import Training
from desktop.model.predictor.words import Outcome, moment
from desktop.qtmodels.theme import ThemeController
from desktop.views.widgets.figure import Elided
from desktop.views.widgets.roles import label, set_role
from desktop.views.widgets.signs import StateSign
from desktop.views.widgets.timeframe import PRESETS, TimeFrameBar

#: Whatever was stored of it is taken, so that it suits a system that began minutes ago as well as an old one.
_FIRST_FRAME_S: Final = 3600.0


class TrainBar(QWidget):
    """Shows; decides nothing.

    Attributes:
        frame: The time frame.
        sensors: A box a sensor.
        promote: Whether to promote a model that is better.
        train, cancel: The buttons.

    Signals:
        dismissed(): the outcome shown need not be shown any more.
    """

    dismissed = Signal()

    def __init__(
        self, *, theme: ThemeController, utc: bool, clock: Callable[[], float] = time.time, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self.frame = TimeFrameBar(utc=utc, clock=clock, presets=PRESETS[1:])  # five minutes are never enough
        self.frame.choose(_FIRST_FRAME_S)
        self.sensors = {t.sensor: QCheckBox(t.label) for t in DEVICE_TYPES}
        for box in self.sensors.values():
            box.setChecked(True)
            box.toggled.connect(self._chosen)
        self.promote = QCheckBox("Promote if better than simple forecasts")
        self.promote.setChecked(True)
        self.promote.setToolTip(
            tool_tip(
                "Score the stream with the new model at once if its band and what it finds beat every simple forecast.\n"
                "It is not compared with the model that is promoted: look at both cards."
            )
        )
        self.train = set_role(QPushButton("Train"), "primary")
        self.cancel = QPushButton("Cancel")
        self.cancel.setAccessibleName("Cancel the training")
        self.frame.add_right(self.cancel)
        self.frame.add_right(self.train)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the training")
        self.stage = Elided(mode=Qt.TextElideMode.ElideRight, role="muted")
        self.sign = StateSign(theme=theme)
        self.headline = label(role="strong", wrap=True)
        self.reasons = label(role="muted", wrap=True)
        self.dismiss = set_role(QPushButton("Dismiss"), "quiet")
        self.dismiss.clicked.connect(self.dismissed)
        self._can_train = False
        self._lay_out()
        self.show_training(None)
        self.show_outcome(None)

    def _lay_out(self) -> None:
        choice = QHBoxLayout()
        choice.setSpacing(GAP_LARGE)
        choice.addWidget(label("Sensors", "muted"))
        for box in self.sensors.values():
            choice.addWidget(box)
        choice.addStretch(1)
        choice.addWidget(self.promote)
        self._running = QWidget()
        running = QVBoxLayout(self._running)
        running.setContentsMargins(0, GAP_SMALL, 0, 0)
        running.setSpacing(GAP_SMALL)
        running.addWidget(self.progress)
        running.addWidget(self.stage)
        self._ended = QWidget()
        ended = QHBoxLayout(self._ended)
        ended.setContentsMargins(0, GAP_SMALL, 0, 0)
        ended.setSpacing(GAP_SMALL)
        texts = QVBoxLayout()
        texts.setSpacing(GAP_SMALL // 2)
        texts.addWidget(self.headline)
        texts.addWidget(self.reasons)
        top = Qt.AlignmentFlag.AlignTop
        sign = QVBoxLayout()
        sign.setContentsMargins(0, 3, 0, 0)
        sign.addWidget(self.sign, 0, top)
        sign.addStretch(1)
        ended.addLayout(sign)
        ended.addLayout(texts, 1)
        ended.addWidget(self.dismiss, 0, top)
        column = QVBoxLayout(self)
        column.setContentsMargins(GAP_LARGE, GAP, GAP_LARGE, GAP)
        column.setSpacing(GAP_SMALL)
        column.addWidget(self.frame)
        column.addLayout(choice)
        column.addWidget(self._running)
        column.addWidget(self._ended)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the sensors ticked."""
        return tuple(sensor for sensor, box in self.sensors.items() if box.isChecked())

    def set_operable(self, on: bool) -> None:
        """Whether a training can be begun."""
        self._can_train = on
        self._chosen()

    def show_training(self, training: Training | None) -> None:
        """The one that runs, or none."""
        self._running.setVisible(training is not None)
        self.cancel.setVisible(training is not None)
        if training is None:
            return
        self.cancel.setEnabled(training.state == "running")
        self.progress.setValue(round(training.progress * 1000))
        since = elapsed(max(0.0, self._clock() - moment(training.started))) if training.started else ""
        message = training.message[:1].upper() + training.message[1:]
        self.stage.set_text("  ·  ".join(part for part in (percent(training.progress), message, since) if part))

    def show_outcome(self, outcome: Outcome | None) -> None:
        """What became of the last one."""
        self._ended.setVisible(outcome is not None)
        if outcome is not None:
            self.sign.set_state(outcome.line.sign)
            self.headline.setText(outcome.line.text)
            self.reasons.setText("\n".join(outcome.reasons))
            self.reasons.setVisible(bool(outcome.reasons))

    def _chosen(self) -> None:
        self.train.setEnabled(self._can_train and bool(self.chosen))
        self.train.setToolTip("" if self.chosen else "Tick a sensor first")
