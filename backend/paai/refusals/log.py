"""Collects what this process refuses and writes it in the background; the request path only counts in memory."""

import asyncio
import contextlib
import json
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import Message, Receive, Scope, Send

from backend.common.errors import ServiceError
from backend.common.metrics import Metrics
from backend.contract.readings import FieldError, describe
from backend.contract.refusals import REASONS
from backend.paai import metric_defs as defs
from backend.paai.refusals.refusal import (
    BY_STATUS,
    KEPT_BYTES,
    KEPT_MESSAGE_CHARS,
    KEPT_PATH_CHARS,
    Refusal,
    classify,
    printable,
)
from backend.paai.refusals.store import KEPT, Batch, RefusalStore, RefusedRecords

log = logging.getLogger("paai")

#: Shortest pause between two writes of one process.
WRITE_EVERY_S: Final = 2.0
#: How often the operator's count of dead letters is read for the metrics.
RECORDS_EVERY_S: Final = 10.0
#: Values of the label `reason` of `DEAD_LETTERS`: whatever the stored document says.
_CODES: Final = frozenset((*REASONS, "other"))
#: Set in the scope of a request by the route that has counted its refusal itself.
NOTED: Final = "paai.refusal_noted"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class RefusalLog:
    """Counts refusals. Belongs to one event loop.

    Args:
        store: Where they are kept.
        metrics: For `metric_defs.REFUSED`.
        secrets: Tokens that are never stored.
        now_ms: Milliseconds since the epoch.
        write_every_s: Shortest pause between two writes.
    """

    def __init__(
        self,
        *,
        store: RefusalStore,
        metrics: Metrics,
        secrets: Sequence[bytes] = (),
        now_ms: Callable[[], int] = _now_ms,
        write_every_s: float = WRITE_EVERY_S,
    ) -> None:
        self.store = store
        self._counter = metrics.counter(defs.REFUSED)
        self._secrets, self._now_ms, self._write_every_s = tuple(secrets), now_ms, write_every_s
        self._counts: Counter[tuple[str, str]] = Counter()
        self._newest: deque[Refusal] = deque(maxlen=KEPT)
        self._writing: Batch | None = None
        self._changed = asyncio.Event()
        self._write_lock = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self.records = DeadLetterMetrics()
        metrics.add_collector(self.records)

    # Counting

    def note_reading(self, path: str, body: bytes, errors: Sequence[FieldError]) -> None:
        """Count a single reading that was refused."""
        field, reason = classify(errors[0]) if errors else ("body", "invalid")
        self._count(field, reason)
        self._keep(path, 422, field, reason, describe(errors), body, len(body))

    def note_items(
        self, path: str, status: int, rejected: Sequence[tuple[int, list[FieldError]]], items: Callable[[], Sequence[bytes]]
    ) -> None:
        """Count the refused items of a batch; the newest are kept.

        Args:
            path, status: Of the request.
            rejected: Index and errors of each.
            items: Gives the JSON text of every item of the batch.
        """
        for _, errors in rejected:
            self._count(*(classify(errors[0]) if errors else ("body", "invalid")))
        texts = items() if rejected else ()
        for index, errors in rejected[-KEPT:]:
            field, reason = classify(errors[0]) if errors else ("body", "invalid")
            text = texts[index].strip() if index < len(texts) else b""
            self._keep(path, status, field, reason, describe(errors), text, len(text), index)

    def note_answer(self, path: str, status: int, detail: object, head: bytes, size: int) -> None:
        """Count any other refused request by its answer."""
        field, reason = BY_STATUS[status]
        message = detail if isinstance(detail, str) else ""
        if isinstance(detail, list) and detail and isinstance(detail[0], dict):
            field, reason = classify(detail[0])
            message = describe(item for item in detail if isinstance(item, dict) and "loc" in item and "msg" in item)
        self._count(field, reason)
        if status == 401:
            # Without a token nobody gets text into the list, and at most one line of it in each write.
            if any(item.status == status for item in self._newest):
                return
            head, size = b"", 0
        self._keep(path, status, field, reason, message, head, size)

    def _count(self, field: str, reason: str) -> None:
        self._counts[(field, reason)] += 1
        self._counter.labels(field, reason).inc()
        self._changed.set()

    def _keep(
        self, path: str, status: int, field: str, reason: str, message: str, data: bytes, size: int, index: int | None = None
    ) -> None:
        path = printable(path[:KEPT_PATH_CHARS].encode("utf-8", "backslashreplace"), secrets=self._secrets)
        text = printable(data, secrets=self._secrets)
        message = message[:KEPT_MESSAGE_CHARS].encode("utf-8", "backslashreplace").decode()
        self._newest.append(Refusal(self._now_ms(), path, status, field, reason, message, index, text, size))

    # Watching answers

    def watch(self, scope: Scope, receive: Receive, send: Send) -> tuple[Receive, Send]:
        """Return `receive` and `send` of a request that also look at what passes."""
        watched = _Watched(self, scope, receive, send)
        return watched.receive, watched.send

    # Writing

    def start(self) -> None:
        """Begin to write in the background."""
        self._tasks = [
            asyncio.create_task(self._run(), name="refusals"),
            asyncio.create_task(self._follow_records(), name="dead-letter-metrics"),
        ]

    async def stop(self) -> None:
        """Write what is left, within a bound, and let go of the store."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(ServiceError):
            await self.write()
        await self.store.close()

    async def write(self) -> None:
        """Write what was counted and not written yet.

        Raises:
            UnavailableError: It could not be written; it is kept and written the next time.
        """
        async with self._write_lock:
            if self._writing is not None:  # its answer may have been lost: the same once more, nothing added to it
                await self.store.add(self._writing)
                self._writing = None
            if self._counts:
                self._changed.clear()
                self._writing = Batch(dict(self._counts), tuple(self._newest))
                self._counts.clear()
                self._newest.clear()
                await self.store.add(self._writing)
                self._writing = None

    async def _run(self) -> None:
        failing = False
        while True:
            await self._changed.wait()
            try:
                await self.write()
                failing = False
            except ServiceError as error:
                if not failing:
                    log.warning("Refused requests cannot be stored yet and are kept in memory: %s", error)
                failing = True
            except Exception:  # the list of refusals never ends the service
                log.exception("storing refused requests failed")
            await asyncio.sleep(self._write_every_s)
            if self._writing is not None:
                self._changed.set()

    async def _follow_records(self) -> None:
        while True:
            with contextlib.suppress(ServiceError):
                self.records.found = await self.store.records()
            await asyncio.sleep(RECORDS_EVERY_S)


class DeadLetterMetrics(Collector):
    """`metric_defs.DEAD_LETTERS` from what the operator stored.

    Attributes:
        found: As last read.
    """

    def __init__(self) -> None:
        self.found = RefusedRecords()

    def collect(self) -> Iterable[Metric]:
        definition = defs.DEAD_LETTERS
        family = CounterMetricFamily(definition.name, definition.help, labels=definition.labels)
        for reason in sorted(self.found.by_reason.keys() & _CODES):
            family.add_metric((reason,), self.found.by_reason[reason])
        yield family


class _Watched:
    """One request on its way: the first bytes of its body, and its answer if that is a refusal."""

    __slots__ = ("_answer", "_head", "_log", "_receive", "_scope", "_send", "_size", "_status")

    def __init__(self, log_: RefusalLog, scope: Scope, receive: Receive, send: Send) -> None:
        self._log, self._scope, self._receive, self._send = log_, scope, receive, send
        self._head, self._size, self._status, self._answer = b"", 0, 0, b""

    async def receive(self) -> Message:
        message = await self._receive()
        part = message.get("body", b"")
        if part:
            if len(self._head) < KEPT_BYTES:
                # Longer than what is kept, so that a token that reaches over its end is recognised.
                self._head += part[: KEPT_BYTES + 1024]
            self._size += len(part)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            status = message["status"]
            self._status = status if status in BY_STATUS and not self._scope.get(NOTED) else 0
        elif self._status:
            self._answer += message.get("body", b"")
            if not message.get("more_body"):
                self._log.note_answer(self._scope["path"], self._status, _detail(self._answer), self._head, self._size)
                self._status = 0
        await self._send(message)


def _detail(answer: bytes) -> Any:
    try:
        return json.loads(answer)["detail"]
    except (ValueError, KeyError, TypeError):
        return ""
