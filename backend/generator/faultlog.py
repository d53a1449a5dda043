"""Ground truth: every fault that was injected, numbered, bounded."""

from collections import deque
from itertools import islice
from typing import Final, NamedTuple

from backend.contract.times import to_iso

#: At 100 bytes an event, 20 MB; a client that polls every few seconds misses none.
MAX_EVENTS: Final = 200_000
#: One answer; the client comes back with `next`.
MAX_ANSWER: Final = 10_000


class FaultEvent(NamedTuple):
    """A device misbehaved: its readings with start ≤ timestamp < end are touched.

    Attributes:
        n: Counts from 1.
        device_id, sensor: Whose.
        kind: One of FAULT_KINDS.
        start_ms, end_ms: Epoch ms. For late and duplicate: the reading's time, and when it (or its copy) is sent.
        magnitude: As configured; spike and drift: with the sign of the displacement.
    """

    n: int
    device_id: str
    sensor: str
    kind: str
    start_ms: int
    end_ms: int
    magnitude: float

    def wire(self) -> dict[str, object]:
        """As the contract writes it."""
        return {
            "n": self.n,
            "device_id": self.device_id,
            "sensor": self.sensor,
            "kind": self.kind,
            "start": to_iso(self.start_ms),
            "end": to_iso(self.end_ms),
            "magnitude": self.magnitude,
        }


class FaultLog:
    """The newest events. An event is entered when it begins, with the end it will have; one that is cut short (faults
    switched off, device gone) is entered again with its real end: of entries alike in device, kind and start the last counts.
    """

    def __init__(self, *, max_events: int = MAX_EVENTS) -> None:
        self._events: deque[FaultEvent] = deque(maxlen=max_events)
        self._last = 0

    def add(self, device_id: str, sensor: str, kind: str, start_ms: int, end_ms: int, magnitude: float) -> None:
        self._last += 1
        self._events.append(FaultEvent(self._last, device_id, sensor, kind, start_ms, end_ms, magnitude))

    def after(self, n: int, *, limit: int = MAX_ANSWER) -> list[FaultEvent]:
        """Events numbered above `n`, oldest first, at most `limit`.

        An `n` that was never given (the generator was restarted since) counts as 0.
        """
        if n > self._last:
            n = 0
        first = self._last - len(self._events) + 1
        skip = max(0, n + 1 - first)
        return list(islice(self._events, skip, skip + limit))

    def clamp(self, n: int) -> int:
        """`n`, or the newest number where `n` was never given."""
        return min(n, self._last)

    def drain(self) -> list[FaultEvent]:
        """Take all events out; the numbering goes on."""
        events = list(self._events)
        self._events.clear()
        return events
