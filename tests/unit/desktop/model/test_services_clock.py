"""A wrong clock of this computer is noticed, and the services' time goes on evenly."""

from email.utils import format_datetime

import pytest

from backend.contract import times
from desktop.model.health import HealthInputs, assess
from desktop.model.services_clock import ServicesClock

#: When the test begins, by the services' clock.
NOW = 1_795_498_861.25
HOUR = 3600.0


class World:
    """The services' clock and this computer's, which is `wrong_s` ahead of it."""

    def __init__(self, wrong_s: float) -> None:
        self.passed, self.wrong_s = 0.0, wrong_s
        self.clock = ServicesClock(wall=lambda: NOW + self.passed + self.wrong_s, monotonic=lambda: 77.0 + self.passed)

    @property
    def now(self) -> float:
        return NOW + self.passed

    def ask(self, took_s: float = 0.02) -> None:
        """One request to a service."""
        sent = self.clock.local()
        self.passed += took_s / 2
        date = format_datetime(times.to_datetime(int(self.now) * 1000), usegmt=True)
        self.passed += took_s / 2
        self.clock.observe(date, sent)

    def poll(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.5)):
            self.passed += 0.5 - 0.02 + 0.013
            self.ask()


@pytest.mark.parametrize("wrong_s", [HOUR, -HOUR, 3.0, -3.0, 90 * 24 * HOUR])
def test_the_services_time_is_told_whatever_this_computers_clock_says(wrong_s: float) -> None:
    world = World(wrong_s)
    world.ask()
    assert world.clock() == pytest.approx(world.now, abs=0.6), "one answer tells it to the second"
    world.poll(30)
    assert world.clock() == pytest.approx(world.now, abs=0.1), "many answers tell it better"
    assert world.clock.skew_s == pytest.approx(-wrong_s, abs=0.1)


@pytest.mark.parametrize("wrong_s", [0.0, 0.4, -0.9, 1.9, -1.5])
def test_a_small_difference_is_no_difference(wrong_s: float) -> None:
    world = World(wrong_s)
    world.poll(20)
    assert world.clock.skew_s == 0.0
    assert world.clock() == pytest.approx(world.clock.local(), abs=0.001), "the own clock is finer than an answer's second"


@pytest.mark.parametrize("step_s", [HOUR, -HOUR, 7.0])
def test_a_clock_that_is_set_while_the_window_runs_moves_nothing(step_s: float) -> None:
    world = World(0.0)
    world.poll(10)
    world.wrong_s = step_s
    assert world.clock() == pytest.approx(world.now, abs=0.01), "before any answer"
    world.poll(10)
    assert world.clock() == pytest.approx(world.now, abs=0.6)
    assert world.clock.skew_s == pytest.approx(-step_s, abs=0.6)
    world.wrong_s = 0.0
    world.poll(10)
    assert world.clock.skew_s == 0.0
    assert world.clock() == pytest.approx(world.now, abs=0.01)


def test_time_never_jumps_while_the_difference_is_found_out_better() -> None:
    world = World(-HOUR)
    world.ask()
    before = world.clock() - world.now
    for _ in range(60):
        world.poll(0.5)
        error = world.clock() - world.now
        assert abs(error - before) < 0.6
        assert abs(error) < 0.6
        before = error


def test_a_slow_answer_says_less_but_nothing_wrong() -> None:
    world = World(HOUR)
    world.ask(took_s=8.0)
    assert world.clock() == pytest.approx(world.now, abs=5.0)
    world.poll(20)
    assert world.clock() == pytest.approx(world.now, abs=0.1)


@pytest.mark.parametrize("date", ["", "yesterday", "Sat, 99 Nov 2026 17:00:00 GMT", "0"])
def test_an_answer_without_a_time_is_passed_over(date: str) -> None:
    world = World(HOUR)
    world.clock.observe(date, world.clock.local())
    assert world.clock() == world.clock.local()


@pytest.mark.parametrize(
    ("skew_s", "words"),
    [
        (3600.0, "This computer's clock is 1 h 0 min behind the services' clock"),
        (-3600.0, "This computer's clock is 1 h 0 min ahead of the services' clock"),
        (5.2, "5 s behind"),
        (-150.0, "2 min ahead of"),
        (3 * 86_400.0, "3 d 0 h behind"),
    ],
)
def test_the_clock_is_named(skew_s: float, words: str) -> None:
    health = assess(HealthInputs(now=NOW, started=NOW - 60, clock_skew_s=skew_s))
    assert words in health.sentence
    assert "Correct it" in health.sentence
