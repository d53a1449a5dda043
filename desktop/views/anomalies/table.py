"""Events as a table: changed cells are announced, rows come and go one by one, so that a selection stays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from backend.contract.devices import BY_SENSOR
from desktop.model.figures import elapsed
from desktop.model.plain_text import tool_tip
from desktop.model.predictions.event import Event, EventKey
from desktop.model.predictions.words import GRADES, kind_word
from desktop.plots.figures import elide_middle
from desktop.views.widgets.table import beside

Index = QModelIndex | QPersistentModelIndex
_NOWHERE: Final = QModelIndex()

#: The `Event` of the row.
EVENT_ROLE: Final = Qt.ItemDataRole.UserRole

_DEVICE_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Look:
    """How times are told.

    Attributes:
        now: Seconds since the epoch.
        utc: In UTC instead of local time.
    """

    now: float
    utc: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, its text, what it sorts by, and its usual width."""

    title: str
    text: Callable[[Event, Look], str]
    sort: Callable[[Event], Any]
    width: int
    right: bool = False


def sensor_word(event: Event) -> str:
    """The sensor's name for people."""
    known = BY_SENSOR.get(event.key.sensor)
    return known.label if known else event.key.sensor


def moment_text(t: float, look: Look) -> str:
    """``12:41:05``; with the day where it is another one."""
    at, now = (datetime.fromtimestamp(x, UTC) for x in (t, look.now))
    if not look.utc:
        at, now = at.astimezone(), now.astimezone()
    return f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%d.%m. %H:%M:%S}"


def lasted(event: Event, look: Look) -> str:
    """``41 s``; what goes on says so."""
    if event.ongoing(look.now * 1000):
        so_far = max(0.0, look.now - event.start_ms / 1e3)
        # Above a minute without seconds: nobody needs to see them run.
        return f"{elapsed(so_far) if so_far < 60 else _minutes(so_far)}, ongoing"
    if event.end_ms <= event.start_ms:
        return "one reading" if event.readings == 1 else "a moment"
    return elapsed((event.end_ms - event.start_ms) / 1e3)


def _minutes(seconds: float) -> str:
    hours, minutes = divmod(int(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def without_kind(event: Event) -> str:
    """The reason without the word that stands in the column before it."""
    word, colon, rest = event.reason.partition(": ")
    if not colon or word.casefold() != kind_word(event.key.kind).casefold():
        return event.reason
    return rest[:1].upper() + rest[1:]


def state_word(event: Event) -> str:
    """Return whether it is acknowledged, and by whom."""
    return f"acknowledged by {event.acknowledged_by or 'an unknown user'}" if event.acknowledged else "unacknowledged"


COLUMNS: Final[tuple[Column, ...]] = (
    Column("Severity", lambda e, _: GRADES[e.grade], lambda e: (e.grade, e.start_ms), 92),
    Column("Device", lambda e, _: elide_middle(e.key.device_id, _DEVICE_CHARS), lambda e: e.key.device_id, 176),
    Column("Sensor", lambda e, _: sensor_word(e), sensor_word, 112),
    Column("Kind", lambda e, _: kind_word(e.key.kind), lambda e: kind_word(e.key.kind), 118),
    Column("Began", lambda e, look: moment_text(e.start_ms / 1e3, look), lambda e: e.start_ms, 90),
    Column("Lasted", lasted, lambda e: e.end_ms - e.start_ms, 112),
    Column("Score", lambda e, _: f"{e.score:.2f}", lambda e: e.score, 64, right=True),
    Column("State", lambda e, _: state_word(e), lambda e: (e.acknowledged, e.acknowledged_by), 144),
    Column("Reason", lambda e, _: without_kind(e), lambda e: e.reason, 240),
)
SEVERITY, DEVICE, SENSOR, KIND, BEGAN, LASTED, SCORE, STATE, REASON = range(len(COLUMNS))


class EventTable(QAbstractTableModel):
    """Events, the newest first. GUI thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._events: list[Event] = []
        self._look = Look(0.0, utc=True)

    @property
    def events(self) -> list[Event]:
        """In the order of the rows."""
        return self._events

    def row_of(self, key: EventKey) -> int:
        """Row of an event, or -1."""
        return next((i for i, e in enumerate(self._events) if e.key == key), -1)

    def set_events(self, events: Sequence[Event]) -> None:
        """Show these, which `EventLog.events` gave: its order depends on what an event is, not on what becomes of it."""
        wanted = {e.key for e in events}
        gone = [i for i, e in enumerate(self._events) if e.key not in wanted]
        for first, last in reversed(_runs(gone)):
            self.beginRemoveRows(_NOWHERE, first, last)
            del self._events[first : last + 1]
            self.endRemoveRows()
        known = {e.key for e in self._events}
        new = [i for i, e in enumerate(events) if e.key not in known]
        for first, last in _runs(new):
            self.beginInsertRows(_NOWHERE, first, last)
            self._events[first:first] = events[first : last + 1]
            self.endInsertRows()
        for row, event in enumerate(events):
            if self._events[row] != event:
                self._events[row] = event
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))

    def set_look(self, look: Look) -> None:
        """Time goes on, or is told in another way."""
        before, self._look = self._look, look
        if not self._events:
            return
        if before.utc != look.utc:
            self.dataChanged.emit(self.index(0, BEGAN), self.index(len(self._events) - 1, BEGAN))
        for row, event in enumerate(self._events):
            if event.ongoing(before.now * 1000) or event.ongoing(look.now * 1000):
                self.dataChanged.emit(self.index(row, LASTED), self.index(row, LASTED))

    # QAbstractTableModel

    def rowCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else len(self._events)

    def columnCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        event, column = self._events[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(event, self._look)
        if role == EVENT_ROLE:
            return event
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return beside(right=column.right)
        if role == Qt.ItemDataRole.ToolTipRole:
            texts = {DEVICE: event.key.device_id, REASON: event.reason}
            return tool_tip(texts[index.column()]) if index.column() in texts else None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{column.title}: {column.text(event, self._look)}"
        return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        return beside(right=COLUMNS[section].right) if role == Qt.ItemDataRole.TextAlignmentRole else None


def _runs(rows: list[int]) -> list[tuple[int, int]]:
    """``[1, 2, 3, 7]`` → ``[(1, 3), (7, 7)]``."""
    runs = (list(group) for _, group in groupby(enumerate(rows), key=lambda pair: pair[1] - pair[0]))
    return [(run[0][1], run[-1][1]) for run in runs]
