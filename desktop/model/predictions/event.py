"""One anomaly as people look at it: what makes odd readings one event, what is known of it, and which events are wanted."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from desktop.model.predictions.record import Grade, Prediction

#: Kinds that go on for as long as their cause does.
LASTING: Final = frozenset({"stuck", "drift", "dropout", "limit", "shape"})
#: One that lasts has ended when no odd reading has come for so long, or for so many of its device's intervals.
ENDED_AFTER_MS: Final = 15_000
ENDED_AFTER_INTERVALS: Final = 3


class EventKey(NamedTuple):
    """What makes two odd readings one event."""

    device_id: str
    sensor: str
    kind: str
    since_ms: int

    @property
    def id(self) -> str:
        """As it is stored: ``thermostat-00007/temperature/stuck/1795499070000``."""
        return f"{self.device_id}/{self.sensor}/{self.kind}/{self.since_ms}"

    @classmethod
    def from_id(cls, text: str) -> "EventKey":
        """What `id` gave; a device's id may contain slashes.

        Raises:
            ValueError: it is none.
        """
        device_id, sensor, kind, since = text.rsplit("/", 3)
        return cls(device_id, sensor, kind, int(since))


@dataclass(frozen=True, slots=True)
class Event:
    """One fault of one device.

    Attributes:
        key: Its identity.
        start_ms, end_ms: Begin, and the newest odd reading of it, of a silence the reading that ended it; epoch ms.
        readings: How many odd readings belong to it.
        score: The highest of them.
        grade: The most urgent of them.
        reason: Of the newest of them.
        value, expected: Of the one with the highest score; NaN where unknown.
        model: Version that said so.
        silent: The device has not sent anything since.
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
    silent: bool = False
    acknowledged_by: str = ""
    acknowledged_at: float = 0.0

    def ongoing(self, now_ms: float) -> bool:
        """Whether it still lasts, as far as can be told."""
        if self.silent or self.key.kind not in LASTING:
            return self.silent
        interval = (self.end_ms - self.start_ms) / max(1, self.readings - 1)
        return self.key.kind != "dropout" and now_ms - self.end_ms < max(ENDED_AFTER_MS, ENDED_AFTER_INTERVALS * interval)

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


def key_of(prediction: Prediction) -> EventKey:
    """The event to which an odd reading belongs; one without a begin is an event of its own."""
    since = prediction.since_ms or prediction.t_ms
    return EventKey(prediction.device_id, prediction.sensor, prediction.kind, since)
