"""One request's records on their way to Kafka."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

#: Value and key.
Record = tuple[bytes, str]


class Delivery:
    """The records of one request, until Kafka has acknowledged or refused every one of them.

    Attributes:
        future: What the request waits for.
        records: Value and key of each.
        size: Their bytes, with what each costs in the queue.
        error: The last error that was reported.
        started: When it was taken, `time.perf_counter`.
    """

    __slots__ = ("error", "future", "on_done", "records", "remaining", "size", "started")

    def __init__(
        self, future: asyncio.Future[None], records: Sequence[Record], size: int, on_done: Callable[["Delivery"], None]
    ) -> None:
        self.future, self.records, self.size, self.on_done = future, records, size, on_done
        self.remaining = len(records)
        self.error: Any = None
        self.started = time.perf_counter()

    def begin_again(self) -> None:
        """Forget what was reported: all records are produced once more."""
        self.error, self.remaining = None, len(self.records)

    def report(self, error: Any, _message: Any) -> None:
        """librdkafka's delivery report of one record."""
        if error is not None:
            self.error = error
        self.remaining -= 1
        if not self.remaining:
            self.on_done(self)
