import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from backend.generator.scheduler import MAX_BEHIND_S, Scheduler
from tests.unit.generator.fakes import FakeClock


class Rig:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.served: list[tuple[int, int, float]] = []
        self.skipped: list[int] = []
        self.lags: list[float] = []
        self.scheduler = Scheduler(
            clock=self.clock, on_slot=self.on_slot, on_skipped=self.skipped.append, on_lag=self.lags.append
        )

    def on_slot(self, slot: int, due_ms: int) -> None:
        self.served.append((slot, due_ms, self.clock.wall() * 1000.0))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.scheduler.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def stamps(self, slot: int) -> list[int]:
        return [due for s, due, _ in self.served if s == slot]


async def test_every_slot_is_served_at_its_phase() -> None:
    rig = Rig()
    rig.scheduler.follow(1000, range(20))
    async with rig.running():
        await rig.clock.advance(5.0)
    assert len(rig.served) == 100
    for slot, due_ms, at_ms in rig.served:
        assert due_ms % 1000 == slot * 50
        assert 0 <= at_ms - due_ms <= 50
    assert [due for _, due, _ in rig.served] == sorted(due for _, due, _ in rig.served)


async def test_an_interval_that_50_ms_does_not_divide() -> None:
    rig = Rig()
    rig.scheduler.follow(330, range(6))
    async with rig.running():
        await rig.clock.advance(3.3)
    stamps = rig.stamps(2)
    assert len(stamps) == 10
    assert {b - a for a, b in itertools.pairwise(stamps)} == {330}


async def test_join_and_leave_do_not_move_the_others() -> None:
    rig = Rig()
    rig.scheduler.follow(1000, [3, 7])
    async with rig.running():
        await rig.clock.advance(1.5)
        rig.scheduler.follow(1000, [1, 3, 12])
        await rig.clock.advance(1.23)
        rig.scheduler.follow(1000, [3])
        await rig.clock.advance(2.27)
    stamps = rig.stamps(3)
    assert len(stamps) == 5
    assert {b - a for a, b in itertools.pairwise(stamps)} == {1000}


async def test_nothing_is_served_when_there_is_nothing() -> None:
    rig = Rig()
    async with rig.running():
        await rig.clock.advance(3.0)
        assert rig.served == []
        rig.scheduler.follow(1000, [0])
        await rig.clock.advance(1.0)
        assert len(rig.served) == 1  # not the rounds before it was asked for


async def test_who_falls_behind_catches_up_with_the_true_times() -> None:
    rig = Rig()
    rig.scheduler.follow(1000, range(20))
    async with rig.running():
        await rig.clock.advance(1.0)
        rig.clock.block(3.0)
        assert rig.scheduler.behind_s() == pytest.approx(3.0, abs=0.06)
        await rig.clock.advance(1.0)
        assert rig.scheduler.behind_s() > 2.9  # the worst of the last two seconds
        await rig.clock.advance(3.0)
        assert rig.scheduler.behind_s() < 0.001
    for slot in range(20):
        stamps = rig.stamps(slot)
        assert {b - a for a, b in itertools.pairwise(stamps)} == {1000}
        assert len(stamps) == 8
    assert rig.skipped == []
    assert max(rig.lags) == pytest.approx(3.0, abs=0.06)


async def test_who_is_far_behind_skips_whole_rounds_and_counts_them() -> None:
    rig = Rig()
    rig.scheduler.follow(1000, range(20))
    async with rig.running():
        await rig.clock.advance(1.0)
        rig.clock.block(MAX_BEHIND_S + 25.0)
        await rig.clock.advance(1.0)
    (rounds,) = rig.skipped
    assert rounds >= MAX_BEHIND_S
    assert len(rig.served) + 20 * rounds == 20 * (1 + MAX_BEHIND_S + 25 + 1)


@pytest.mark.parametrize("by_s", [-3600.0, -2.0, -0.3, 0.3, 2.0, 3600.0])
async def test_setting_the_clock_moves_the_grid_along(by_s: float) -> None:
    rig = Rig()
    rig.scheduler.follow(1000, range(20))
    async with rig.running():
        await rig.clock.advance(2.02)
        rig.clock.set_wall(by_s)
        before = len(rig.served)
        await rig.clock.advance(5.0)
    assert abs(len(rig.served) - before - 100) <= 7  # neither a flood nor a pause
    for _, due_ms, at_ms in rig.served:
        assert 0 <= at_ms - due_ms <= 51  # never of the future
    for slot in range(20):
        stamps = rig.stamps(slot)
        assert len(set(stamps)) == len(stamps)


async def test_repeated_steps_back_never_repeat_a_time() -> None:
    rig = Rig()
    rig.scheduler.follow(1000, range(20))
    async with rig.running():
        for _ in range(8):
            await rig.clock.advance(2.0)
            rig.clock.set_wall(-2.0)
        await rig.clock.advance(2.0)
    for slot in range(20):
        assert len(set(rig.stamps(slot))) == len(rig.stamps(slot)) >= 16


async def test_a_small_correction_back_is_waited_out() -> None:
    rig = Rig()
    rig.scheduler.follow(1000, range(20))
    async with rig.running():
        for _ in range(100):
            await rig.clock.advance(0.05)
            rig.clock.set_wall(-0.0003)
    for slot in range(20):
        stamps = rig.stamps(slot)
        assert {b - a for a, b in itertools.pairwise(stamps)} == {1000}
    assert all(at_ms >= due_ms for _, due_ms, at_ms in rig.served)


async def test_a_process_that_is_suspended_between_its_clocks_sees_no_step(caplog: pytest.LogCaptureFixture) -> None:
    class Suspended(FakeClock):
        """Now and then 60 ms pass between two looks at the clocks."""

        looks = 0

        def monotonic(self) -> float:
            self.looks += 1
            if self.looks % 7 == 0:
                self.block(0.06)
            return super().monotonic()

    rig = Rig()
    rig.clock = Suspended()
    rig.scheduler = Scheduler(clock=rig.clock, on_slot=rig.on_slot, on_skipped=rig.skipped.append, on_lag=rig.lags.append)
    rig.scheduler.follow(1000, range(20))
    async with rig.running():
        await rig.clock.advance(10.0)
    assert rig.clock.looks > 100
    assert "clock" not in caplog.text
