"""What the window needs of a running system, as one seam. `desktop.app` builds the real one; tests build a fake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from desktop.model.snapshot import FeedStats, LiveSnapshot, ViewRequest
from stack.target import Endpoints


@dataclass(frozen=True, slots=True)
class FleetState:
    """What the generator says of its fleet.

    Attributes:
        counts: Devices wanted, by tag.
        interval_s: Seconds between two readings of a device.
        running: Whether it sends.
        wanted_per_s, sent_per_s: Readings per second.
        acknowledged, retried, given_up, backlog: Readings.
        behind_ms: How late the generator itself is.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    interval_s: float = 1.0
    running: bool = False
    wanted_per_s: float = 0.0
    sent_per_s: float = 0.0
    acknowledged: int = 0
    retried: int = 0
    given_up: int = 0
    backlog: int = 0
    behind_ms: float = 0.0

    @property
    def devices(self) -> int:
        """Devices wanted, of all types."""
        return sum(self.counts.values())


class Connection(Protocol):
    """An attached system. Calls marked (blocking) go through `run_task`, the others are quick and may come from any thread."""

    @property
    def endpoints(self) -> Endpoints: ...

    def start(self) -> None:
        """Start the feeds (blocking, briefly)."""

    def stop(self) -> None:
        """Stop and join the feeds (blocking, at most a few seconds)."""

    def snapshot(self, request: ViewRequest) -> LiveSnapshot:
        """One frame."""
        ...

    def stats(self) -> FeedStats:
        """The status bar's figures."""
        ...

    def search(self, text: str, limit: int) -> Sequence[str]:
        """Ids of devices seen that contain `text`."""
        ...

    def reporting(self) -> Mapping[str, int]:
        """Devices that reported lately, by sensor."""
        ...

    def fleet(self) -> FleetState:
        """Ask the generator (blocking)."""
        ...

    def set_fleet(self, counts: Mapping[str, int], interval_s: float | None) -> FleetState:
        """Change the fleet; a tag that is absent is unchanged (blocking)."""
        ...

    def set_running(self, running: bool) -> FleetState:
        """Stop sending, or go on with the fleet as it was (blocking)."""
        ...

    def problem(self, status: Sequence[Any]) -> str:
        """One sentence on what is wrong; empty when nothing is."""
        ...
