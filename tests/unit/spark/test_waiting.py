"""Records that wait for a job that ends no batch."""

from spark.checkpoint import Position, TopicRange
from spark.waiting import WaitWatch


class Bench:
    def __init__(self) -> None:
        self.now = 0.0
        self.watch = WaitWatch(limit_s=60, clock=lambda: self.now)

    def look(self, now: float, end: int, done: int | None) -> str:
        self.now = now
        position = None if done is None else Position("A", {0: done}, {0: done})
        return self.watch.look(position, TopicRange("A", {0: 0}, {0: end}))


def test_nothing_that_waits_is_never_unhealthy() -> None:
    bench = Bench()
    assert [bench.look(now, 100, 100) for now in (0, 100, 10_000)] == ["", "", ""]
    assert bench.look(20_000, 150, 100) == ""  # just came
    assert bench.look(20_059, 150, 100) == ""


def test_records_that_wait_a_minute_without_a_batch_are_said() -> None:
    bench = Bench()
    bench.look(0, 150, 100)
    assert bench.look(61, 170, 100) == "70 records have waited for 61 s and no batch has ended. See the log of the job."
    assert bench.look(62, 170, 150) == ""


def test_a_job_that_is_behind_and_ends_batches_is_healthy() -> None:
    bench = Bench()
    assert {bench.look(float(now), 1_000_000, now) for now in range(0, 1000, 50)} == {""}


def test_the_first_batch_counts_too() -> None:
    bench = Bench()
    bench.look(0, 5, None)
    assert bench.look(61, 5, None)


def test_one_record_is_singular() -> None:
    bench = Bench()
    bench.look(0, 101, 100)
    assert bench.look(61, 101, 100).startswith("1 record has waited for 61 s")
