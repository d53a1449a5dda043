"""Notices a sink that says RUNNING and writes nothing: committed offsets stand still while the topic holds more."""

from dataclasses import dataclass
from typing import Protocol

from backend.contract import names
from backend.contract.backlog import Backlog
from backend.contract.held import Ends, Held, HeldWatch


class OffsetSource(Protocol):
    """Offsets by partition. Each call is bounded and raises `topics.KafkaUnavailableError` only."""

    def ends(self, topic: str) -> dict[int, Ends]:
        """Both ends."""
        ...

    def committed_offsets(self, group: str, topic: str) -> dict[int, int]:
        """What the group has committed; absent where it has committed nothing."""
        ...

    def find_record(self, topic: str, partition: int, offset: int) -> tuple[int, bool] | None:
        """See `backlog.Find`."""
        ...


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the sink is behind.

    Attributes:
        records: Records in the topic that the sink has not committed and can read.
        still_s: Since when nothing was committed although there was something to commit, in seconds; 0 when it moves.
        reset: The topic is shorter than what was committed: it was wiped, and the group must start over.
        held: Partitions that an open transaction holds, on the clock of `LagWatch.look`.
    """

    records: int
    still_s: float
    reset: bool = False
    held: tuple[Held, ...] = ()


class LagWatch:
    """Compares one look with the last."""

    def __init__(self, *, source: OffsetSource, topic: str = names.TOPIC_MESSAGES, group: str = names.SINK_GROUP) -> None:
        self._source, self._topic, self._group = source, topic, group
        self._committed: dict[int, int] = {}
        self._behind_since: float | None = None
        self._held = HeldWatch()
        self._backlog = Backlog(lambda partition, offset: source.find_record(topic, partition, offset))

    def look(self, now: float) -> Lag:
        """Look once. `now` is of any one monotonic clock, in seconds."""
        committed = self._source.committed_offsets(self._group, self._topic)
        ends = self._source.ends(self._topic)  # asked second, so that the lag is never negative by a race
        stable = {partition: end.stable for partition, end in ends.items()}
        lag = sum(self._backlog.count({p: committed.get(p, 0) for p in stable}, stable).values())
        reset = any(offset > stable.get(partition, 0) for partition, offset in committed.items())
        if lag == 0 or committed != self._committed:
            self._behind_since = None if lag == 0 else now
        elif self._behind_since is None:
            self._behind_since = now
        self._committed = committed
        still_s = 0.0 if self._behind_since is None else now - self._behind_since
        return Lag(lag, still_s, reset, self._held.look(now, ends))
