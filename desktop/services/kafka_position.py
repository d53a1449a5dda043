"""Where in the topic to begin, and how far its end is: pure arithmetic over offsets."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartitionRange:
    """What a partition holds.

    Attributes:
        low: Oldest offset.
        high: Offset of the next record to come.
        since: Offset of the first record at or after the wanted time.
    """

    low: int
    high: int
    since: int


def start_offsets(ranges: Mapping[int, PartitionRange], max_records: int) -> dict[int, int]:
    """Begin at the wanted time, or later where that would be more than `max_records` in all: the newest are kept."""
    starts = {p: min(max(r.since, r.low), r.high) for p, r in ranges.items()}
    wanted = sum(r.high - starts[p] for p, r in ranges.items())
    if wanted <= max_records:
        return starts
    share = max_records / wanted
    # Each partition gives up the same part, so all begin at about the same time.
    return {p: r.high - int((r.high - starts[p]) * share) for p, r in ranges.items()}
