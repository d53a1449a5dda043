"""One request's records on their way to Kafka."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME

#: Value and key.
Record = tuple[bytes, str]


def broker_stamp(message: Any) -> int:
    """When the broker appended an acknowledged record, epoch ms; 0 where it kept the producer's time."""
    kind, stamp_ms = message.timestamp()
    return int(stamp_ms) if kind == TIMESTAMP_LOG_APPEND_TIME else 0


class Delivery:
    """The records of one request, until Kafka has acknowledged or refused every one of them.

    Attributes:
        future: What the request waits for.
        records: Value and key of each.
        size: Their bytes, with what each costs in the queue.
        error: The last error that was reported.
        started: When it was taken, `time.perf_counter`.
        started_ms: The same, epoch ms.
        stamp_ms: The earliest arrival at the broker by its own clock, epoch ms; 0 while unknown.
    """

    __slots__ = ("error", "future", "on_done", "records", "remaining", "size", "stamp_ms", "started", "started_ms")

    def __init__(
        self, future: asyncio.Future[None], records: Sequence[Record], size: int, on_done: Callable[["Delivery"], None]
    ) -> None:
        self.future, self.records, self.size, self.on_done = future, records, size, on_done
        self.remaining = len(records)
        self.error: Any = None
        self.started = time.perf_counter()
        self.started_ms = time.time_ns() // 1_000_000
        self.stamp_ms = 0

    def begin_again(self) -> None:
        """Forget what was reported: all records are produced once more."""
        self.error, self.remaining = None, len(self.records)

    def report(self, error: Any, message: Any) -> None:
        """librdkafka's delivery report of one record."""
        if error is not None:
            self.error = error
        else:
            stamp_ms = broker_stamp(message)
            if stamp_ms and (stamp_ms < self.stamp_ms or not self.stamp_ms):
                self.stamp_ms = stamp_ms
        self.remaining -= 1
        if not self.remaining:
            self.on_done(self)
