"""Delivers parcels to paai: bounded buffer, several connections, repeats what was not taken, counts what it gives up.

Delivery: at least once while a parcel is younger than `max_age_s` and the buffer holds; repeating is safe, since a reading's
identity makes paai's side idempotent. Order of one device's readings: best effort. Nothing here blocks the caller.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx
import msgspec

from backend.generator.backoff import jittered, retry_after_s
from backend.generator.clock import Clock
from backend.generator.counters import Counters
from backend.generator.readings import Parcel

ONE_PATH: Final = "/api/v1/device"
MANY_PATH: Final = "/api/v1/devices"

#: 4xx that say "not now" rather than "never".
_REPEATABLE_4XX: Final = frozenset({408, 425, 429})
_LOG_EVERY_S: Final = 10.0
_MAX_EXCERPT: Final = 300

_log = logging.getLogger(__name__)


class _Rejected(msgspec.Struct):
    index: int
    error: str = ""


class _BatchAnswer(msgspec.Struct):
    accepted: int
    rejected: list[_Rejected] = msgspec.field(default_factory=list)


@dataclass(frozen=True)
class SenderLimits:
    """Bounds of the sender.

    Attributes:
        max_readings: In the buffer and under way.
        max_age_s: A parcel older than this is given up.
        connections: Requests at the same time, each on a connection of its own, so that processes which share paai's port
            all get some.
    """

    max_readings: int = 100_000
    max_age_s: float = 120.0
    connections: int = 8


class Sender:
    """Posts parcels in the background.

    Args:
        new_client: Makes the client of one connection, with paai's address and token set.
        clock: For ages and waits.
        counters: Kept up to date.
        limits: Bounds.
        rng: For the jitter.
    """

    def __init__(
        self,
        *,
        new_client: Callable[[], httpx.AsyncClient],
        clock: Clock,
        counters: Counters,
        limits: SenderLimits,
        rng: random.Random,
    ) -> None:
        self._new_client, self._clock, self._counters, self._limits, self._rng = new_client, clock, counters, limits, rng
        self._buffer: deque[Parcel] = deque()
        self._resting: list[Parcel] = []  # posted in vain, waiting to be repeated; older than the buffer
        self._under_way: list[Parcel] = []
        self._available = asyncio.Semaphore(0)
        self._taken = asyncio.Event()  # pulsed at each success: who rests after a failure tries again
        self._idle = asyncio.Event()
        self._idle.set()
        self._last_log_s = -_LOG_EVERY_S

    def offer(self, parcel: Parcel) -> None:
        """Take a parcel for delivery; gives up the oldest ones where the buffer is full."""
        self._counters.made += parcel.count
        self._counters.backlog += parcel.count
        self._idle.clear()
        self._buffer.append(parcel)
        self._available.release()
        while self._counters.backlog > self._limits.max_readings and self._drop_oldest("buffer_full"):
            pass
        oldest_s = self._clock.monotonic() - self._limits.max_age_s
        while self._buffer and self._buffer[0].made_s < oldest_s:
            self._give_up(self._buffer.popleft(), "too_old")

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as workers:
            for i in range(self._limits.connections):
                workers.create_task(self._work(), name=f"sender-{i}")

    async def flush(self, timeout_s: float) -> None:
        """Wait until everything is delivered, at most `timeout_s`; what is left then is given up as "stopped"."""
        deadline_s = self._clock.monotonic() + timeout_s
        while self._counters.backlog and (left_s := deadline_s - self._clock.monotonic()) > 0:
            await self._clock.wait(self._idle, left_s)
        while self._drop_oldest("stopped"):
            pass
        for parcel in self._under_way:
            parcel.last_try = True

    async def _work(self) -> None:
        async with self._new_client() as client:
            while True:
                await self._available.acquire()
                if self._buffer:  # else it was given up meanwhile
                    await self._deliver(client, self._buffer.popleft())

    async def _deliver(self, client: httpx.AsyncClient, parcel: Parcel) -> None:
        while not parcel.dropped:
            if self._clock.monotonic() - parcel.made_s > self._limits.max_age_s:
                self._give_up(parcel, "too_old")
                return
            parcel.attempts += 1
            if parcel.attempts > 1:
                self._counters.retried += parcel.count
            self._under_way.append(parcel)
            try:
                response = await client.post(ONE_PATH if parcel.single else MANY_PATH, content=parcel.body)
            except httpx.RequestError as error:
                self._under_way.remove(parcel)
                await self._rest(parcel, f"{type(error).__name__} {error}".strip())
                continue
            self._under_way.remove(parcel)
            status = response.status_code
            if 200 <= status < 300:
                self._taken.set()
                self._taken = asyncio.Event()
                self._settle(parcel, response)
                return
            if 400 <= status < 500 and status not in _REPEATABLE_4XX:
                self._refused(parcel, "refused", f"{status} {response.text[:_MAX_EXCERPT]}", parcel.count)
                self._done(parcel)
                return
            if status < 400:  # a redirect: not paai
                self._refused(parcel, "refused", f"{status}: the address is not paai's", parcel.count)
                self._done(parcel)
                return
            header = response.headers.get("retry-after")
            await self._rest(parcel, f"{status}", wait_s=retry_after_s(header, wall=self._clock.wall))

    async def _rest(self, parcel: Parcel, reason: str, *, wait_s: float = 0.0) -> None:
        """Wait as the server asked, then for a jittered time or until another parcel gets through."""
        if parcel.last_try:
            self._give_up(parcel, "stopped")
            return
        self._say(f"paai does not take readings ({reason}); repeating. {self._counters.backlog} readings wait.")
        self._resting.append(parcel)
        try:
            if wait_s:
                await self._clock.wait(asyncio.Event(), wait_s)
            await self._clock.wait(self._taken, jittered(parcel.attempts, self._rng))
        finally:
            if parcel in self._resting:
                self._resting.remove(parcel)

    def _settle(self, parcel: Parcel, response: httpx.Response) -> None:
        """Count what a 2xx answer took."""
        rejected: list[_Rejected] = []
        if not parcel.single:
            try:
                rejected = msgspec.json.decode(response.content, type=_BatchAnswer).rejected
            except msgspec.DecodeError:
                self._say("paai's answer to a batch is not the one that was agreed; counting the batch as taken")
        lost = min(len(rejected), parcel.count)
        if lost:
            self._refused(parcel, "rejected", rejected[0].error[:_MAX_EXCERPT], lost)
        self._counters.acknowledged += parcel.count - lost
        self._counters.sent.add(parcel.count - lost, self._clock.monotonic())
        self._done(parcel)

    def _refused(self, parcel: Parcel, reason: str, text: str, n: int) -> None:
        self._counters.given_up[reason] += n
        self._counters.last_refusal = text
        self._say(f"paai refused {n} of {parcel.count} readings: {text}")

    def _drop_oldest(self, reason: str) -> bool:
        if self._resting:
            parcel = self._resting.pop(0)
        elif self._buffer:
            parcel = self._buffer.popleft()
        else:
            return False  # all that is left is under way
        self._give_up(parcel, reason)
        return True

    def _give_up(self, parcel: Parcel, reason: str) -> None:
        parcel.dropped = True
        self._counters.given_up[reason] += parcel.count
        self._say(f"gave up readings ({reason}); {self._counters.given_up.total()} in all")
        self._done(parcel)

    def _done(self, parcel: Parcel) -> None:
        self._counters.backlog -= parcel.count
        if self._counters.backlog == 0:
            self._idle.set()

    def _say(self, text: str) -> None:
        now_s = self._clock.monotonic()
        if now_s - self._last_log_s >= _LOG_EVERY_S:
            self._last_log_s = now_s
            _log.warning("%s", text)
