"""Refused requests in memory, in place of `MongoRefusals`."""

from collections import Counter

from backend.common.errors import UnavailableError
from backend.paai.refusals.refusal import Refusal
from backend.paai.refusals.store import KEPT, Batch, RefusedRecords, RefusedRequests


class FakeRefusals:
    """Attributes:
    batches: What was added, oldest first; a batch that came again is not in it twice.
    down: While True, every call is refused.
    lost: While True, a batch is added and its answer is lost.
    stored_records: What the operator is taken to have counted.
    """

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.down = self.lost = self.closed = False
        self.stored_records = RefusedRecords()

    async def add(self, batch: Batch) -> None:
        self._ask()
        if all(batch.id != known.id for known in self.batches):
            self.batches.append(batch)
        if self.lost:
            raise UnavailableError("The answer was lost.")

    async def requests(self) -> RefusedRequests:
        self._ask()
        counts: Counter[tuple[str, str]] = Counter()
        newest: list[Refusal] = []
        for batch in self.batches:
            counts.update(batch.counts)
            newest += batch.newest
        return RefusedRequests(dict(counts), newest[-KEPT:][::-1], 0 if self.batches else None)

    async def records(self) -> RefusedRecords:
        self._ask()
        return self.stored_records

    async def close(self) -> None:
        self.closed = True

    def _ask(self) -> None:
        if self.down:
            raise UnavailableError("MongoDB does not respond. Repeat the request.", retry_after_s=2)
