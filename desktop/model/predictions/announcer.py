"""Says, now and then, which devices began to behave oddly: one sentence for all that came meanwhile."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

from desktop.model.figures import plural
from desktop.model.predictions.event import Event, EventKey
from desktop.model.predictions.record import Grade

#: At most one sentence in this time.
EVERY_S: Final = 60.0
#: A verdict may be taken back by the readings that follow.
SETTLE_S: Final = 4.0
#: What has ended that long ago is no news.
STALE_S: Final = 300.0
_MAX_WAITING: Final = 2_000
_MAX_NAMES: Final = 3


class Announcer:
    """Collects new events and decides when there is something to say. One thread.

    Args:
        find: The event as it is now, or None where it is gone.
        least: Less urgent ones are not told of.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        *,
        find: Callable[[EventKey], Event | None],
        least: Grade = Grade.WARNING,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._find, self._least, self._clock = find, least, clock
        self._waiting: dict[EventKey, float] = {}
        self._told_at = 0.0

    def add(self, keys: Iterable[EventKey]) -> None:
        """Events that have just begun."""
        now = self._clock()
        for key in keys:
            if len(self._waiting) < _MAX_WAITING:
                self._waiting.setdefault(key, now)

    def due(self, *, utc: bool = False) -> str:
        """The sentence that is due; empty for none.

        Args:
            utc: Whether times are said in UTC instead of local time.
        """
        now = self._clock()
        settled = [key for key, since in self._waiting.items() if now - since >= SETTLE_S]
        if not settled or now - self._told_at < EVERY_S:
            return ""
        for key in settled:
            del self._waiting[key]
        found = [event for key in settled if (event := self._find(key)) is not None]
        news = [
            e for e in found if e.grade >= self._least and not e.acknowledged and (e.silent or now - e.end_ms / 1e3 < STALE_S)
        ]
        if not news:
            return ""
        self._told_at = now
        return sentence(news, utc=utc)


def sentence(events: list[Event], *, utc: bool) -> str:
    """``3 devices behave oddly since 12:41:05: …``"""
    events = sorted(events, key=lambda e: (-e.grade, e.start_ms))
    since = datetime.fromtimestamp(min(e.start_ms for e in events) / 1e3, UTC)
    clock = f"{since if utc else since.astimezone():%H:%M:%S}"
    devices = list(dict.fromkeys(e.key.device_id for e in events))
    if len(events) == 1:
        return f"{_short(devices[0])} at {clock}. {events[0].reason}"
    if len(devices) == 1:
        return f"{_short(devices[0])} abnormal since {clock}, in {len(events)} ways."
    names = ", ".join(map(_short, devices[:_MAX_NAMES]))
    more = f" and {len(devices) - _MAX_NAMES} more" if len(devices) > _MAX_NAMES else ""
    return f"{plural(len(devices), 'device')} abnormal since {clock}: {names}{more}."


def _short(device_id: str, keep: int = 32) -> str:
    return device_id if len(device_id) <= keep else f"{device_id[:15]}…{device_id[-16:]}"
