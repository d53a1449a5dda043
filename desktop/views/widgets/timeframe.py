"""Choosing a time frame: presets that end now, or from … to, and always said in which clock."""

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QDateTime, QTimeZone, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QDateTimeEdit,
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.model.palette import GAP_SMALL
from desktop.plots.ticks import zone_label
from desktop.views.widgets.roles import label, set_role

#: Seconds back from now, and label.
PRESETS: Final[tuple[tuple[float, str], ...]] = (
    (300.0, "5 min"),
    (900.0, "15 min"),
    (3600.0, "1 h"),
    (21_600.0, "6 h"),
    (86_400.0, "24 h"),
)
CUSTOM: Final = "Custom"
_FIRST_PRESET_S: Final = 900.0


class TimeFrameBar(QWidget):
    """Presets and two fields.

    Attributes:
        start_edit, end_edit: The fields; editing one means a custom frame.
        preset_s: The preset in force, seconds back from now; None = custom.

    Signals:
        changed(): another time frame.
    """

    changed = Signal()

    def __init__(
        self,
        *,
        utc: bool = False,
        clock: Callable[[], float] = time.time,
        presets: tuple[tuple[float, str], ...] = PRESETS,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._utc = utc
        self._filling = False
        self.preset_s: float | None = _FIRST_PRESET_S
        self.buttons: dict[float | None, QToolButton] = {}
        self._group = QButtonGroup(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_SMALL)
        self._first = QHBoxLayout()
        self._first.setSpacing(GAP_SMALL)
        self._first.addWidget(self._segments(presets))
        self._first.addStretch(1)
        layout.addLayout(self._first)
        self.start_edit, self.end_edit = self._edit("From"), self._edit("To")
        self.zone = label(role="caption")
        self.covers = label(role="muted")
        self._fields = QWidget()
        row = QHBoxLayout(self._fields)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP_SMALL)
        for widget in (self.start_edit, label("to", "muted"), self.end_edit, self.zone):
            row.addWidget(widget)
        row.addStretch(1)
        # Both are as high, so that nothing moves when one takes the other's place.
        self._line = QStackedWidget()
        self._line.addWidget(self.covers)
        self._line.addWidget(self._fields)
        self._line.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        layout.addWidget(self._line)
        self.set_utc(utc)
        self.choose(self.preset_s)

    def _segments(self, presets: tuple[tuple[float, str], ...]) -> QWidget:
        frame = set_role(QFrame(), "tag")
        frame.setAccessibleName("Time frame")
        row = QHBoxLayout(frame)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(0)
        choices: tuple[tuple[float | None, str], ...] = (*presets, (None, CUSTOM))
        for seconds, text in choices:
            button = set_role(QToolButton(), "segment")
            button.setText(text)
            button.setCheckable(True)
            button.setToolTip("Choose from and to" if seconds is None else f"The last {text}")
            button.clicked.connect(lambda _=False, s=seconds: self.choose(s))
            self._group.addButton(button)
            self.buttons[seconds] = button
            row.addWidget(button)
        return frame

    def _edit(self, name: str) -> QDateTimeEdit:
        edit = QDateTimeEdit()
        edit.setDisplayFormat("yyyy-MM-dd HH:mm:ss")
        edit.setCalendarPopup(True)
        edit.setAccessibleName(name)
        edit.dateTimeChanged.connect(self._edited)
        return edit

    def add_right(self, widget: QWidget) -> None:
        """Put a button at the right of the presets."""
        self._first.addWidget(widget)

    def choose(self, preset_s: float | None) -> None:
        """Take a preset, or None for what the fields say."""
        self.preset_s = preset_s
        self.buttons[preset_s].setChecked(True)
        self._line.setCurrentWidget(self._fields if preset_s is None else self.covers)
        self.refresh()
        self.changed.emit()

    def refresh(self) -> None:
        """Let a preset end at now."""
        if self.preset_s is not None:
            now = self._clock()
            self._fill(now - self.preset_s, now)

    def set_range(self, start: float, end: float) -> None:
        """A custom frame, seconds since the epoch."""
        self._fill(start, end)
        self.choose(None)

    def range(self) -> tuple[float, float]:
        """Start and end, seconds since the epoch; a preset ends at now."""
        self.refresh()
        # Fields show whole seconds: the end of the last second belongs to the frame.
        return self.start_edit.dateTime().toMSecsSinceEpoch() / 1e3, self.end_edit.dateTime().toMSecsSinceEpoch() / 1e3

    def set_utc(self, utc: bool) -> None:
        """Show the fields in UTC, or in local time."""
        start, end = self.start_edit.dateTime(), self.end_edit.dateTime()
        self._utc = utc
        zone = QTimeZone.utc() if utc else QTimeZone.systemTimeZone()
        self._filling = True
        for edit, value in ((self.start_edit, start), (self.end_edit, end)):
            edit.setTimeZone(zone)
            edit.setDateTime(value.toTimeZone(zone))
        self._filling = False
        self.zone.setText(zone_label(self._clock(), utc=utc))
        self._say()

    def problem(self) -> str:
        """What is wrong with the frame; empty when nothing is."""
        start, end = self.range()
        if start >= end:
            return "The time frame ends before it begins: choose a later end."
        if start > self._clock():
            return "The time frame lies in the future: choose an earlier start."
        return ""

    def _fill(self, start: float, end: float) -> None:
        zone = QTimeZone.utc() if self._utc else QTimeZone.systemTimeZone()
        self._filling = True
        self.start_edit.setDateTime(QDateTime.fromMSecsSinceEpoch(round(start * 1e3), zone))
        self.end_edit.setDateTime(QDateTime.fromMSecsSinceEpoch(round(end * 1e3), zone))
        self._filling = False
        self._say()

    def _say(self) -> None:
        start, end = (edit.dateTime().toString("yyyy-MM-dd HH:mm:ss") for edit in (self.start_edit, self.end_edit))
        self.covers.setText(f"{start} – {end[11:] if start[:10] == end[:10] else end}  ·  {self.zone.text()}")

    def _edited(self) -> None:
        if not self._filling:
            self.choose(None)
