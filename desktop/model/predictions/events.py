"""The log of anomalies: readings of one fault together as one event, which can be acknowledged."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Final

from desktop.model.predictions.event import Event, EventFilter, EventKey, key_of
from desktop.model.predictions.record import Grade, Prediction

#: Older ones leave the list; MongoDB keeps them.
MAX_EVENTS: Final = 5_000
#: Readings of one event that are remembered for revisions, which reach back some dozens.
MAX_READINGS: Final = 200


@dataclass(slots=True)
class _Entry:
    readings: dict[str, Prediction] = field(default_factory=dict)
    surplus: int = 0  # readings that are counted but no longer remembered
    ended_ms: int = 0  # of a silence: the first reading after it
    left: bool = False  # of a silence: the device was taken out of the fleet, so this is no anomaly
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
        self._silences: dict[tuple[str, str], tuple[EventKey, int]] = {}  # by device and sensor: which, and since when known
        self._acknowledged: dict[EventKey, tuple[str, float]] = {}
        self._left: set[str] = set()
        self._fleet: Mapping[str, int] = {}
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
            if (ended := self._ends_silence(prediction)) is not None:
                changed[ended] = None
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
            if prediction.value != prediction.value and not entry.ended_ms:
                self._silences[prediction.device_id, prediction.sensor] = key, prediction.t_ms
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
            self._forget_silence(gone)
            self._left.discard(gone.id)
            for id_ in entry.readings:
                self._event_of.pop(id_, None)
        if changed:
            self.version += 1
        return [e for key in new if (e := self.find(key)) is not None]

    def set_acknowledged(self, acknowledged: Mapping[EventKey, tuple[str, float]]) -> None:
        """Who has seen to which event, and when (epoch seconds): all that is known of it. Also for events that come later."""
        if acknowledged == self._acknowledged:
            return
        before, self._acknowledged = self._acknowledged, dict(acknowledged)
        for key in before.keys() | acknowledged.keys():
            if before.get(key) != acknowledged.get(key) and key in self._entries:
                self._sum_up(key)
        self.version += 1

    def end_silence(self, key: EventKey, t_ms: int) -> None:
        """The device of a dropout sent again at that time; the earliest that is known counts."""
        entry = self._entries.get(key)
        if entry is not None and (not entry.ended_ms or t_ms < entry.ended_ms):
            entry.ended_ms = t_ms
            self._forget_silence(key)
            self._sum_up(key)
            self.version += 1

    def set_fleet(self, counts: Mapping[str, int]) -> None:
        """Set how many devices the generator's fleet has, by prefix of their ids.

        The silence of a device that was taken out is no anomaly: its event is removed, and stays so if the device returns.
        """
        if counts == self._fleet:
            return
        self._fleet = dict(counts)
        for key, _ in list(self._silences.values()):
            if self._has_left(key.device_id):
                self._sum_up(key)
                self.version += 1

    @property
    def silences(self) -> Mapping[tuple[str, str], tuple[EventKey, int]]:
        """Dropouts that last, by device and sensor, and from when on a reading ends them. Looked into by any thread."""
        return self._silences

    @property
    def left(self) -> Set[str]:
        """Ids of the silences that are no anomaly: their device was taken out of the fleet."""
        return self._left

    @property
    def odd(self) -> Mapping[str, EventKey]:
        """The event of each odd reading, by the reading's id. Looked into by any thread."""
        return self._event_of

    def find(self, key: EventKey) -> Event | None:
        """The event of that identity."""
        entry = self._entries.get(key)
        return entry.event if entry is not None else None

    def events(self, wanted: EventFilter | None = None) -> list[Event]:
        """Those wanted, the newest begin first."""
        wanted = wanted or EventFilter()
        found = [e.event for e in self._entries.values() if e.event is not None and wanted.takes(e.event)]
        return sorted(found, key=lambda event: (-event.start_ms, event.key))

    def open_by_grade(self) -> dict[Grade, int]:
        """How many events nobody has seen to, by grade."""
        return dict(Counter(e.event.grade for e in self._entries.values() if e.event is not None and not e.event.acknowledged))

    def open_count(self, least: Grade = Grade.WARNING) -> int:
        """Events at least that urgent that nobody has seen to."""
        return sum(count for grade, count in self.open_by_grade().items() if grade >= least)

    def _has_left(self, device_id: str) -> bool:
        prefix, _, number = device_id.rpartition("-")
        return prefix in self._fleet and number.isdecimal() and int(number) > self._fleet[prefix]

    def _ends_silence(self, prediction: Prediction) -> EventKey | None:
        place = prediction.device_id, prediction.sensor
        silence = self._silences.get(place)
        if silence is None or prediction.value != prediction.value or prediction.t_ms <= silence[1]:
            return None
        del self._silences[place]
        key, _ = silence
        entry = self._entries.get(key)
        if entry is None:
            return None
        entry.ended_ms = prediction.t_ms
        return key

    def _forget_silence(self, key: EventKey) -> None:
        place = key.device_id, key.sensor
        if place in self._silences and self._silences[place][0] == key:
            del self._silences[place]

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
            self._forget_silence(key)
            self._left.discard(key.id)
            return
        worst = max(readings, key=lambda p: p.score)
        newest = max(readings, key=lambda p: p.t_ms)
        silent = newest.value != newest.value and not entry.ended_ms
        entry.left = entry.left or (silent and self._has_left(key.device_id))
        if entry.left:
            self._left.add(key.id)
            entry.event = None
            self._entries.move_to_end(key, last=False)  # the first to go when there are too many
            return
        event = Event(
            key=key,
            start_ms=key.since_ms or min(p.t_ms for p in readings),
            end_ms=max(newest.t_ms, entry.ended_ms),
            readings=len(readings) + entry.surplus,
            score=worst.score,
            grade=max(p.grade for p in readings),
            reason=newest.reason,
            value=worst.value,
            expected=worst.expected,
            model=newest.model,
            silent=silent,
        )
        by, at = self._acknowledged.get(key, ("", 0.0))
        entry.event = replace(event, acknowledged_by=by, acknowledged_at=at)
