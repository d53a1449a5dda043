import asyncio

from backend.generator.held import Held
from backend.generator.readings import Reading
from tests.unit.generator.fakes import FakeClock


def reading(name: str) -> Reading:
    return Reading(name, 0, 1, 1.0)


async def test_readings_come_when_their_time_comes_those_of_a_slot_together() -> None:
    clock, came = FakeClock(), list[tuple[float, list[str]]]()
    held = Held(clock=clock, deliver=lambda readings: came.append((clock.monotonic(), [r.device_id for r in readings])))
    task = asyncio.create_task(held.run())
    start = clock.monotonic()
    for name, delay_s in (("late", 3.0), ("soon", 0.51), ("soon too", 0.52), ("at once", 0.0)):
        assert held.hold(reading(name), delay_s)
    await clock.advance(5.0)
    task.cancel()
    assert [names for _, names in came] == [["at once"], ["soon", "soon too"], ["late"]]
    for (at_s, _), delay_s in zip(came, (0.0, 0.52, 3.0), strict=True):
        assert delay_s <= at_s - start <= delay_s + 0.06
    assert len(held) == 0


async def test_room_is_bounded_and_everything_can_be_released() -> None:
    clock, came = FakeClock(), list[str]()
    held = Held(clock=clock, deliver=lambda readings: came.extend(r.device_id for r in readings), max_held=2)
    assert held.hold(reading("b"), 2.0)
    assert held.hold(reading("a"), 1.0)
    assert not held.hold(reading("c"), 1.0)
    held.release_all()
    assert came == ["a", "b"]
