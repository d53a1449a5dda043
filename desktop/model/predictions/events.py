"""Anomalies as people look at them: readings of one fault together as one event, which can be acknowledged."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from desktop.model.predictions.record import Grade, Prediction

#: Older ones leave the list; MongoDB keeps them.
MAX_EVENTS: Final = 5_000
#: Readings of one event that are remembered for revisions.
MAX_READINGS: Final = 2_000


class EventKey(NamedTuple):
    """What makes two odd readings one event."""

    device_id: str
    sensor: str
    kind: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class Event:
    """One fault of one device.

    Attributes:
        key: Its identity.
        start_ms, end_ms: Begin, and the newest odd reading of it; epoch ms.
        readings: How many odd readings belong to it.
        score: The highest of them.
        grade: The most urgent of them.
        reason: Of the newest of them.
        value, expected: Of the one with the highest score; NaN where unknown.
        model: Version that said so.
        acknowledged_by, acknowledged_at: Who has seen to it, and when (epoch seconds); empty and 0 for nobody.
    """

    key: EventKey
    start_ms: int
    end_ms: int
    readings: int
    score: float
    grade: Grade
    reason: str
    value: float
    expected: float
    model: str
    acknowledged_by: str = ""
    acknowledged_at: float = 0.0

    @property
    def acknowledged(self) -> bool:
        """Whether somebody has seen to it."""
        return self.acknowledged_at > 0


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted.

    Attributes:
        text: Part of the device's id or of the reason, without regard to case.
        sensors, kinds: Empty for all.
        least: The least urgent grade.
        acknowledged: Whether those that somebody has seen to are wanted too.
        start_ms, end_ms: Events that touch this stretch; None for no limit.
    """

    text: str = ""
    sensors: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    least: Grade = Grade.INFO
    acknowledged: bool = True
    start_ms: int | None = None
    end_ms: int | None = None

    def takes(self, event: Event) -> bool:
        """Whether `event` is wanted."""
        text, key = self.text.casefold(), event.key
        return (
            (not text or text in key.device_id.casefold() or text in event.reason.casefold())
            and (not self.sensors or key.sensor in self.sensors)
            and (not self.kinds or key.kind in self.kinds)
            and event.grade >= self.least
            and (self.acknowledged or not event.acknowledged)
            and (self.start_ms is None or event.end_ms >= self.start_ms)
            and (self.end_ms is None or event.start_ms <= self.end_ms)
        )


@dataclass(slots=True)
class _Entry:
    readings: dict[str, Prediction] = field(default_factory=dict)
    surplus: int = 0  # readings that are counted but no longer remembered
    event: Event | None = None


class EventLog:
    """Bounded; guards nothing itself.

    Attributes:
        version: Grows with each change: whoever shows the list asks for it only then.
    """

    def __init__(self, *, max_events: int = MAX_EVENTS, max_readings: int = MAX_READINGS) -> None:
        self._max, self._max_readings = max_events, max_readings
        self._entries: OrderedDict[EventKey, _Entry] = OrderedDict()  # the one that changed last stands last
        self._event_of: dict[str, EventKey] = {}
        self._acknowledged: dict[EventKey, tuple[str, float]] = {}
        self.version = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, predictions: Iterable[Prediction]) -> list[Event]:
        """Take predictions, odd or not. What is no longer odd leaves its event; an event without readings is gone.

        Returns:
            Events that are new, for a notification.
        """
        new: dict[EventKey, None] = {}
        changed: dict[EventKey, None] = {}
        for prediction in predictions:
            before = self._event_of.get(prediction.id)
            key = key_of(prediction) if prediction.anomaly else None
            if before is not None and before != key:
                self._forget(before, prediction.id)
                changed[before] = None
            if key is None:
                continue
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry()
                new[key] = None
            entry.readings[prediction.id] = prediction
            self._event_of[prediction.id] = key
            if len(entry.readings) > self._max_readings:
                oldest = next(iter(entry.readings))
                del entry.readings[oldest]
                self._event_of.pop(oldest, None)
                entry.surplus += 1
            self._entries.move_to_end(key)
            changed[key] = None
        for key in changed:
            self._sum_up(key)
        while len(self._entries) > self._max:
            gone, entry = self._entries.popitem(last=False)
            self._acknowledged.pop(gone, None)
            for id_ in entry.readings:
                self._event_of.pop(id_, None)
        if changed:
            self.version += 1
        return [e for key in new if (e := self.find(key)) is not None]

    def acknowledge(self, keys: Iterable[EventKey], *, by: str, at: float) -> None:
        """Somebody has seen to these events; `at` = 0 takes it back. Also for events that come later."""
        for key in keys:
            if at:
                self._acknowledged[key] = (by, at)
            else:
                self._acknowledged.pop(key, None)
            if key in self._entries:
                self._sum_up(key)
        self.version += 1

    def find(self, key: EventKey) -> Event | None:
        """The event of that identity."""
        entry = self._entries.get(key)
        return entry.event if entry is not None else None

    def events(self, wanted: EventFilter | None = None) -> list[Event]:
        """Those wanted, the newest begin first."""
        wanted = wanted or EventFilter()
        found = [e.event for e in self._entries.values() if e.event is not None and wanted.takes(e.event)]
        return sorted(found, key=lambda event: (-event.start_ms, event.key))

    def open_count(self, least: Grade = Grade.WARNING) -> int:
        """Events that nobody has seen to."""
        return len(self.events(EventFilter(least=least, acknowledged=False)))

    def _forget(self, key: EventKey, id_: str) -> None:
        self._event_of.pop(id_, None)
        entry = self._entries.get(key)
        if entry is not None:
            entry.readings.pop(id_, None)

    def _sum_up(self, key: EventKey) -> None:
        entry = self._entries.get(key)
        if entry is None:
            return
        readings = entry.readings.values()
        if not readings:
            del self._entries[key]
            return
        worst = max(readings, key=lambda p: p.score)
        newest = max(readings, key=lambda p: p.t_ms)
        event = Event(
            key=key,
            start_ms=key.since_ms or min(p.t_ms for p in readings),
            end_ms=newest.t_ms,
            readings=len(readings) + entry.surplus,
            score=worst.score,
            grade=max(p.grade for p in readings),
            reason=newest.reason,
            value=worst.value,
            expected=worst.expected,
            model=newest.model,
        )
        by, at = self._acknowledged.get(key, ("", 0.0))
        entry.event = replace(event, acknowledged_by=by, acknowledged_at=at)


def key_of(prediction: Prediction) -> EventKey:
    """The event to which an odd reading belongs; one without a begin is an event of its own."""
    since = prediction.since_ms or prediction.t_ms
    return EventKey(prediction.device_id, prediction.sensor, prediction.kind, since)
