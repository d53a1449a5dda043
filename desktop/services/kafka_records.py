"""What a feed hands to its decoder: the values of records and where they stand in the topic."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Records:
    """Records in the order in which the client gave them: within a partition by offset, the partitions in any order.

    Attributes:
        values: None for a record without a value.
        arrivals_ms: The broker's timestamps, milliseconds since the epoch; -1 where there is none.
        partitions, offsets: Of each record.
    """

    values: list[bytes | None]
    arrivals_ms: list[int]
    partitions: list[int]
    offsets: list[int]

    @classmethod
    def of(cls, messages: Sequence[Any]) -> "Records":
        """Take the messages of a `confluent_kafka.Consumer`, all without an error."""
        return cls(
            [m.value() for m in messages],
            [m.timestamp()[1] for m in messages],
            [m.partition() for m in messages],
            [m.offset() for m in messages],
        )

    @classmethod
    def of_values(cls, values: Sequence[bytes | None], *, arrival_ms: int) -> "Records":
        """Records of one partition that arrived at the same time; for tests and measurements."""
        n = len(values)
        return cls(list(values), [arrival_ms] * n, [0] * n, list(range(n)))

    def __len__(self) -> int:
        return len(self.values)
