"""Partitions that an open transaction holds: readers of committed records get no further than its first record."""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.contract import limits


@dataclass(frozen=True, slots=True)
class Ends:
    """Both ends of a partition.

    Attributes:
        stable: Last stable offset: the end for readers of committed records.
        high: High watermark: the end of all records.
    """

    stable: int
    high: int


@dataclass(frozen=True, slots=True)
class Held:
    """A held partition.

    Attributes:
        partition: Its number.
        since: When it was first seen held, on the clock of `HeldWatch.look`.
        records: Records that wait, control records included.
    """

    partition: int
    since: float
    records: int


class HeldWatch:
    """Compare one look with the last: a transaction under way is no news, one that does not end is."""

    def __init__(self, after_s: float = limits.HELD_AFTER_S) -> None:
        self._after_s = after_s
        self._since: dict[int, tuple[int, float]] = {}  # per partition the last stable offset and when it was first seen

    def look(self, now: float, ends: Mapping[int, Ends]) -> tuple[Held, ...]:
        """Return the partitions whose last stable offset has stood still before their end for longer than `after_s`.

        Args:
            now: Of any one clock, in seconds.
            ends: By partition.
        """
        since: dict[int, tuple[int, float]] = {}
        for partition, end in ends.items():
            if end.stable < end.high:
                before = self._since.get(partition)
                since[partition] = before if before is not None and before[0] == end.stable else (end.stable, now)
        self._since = since
        return tuple(
            Held(partition, began, ends[partition].high - stable)
            for partition, (stable, began) in sorted(since.items())
            if now - began > self._after_s
        )
