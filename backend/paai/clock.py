"""This process's clock against the Kafka broker's, whose stamp decides whether a reading comes from the future."""

from datetime import UTC, datetime
from typing import Final

from backend.common.metrics import Metrics
from backend.paai import metric_defs as defs

#: Readings of this much ahead are taken, and readers allow as much again; beyond it they would refuse what was acknowledged.
MAX_AHEAD_MS: Final = 1000


class ClockWatch:
    """Keep the last measurement.

    Attributes:
        ahead_ms: This clock minus the broker's; 0 while the stamp lies between sending and acknowledgement.
        problem: Empty while they agree, else one sentence.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._gauge = metrics.gauge(defs.CLOCK_AHEAD)
        self.ahead_ms = 0
        self.problem = ""

    def measure(self, *, sent_ms: int, stamp_ms: int, acknowledged_ms: int) -> None:
        """Take in the broker's stamp of a record.

        Args:
            sent_ms, acknowledged_ms: When it was handed to the client and acknowledged, by this clock.
            stamp_ms: By the broker's clock.
        """
        # A stamp between the two is what clocks that agree give, however long the broker took.
        self.ahead_ms = ahead_ms = max(0, sent_ms - stamp_ms) - max(0, stamp_ms - acknowledged_ms)
        self._gauge.set(ahead_ms / 1000)
        if abs(ahead_ms) <= MAX_AHEAD_MS:
            self.problem = ""
            return
        mine = sent_ms if ahead_ms > 0 else acknowledged_ms
        self.problem = (
            f"paai's clock is {abs(ahead_ms) / 1000:.1f} s {'ahead of' if ahead_ms > 0 else 'behind'} the Kafka broker's"
            f" (paai {_iso(mine)}, broker {_iso(stamp_ms)}). Set both clocks, for example with NTP."
        )


def _iso(t_ms: int) -> str:
    return f"{datetime.fromtimestamp(t_ms / 1000, UTC):%Y-%m-%dT%H:%M:%S}Z"
