import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from backend.generator.counters import Counters
from backend.generator.readings import Parcel, Reading, parcels
from backend.generator.sender import Sender, SenderLimits
from tests.unit.generator.fakes import FakeClock, FakePaai, settle

Answer = Callable[[httpx.Request], httpx.Response | None]


class Rig:
    def __init__(self, answer: Answer = lambda _: None, **limits: float) -> None:
        self.clock = FakeClock()
        self.paai = FakePaai(self.clock, answer)
        self.counters = Counters()
        self.sender = Sender(
            new_client=lambda: httpx.AsyncClient(base_url="http://paai", transport=self.paai.transport),
            clock=self.clock,
            counters=self.counters,
            limits=SenderLimits(**limits),  # type: ignore[arg-type]
            rng=random.Random(1),
        )
        self._made = 0

    def offer(self, n: int = 3) -> list[str]:
        self._made += 1
        readings = [Reading(f"{self._made}-{i}", 0, 1_790_000_000_000, 20.0) for i in range(n)]
        for parcel in parcels(readings, self.clock.monotonic()):
            self.sender.offer(parcel)
        return [r.device_id for r in readings]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.sender.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def check_sums(self) -> None:
        """Every reading is in exactly one place."""
        c = self.counters
        assert c.made == c.acknowledged + c.given_up.total() + c.backlog


def failing(times: int, response: httpx.Response | Exception) -> Answer:
    """Fails that often, then takes everything."""
    left = [times]

    def answer(_: httpx.Request) -> httpx.Response | None:
        if left[0] == 0:
            return None
        left[0] -= 1
        if isinstance(response, Exception):
            raise response
        return response

    return answer


async def test_delivers_one_and_many_to_their_addresses() -> None:
    rig = Rig()
    async with rig.running():
        rig.offer(1)
        rig.offer(5)
        await settle()
    assert sorted(rig.paai.posts) == [("/api/v1/device", 1), ("/api/v1/devices", 5)]
    assert rig.counters.acknowledged == 6
    assert rig.counters.backlog == 0
    assert rig.counters.sent.per_s(rig.clock.monotonic()) == 6 / 5


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(503),
        httpx.Response(500),
        httpx.Response(429),
        httpx.Response(408),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("closed"),
    ],
)
async def test_what_was_not_taken_is_repeated_and_counted(failure: httpx.Response | Exception) -> None:
    rig = Rig(failing(3, failure), connections=1)
    async with rig.running():
        ids = rig.offer(4)
        await rig.clock.advance(5.0)
    assert [a.device_id for a in rig.paai.arrivals] == ids
    assert rig.paai.attempts == 4
    assert rig.counters.retried == 12
    assert rig.counters.given_up.total() == 0
    rig.check_sums()


async def test_retry_after_is_honoured() -> None:
    rig = Rig(failing(1, httpx.Response(503, headers={"Retry-After": "7"})), connections=1)
    async with rig.running():
        rig.offer()
        await rig.clock.advance(6.9)
        assert rig.paai.attempts == 1
        assert rig.counters.backlog == 3
        await rig.clock.advance(0.3)
        assert rig.paai.attempts == 2
    assert rig.counters.acknowledged == 3


async def test_an_outage_is_not_hammered_and_ends_quickly() -> None:
    rig = Rig(lambda _: httpx.Response(503), connections=4)
    async with rig.running():
        for _ in range(20):
            rig.offer()
            await rig.clock.advance(1.0)
        assert rig.paai.attempts < 80  # 4 connections, 2.5 s apart on average in the end
        rig.paai.answer = lambda _: None
        await rig.clock.advance(5.0)  # the longest wait
        assert rig.counters.backlog == 0
    assert rig.counters.acknowledged == 60


async def test_the_first_success_wakes_whoever_rests() -> None:
    rig = Rig(lambda _: httpx.Response(503), connections=8)
    async with rig.running():
        for _ in range(8):
            rig.offer()
        await rig.clock.advance(20.0)
        rig.paai.answer = lambda _: None
        await rig.clock.advance(5.0)
    arrived = [a.arrived_ms for a in rig.paai.arrivals]
    assert len(arrived) == 24
    assert max(arrived) - min(arrived) < 1


@pytest.mark.parametrize("status", [401, 404, 413, 422, 301])
async def test_what_is_refused_is_not_repeated(status: int) -> None:
    rig = Rig(failing(1, httpx.Response(status, json={"detail": "no"})), connections=1)
    async with rig.running():
        rig.offer(4)
        rig.offer(2)
        await rig.clock.advance(5.0)
    assert rig.paai.attempts == 2
    assert rig.counters.given_up == {"refused": 4}
    assert rig.counters.acknowledged == 2
    assert str(status) in rig.counters.last_refusal
    rig.check_sums()


async def test_what_is_rejected_in_a_batch_is_counted_apart() -> None:
    answer = {"accepted": 3, "rejected": [{"index": 1, "error": "too hot"}]}
    rig = Rig(failing(1, httpx.Response(200, json=answer)))
    async with rig.running():
        rig.offer(4)
        await settle()
    assert rig.counters.acknowledged == 3
    assert rig.counters.given_up == {"rejected": 1}
    assert rig.counters.last_refusal == "too hot"
    rig.check_sums()


async def test_a_full_buffer_gives_up_the_oldest() -> None:
    rig = Rig(lambda _: httpx.Response(503), max_readings=10, connections=2)
    async with rig.running():
        offered = []
        for _ in range(10):
            offered.append(rig.offer(2))
            await rig.clock.advance(0.5)
        assert rig.counters.backlog == 10
        assert rig.counters.given_up == {"buffer_full": 10}
        rig.paai.answer = lambda _: None
        await rig.clock.advance(10.0)
    arrived = {a.device_id for a in rig.paai.arrivals}
    assert arrived == {i for ids in offered[5:] for i in ids}
    rig.check_sums()


async def test_what_is_too_old_is_given_up() -> None:
    rig = Rig(lambda _: httpx.Response(503), max_age_s=30, connections=1)
    async with rig.running():
        for _ in range(3):
            rig.offer(2)
        await rig.clock.advance(29.0)
        assert rig.counters.backlog == 6
        await rig.clock.advance(10.0)
        assert rig.counters.given_up == {"too_old": 6}
        assert rig.counters.backlog == 0


async def test_flush_waits_for_delivery() -> None:
    rig = Rig(failing(2, httpx.Response(503)), connections=1)
    async with rig.running():
        rig.offer()
        flush = asyncio.create_task(rig.sender.flush(5.0))
        await rig.clock.advance(1.0)
        assert flush.done()
    assert rig.counters.acknowledged == 3


async def test_flush_is_bounded_and_counts_what_is_left() -> None:
    rig = Rig(lambda _: httpx.Response(503), connections=2)
    async with rig.running():
        for _ in range(5):
            rig.offer()
        flush = asyncio.create_task(rig.sender.flush(2.0))
        await rig.clock.advance(2.0)
        assert flush.done()
        assert rig.counters.given_up == {"stopped": 15}
        attempts = rig.paai.attempts
        await rig.clock.advance(20.0)
        assert rig.paai.attempts == attempts
    rig.check_sums()


async def test_what_is_under_way_at_the_end_of_a_flush_is_not_repeated() -> None:
    gate = asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        await gate.wait()
        return httpx.Response(503)

    rig = Rig(connections=1)
    rig.sender._new_client = lambda: httpx.AsyncClient(base_url="http://paai", transport=httpx.MockTransport(hang))
    async with rig.running():
        rig.offer()
        flush = asyncio.create_task(rig.sender.flush(1.0))
        await rig.clock.advance(1.5)
        assert flush.done()
        gate.set()
        await rig.clock.advance(10.0)
        assert rig.counters.given_up == {"stopped": 3}
        assert rig.counters.backlog == 0


async def test_requests_take_turns_on_all_connections() -> None:
    used: list[int] = []

    class Transport(httpx.AsyncBaseTransport):
        def __init__(self, number: int) -> None:
            self.number = number

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            used.append(self.number)
            return httpx.Response(200)

    rig, numbers = Rig(connections=3), iter(range(3))
    rig.sender._new_client = lambda: httpx.AsyncClient(base_url="http://paai", transport=Transport(next(numbers)))
    async with rig.running():
        await settle()
        for _ in range(9):
            rig.offer(1)
            await settle()
    assert sorted(used) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_a_parcel_keeps_no_reference_to_its_readings() -> None:
    assert set(Parcel.__slots__) == {"body", "count", "single", "made_s", "attempts", "dropped", "last_try"}
