"""What was asked of the generator, and what it says it does."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from backend.contract.devices import DEVICE_TYPES


@dataclass(frozen=True, slots=True)
class FleetState:
    """The generator's answer to GET /api/v1/fleet, beside what really reports.

    Attributes:
        counts: Devices wanted, by type tag, in the order of `DEVICE_TYPES`.
        interval_s: Every device sends one reading each this many seconds.
        running: Whether anything is sent.
        wanted_per_s, sent_per_s: Readings per second that should and do leave the generator.
        acknowledged, retried, given_up: Readings since its start.
        backlog: Readings that wait to be sent.
        behind_ms: How far the generator is behind its own schedule.
        reporting: Devices that were heard of lately in the raw feed, by type tag.
        as_of: When the generator said so, seconds since the epoch; 0 = never.
        error: Why it could not be asked just now; empty when it could. The figures are then the last known.
    """

    counts: Mapping[str, int] = field(default_factory=lambda: {t.tag: 0 for t in DEVICE_TYPES})
    interval_s: float = 1.0
    running: bool = False
    wanted_per_s: float = 0.0
    sent_per_s: float = 0.0
    acknowledged: int = 0
    retried: int = 0
    given_up: int = 0
    backlog: int = 0
    behind_ms: float = 0.0
    reporting: Mapping[str, int] = field(default_factory=dict)
    as_of: float = 0.0
    error: str = ""

    @property
    def devices(self) -> int:
        """Devices wanted, of all types."""
        return sum(self.counts.values())

    @property
    def sending_by_prefix(self) -> Mapping[str, int]:
        """Devices that shall send, by prefix of their ids, whose numbers count from 1."""
        return {t.id_prefix: self.counts.get(t.tag, 0) if self.running else 0 for t in DEVICE_TYPES}

    @property
    def known(self) -> bool:
        """Whether the generator was ever reached."""
        return self.as_of > 0
