"""What the query routes share: the history, and the counting of questions."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from backend.common.errors import ServiceError
from backend.common.metrics import Metrics
from backend.paai import metric_defs as defs
from backend.paai.history import History

T = TypeVar("T")


class Questions:
    """Asks the history and counts.

    Attributes:
        history: Stored readings.
    """

    def __init__(self, *, history: History, metrics: Metrics) -> None:
        self.history = history
        self._count = metrics.counter(defs.QUERIES)
        self._seconds = metrics.histogram(defs.QUERY_SECONDS)

    async def ask(self, kind: str, question: Callable[[], Awaitable[T]]) -> T:
        """Await `question`, counted under `kind`."""
        started = time.perf_counter()
        outcome = "failed"
        try:
            answer = await question()
            outcome = "answered"
        except ServiceError as error:
            outcome = "unavailable" if error.status == 503 else "refused"
            raise
        finally:
            self._count.labels(kind, outcome).inc()
            self._seconds.labels(kind).observe(time.perf_counter() - started)
        return answer
