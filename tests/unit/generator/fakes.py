"""A clock that the test moves, and a paai that lives in the process."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

import httpx

from backend.contract.times import from_iso


class FakeClock:
    """Time passes only in `advance`; whoever waits is woken in the order of the deadlines."""

    def __init__(self, *, wall: float = 1_790_000_000.0) -> None:
        self._now, self._wall_offset = 1000.0, wall - 1000.0
        self._order = count()
        self._timers: list[tuple[float, int, asyncio.Future[Any]]] = []

    def monotonic(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._now + self._wall_offset

    def set_wall(self, by_s: float) -> None:
        """Somebody sets the machine's clock."""
        self._wall_offset += by_s

    def block(self, seconds: float) -> None:
        """The process hangs: time passes and nobody is woken."""
        self._now += seconds

    async def wait(self, event: asyncio.Event, timeout_s: float) -> bool:
        if event.is_set() or timeout_s <= 0:
            return event.is_set()
        timer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        heappush(self._timers, (self._now + timeout_s, next(self._order), timer))
        waiter: asyncio.Future[Any] = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({timer, waiter}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
            timer.cancel()
        return event.is_set()

    async def advance(self, seconds: float) -> None:
        end = self._now + seconds
        await settle()
        while self._timers and self._timers[0][0] <= end:
            deadline, _, timer = heappop(self._timers)
            if not timer.done():
                self._now = max(self._now, deadline)
                timer.set_result(None)
                await settle()
        self._now = max(self._now, end)
        await settle()


async def settle() -> None:
    """Let every task run until it waits again; a request to the fake paai takes a few dozen turns of the loop."""
    for _ in range(80):
        await asyncio.sleep(0)


@dataclass
class Arrival:
    """A reading as it came to the fake paai."""

    device_id: str
    tag: str
    at_ms: int
    value: float
    arrived_ms: float
    post: int


@dataclass
class FakePaai:
    """Answers as paai does and remembers what it took."""

    clock: FakeClock
    answer: Callable[[httpx.Request], httpx.Response | None] = lambda _: None
    arrivals: list[Arrival] = field(default_factory=list)
    posts: list[tuple[str, int]] = field(default_factory=list)
    attempts: int = 0

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200)
        self.attempts += 1
        other = self.answer(request)
        if other is not None:
            return other
        body: Any = json.loads(request.content)
        single = request.url.path == "/api/v1/device"
        readings = [body] if single else body
        for reading in readings:
            (value,) = (v for k, v in reading.items() if k not in ("device_id", "tag", "timestamp"))
            self.arrivals.append(
                Arrival(
                    reading["device_id"],
                    reading["tag"],
                    from_iso(reading["timestamp"]),
                    value,
                    self.clock.wall() * 1000.0,
                    len(self.posts),
                )
            )
        self.posts.append((request.url.path, len(readings)))
        return httpx.Response(200) if single else httpx.Response(200, json={"accepted": len(readings), "rejected": []})

    def of(self, device_id: str) -> list[int]:
        """Times of one device's readings, in the order of arrival."""
        return [a.at_ms for a in self.arrivals if a.device_id == device_id]

    def identities(self) -> Counter[tuple[str, int]]:
        return Counter((a.device_id, a.at_ms) for a in self.arrivals)
