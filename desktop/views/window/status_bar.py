"""The status bar: the stream in figures, and one sentence on what is wrong."""

import math
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from desktop.model.ended import ended_unexpectedly
from desktop.model.figures import THIN, UNKNOWN, milliseconds, size, thousands
from desktop.model.health import Severity
from desktop.model.palette import GAP_LARGE, GAP_SMALL, GRID
from desktop.model.plain_text import tool_tip
from desktop.model.refused.words import RECORDS, REQUESTS, figure
from desktop.model.snapshot import FeedStats
from desktop.qtmodels.deployment import Deployment
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.theme import ThemeController
from desktop.views.widgets.figure import Elided, Figure
from desktop.views.widgets.roles import label, set_role
from desktop.views.widgets.signs import StateSign

HEIGHT: Final = 28
HEALTHY: Final = "Stream healthy"

#: What gives way first when the sentence needs room: indices into the cells.
YIELD: Final = (6, 2, 5, 4, 1, 3)


class _Cell(QWidget):
    """A figure with its words."""

    def __init__(self, before: str, template: str, after: str, hint: str) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, GAP_LARGE, 0)
        layout.setSpacing(GRID)
        if before:
            layout.addWidget(label(before, "caption"))
        self.figure = Figure(template, role="caption", right=bool(after))
        layout.addWidget(self.figure)
        if after:
            layout.addWidget(label(after, "caption"))
        self.words = f"{before} {{}} {after}".strip()
        self.setToolTip(tool_tip(hint))

    def set_text(self, text: str) -> None:
        self.figure.setText(text)
        self.setAccessibleName(self.words.format(text))


class _ListButton(QToolButton):
    """A figure with its words that opens a list; in a narrow window the words are shorter."""

    def __init__(self, name: str, *, short: str, hint: str) -> None:
        super().__init__()
        set_role(self, "cell")
        self._name, self._short, self._hint = name, short, hint
        self._figure, self._narrow = UNKNOWN, False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_figure(UNKNOWN, "")

    def set_figure(self, text: str, note: str) -> None:
        self._figure = text
        self.setAccessibleName(f"{self._name}: {text}. Open the list")
        self.setToolTip(tool_tip("\n".join(part for part in (f"{self._name}: {text}", self._hint, note) if part)))
        self._say()

    def set_narrow(self, narrow: bool) -> None:
        self._narrow = narrow
        self._say()

    def width_of(self, *, narrow: bool) -> int:
        """Width with the long or the short words."""
        advance = self.fontMetrics().horizontalAdvance
        frame = self.sizeHint().width() - advance(self.text())
        return advance(self._text(narrow)) + frame + GAP_SMALL

    def _text(self, narrow: bool) -> str:
        return f"{self._short if narrow else self._name.lower()} {self._figure}"

    def _say(self) -> None:
        if self.text() != self._text(self._narrow):
            self.setText(self._text(self._narrow))


class StatusBar(QFrame):
    """Figures twice a second. While detached they are unknown, not zero.

    Signals:
        refused_wanted(int): the list of refused records (0) or rejected requests (1) was asked for.
    """

    refused_wanted = Signal(int)

    def __init__(
        self, *, monitor: Monitor, deployment: Deployment, theme: ThemeController, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        set_role(self, "status")
        self.setFixedHeight(HEIGHT)
        self._monitor = monitor
        self._deployment = deployment
        self.cells = [
            _Cell("", f"88{THIN}888", "readings/s", "Readings that came from Kafka, per second, over the last 5 s"),
            _Cell(
                "",
                "888 ms",
                "device→screen",
                "From a reading's timestamp to the frame that shows it; median of the last second",
            ),
            _Cell("", "30", "frames/s", "Frames drawn per second"),
            _Cell("lag", f"8{THIN}888", "", "Records in the topic that this window has not read yet"),
            _Cell("windows", "8.8 s", "after end", "How long after its end the newest window became visible here"),
            _Cell("late", "888", "", "Readings that Spark left out of windows because they came too late"),
            _Cell("buffers", "888 MB", "", "Memory of the readings and windows kept here"),
        ]
        self.refused = [
            _ListButton(RECORDS, short="refused", hint="Records of processed_messages that became dead letters"),
            _ListButton(REQUESTS, short="rejected", hint="Requests and batch items that paai did not accept"),
        ]
        for number, button in enumerate(self.refused):
            button.clicked.connect(lambda _=False, number=number: self.refused_wanted.emit(number))
        self.sign = StateSign(theme=theme, state="stopped", size=10)
        self.sentence = Elided(mode=Qt.TextElideMode.ElideRight, role="caption")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, 0, GAP_LARGE, 0)
        layout.setSpacing(0)
        for cell in self.cells:
            layout.addWidget(cell)
        for button in self.refused:
            layout.addWidget(button)
            layout.addSpacing(GAP_SMALL)
        layout.addSpacing(GAP_SMALL)
        layout.addWidget(self.sign)
        layout.addSpacing(GAP_SMALL)
        layout.addWidget(self.sentence, 1)
        monitor.stats_changed.connect(self._show)
        monitor.refused_changed.connect(self._show_refused)
        monitor.health_changed.connect(self._say)
        monitor.attached.connect(self._say)
        monitor.detached.connect(self._clear)
        monitor.status_changed.connect(self._say)
        deployment.phase_changed.connect(self._say)
        self._clear()

    def _show(self, stats: FeedStats) -> None:
        frames = self._monitor.frames_per_s
        # A reading waits half a frame on average, then for the frame to be computed and drawn.
        wait_ms = 500 / frames + self._monitor.snapshot_ms if frames else 0.0
        texts: tuple[str, ...] = (
            thousands(stats.readings_per_s),
            milliseconds(stats.latency_ms + wait_ms),
            thousands(frames) if frames else UNKNOWN,
            UNKNOWN if stats.consumer_lag < 0 else thousands(stats.consumer_lag),
            UNKNOWN if not math.isfinite(stats.window_delay_s) else f"{stats.window_delay_s:.1f} s",
            thousands(stats.late_rows),
            size(stats.buffer_bytes),
        )
        for cell, text in zip(self.cells, texts, strict=True):
            cell.set_text(text)

    def _clear(self) -> None:
        for cell in self.cells:
            cell.set_text(UNKNOWN)
        self._show_refused()
        self._say()

    def _show_refused(self) -> None:
        records, requests = self._monitor.refused_records, self._monitor.rejected_requests
        self.refused[0].set_figure(figure(records.total), self._monitor.refused_difference or records.trouble)
        self.refused[1].set_figure(figure(requests.total), requests.trouble)
        self._make_room()

    def _say(self, _: object = None) -> None:
        health, report = self._monitor.health, self._monitor.health_report
        if health:
            starting = report is not None and report.sentence == health and report.severity is Severity.INFO
            state, sentence = "starting" if starting else "degraded", health
        elif self._monitor.is_attached:
            state, sentence = "running", HEALTHY
        elif self._deployment.busy:
            state, sentence = "starting", f"{self._deployment.title.lower()} …"
        elif self._deployment.failure is not None:
            state, sentence = "failed", self._deployment.failure.what
        elif ended_unexpectedly(self._monitor.status):
            state, sentence = "failed", "The system ended unexpectedly. Deploy it again"
        else:
            state, sentence = "stopped", "Stopped"
        self.sign.set_state(state)
        self.sentence.set_text(sentence)
        self._make_room()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """The sentence is read whole if anything can give way to it."""
        attached = self._monitor.is_attached
        needed = self.sentence.sizeHint().width() + 2 * GAP_LARGE + 3 * GAP_SMALL + 10
        widths = {i: cell.sizeHint().width() for i, cell in enumerate(self.cells)}
        lists = [sum(b.width_of(narrow=narrow) for b in self.refused) for narrow in (False, True)] if attached else [0, 0]
        used = needed + sum(widths.values())
        # While detached there is no figure to show.
        gone: set[int] = set() if attached else set(widths)
        narrow = used + lists[False] > self.width()
        used += lists[narrow]
        for i in YIELD:
            if used <= self.width() or i in gone:
                break
            gone.add(i)
            used -= widths[i]
        for i, cell in enumerate(self.cells):
            cell.setVisible(i not in gone)
        for button in self.refused:
            button.set_narrow(narrow)
            button.setVisible(attached)
