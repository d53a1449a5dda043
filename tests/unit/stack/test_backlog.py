"""When `up` is done although readings wait in Kafka, and what it says of them."""

import threading
from collections.abc import Callable
from typing import Any

import pymongo
import pytest

from stack import canary
from stack.backlog import BacklogMeter, Offsets
from stack.errors import WaitTimeoutError

NARROW = "\u202f"


class FakeSink:
    """An `OffsetSource` of a sink that commits every 5 s at a rate; the clock is that of `FakeClock`."""

    def __init__(self, clock: "FakeClock", *, waiting: int, per_s: float, grows_per_s: float = 0.0) -> None:
        self.clock, self.waiting, self.per_s, self.grows_per_s = clock, waiting, per_s, grows_per_s

    def read(self) -> Offsets | None:
        seconds = self.clock.now - self.clock.began
        stored = int(seconds // 5 * 5 * self.per_s)
        end = self.waiting + int(seconds * self.grows_per_s)
        return Offsets({0: 100 + min(stored, end), 1: 7}, {0: 100 + end, 1: 7})

    def close(self) -> None: ...


class FakeClock:
    """A clock that moves with each pause."""

    def __init__(self) -> None:
        self.began = self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def pause(self, _: threading.Event) -> None:
        self.now += 0.5


class FakeMongo:
    """Has the test reading once `arrives` says so."""

    def __init__(self, arrives: Callable[[], bool]) -> None:
        self._arrives, self.removed = arrives, 0

    def __call__(self, *_: Any, **__: Any) -> "FakeMongo":
        return self

    def __enter__(self) -> "FakeMongo":
        return self

    def __exit__(self, *_: object) -> None: ...

    def __getitem__(self, _: str) -> "FakeMongo":
        return self

    def find_one(self, _: object) -> dict[str, int] | None:
        return {"found": 1} if self._arrives() else None

    def delete_many(self, _: object) -> None:
        self.removed += 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock()
    monkeypatch.setattr(canary, "time", clock)
    monkeypatch.setattr(canary, "_pause", clock.pause)
    monkeypatch.setattr(canary, "_post", lambda *_: "")
    return clock


def _send(monkeypatch: pytest.MonkeyPatch, sink: FakeSink, *, arrives: Callable[[], bool]) -> list[str]:
    mongo = FakeMongo(arrives)
    monkeypatch.setattr(pymongo, "MongoClient", mongo)
    said = list(
        canary.send(
            paai="http://paai", mongo="mongodb://mongo", command="stack {}".format, offsets=sink, cancel=threading.Event()
        )
    )
    assert mongo.removed == ("A reading arrived" in said[-1])
    return said


def test_a_backlog_that_is_being_stored_ends_up(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    said = _send(monkeypatch, FakeSink(clock, waiting=162_198, per_s=600), arrives=lambda: False)

    assert said[-1].startswith("paai took a test reading. 1")
    assert said[-1].endswith(f"{NARROW}198 readings wait in Kafka, for about 4 min: 600 readings/s are stored.")
    assert clock.now - clock.began < 30


def test_readings_that_come_faster_than_they_are_stored_do_not_keep_it(
    monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    said = _send(monkeypatch, FakeSink(clock, waiting=100_000, per_s=100, grows_per_s=1_000), arrives=lambda: False)

    assert "100 readings/s are stored" in said[-1]


def test_a_sink_that_stores_nothing_fails_it_with_the_reason(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    sink = FakeSink(clock, waiting=5_000, per_s=0)

    with pytest.raises(WaitTimeoutError, match=rf"did not reach MongoDB within 180 s.*5{NARROW}000 readings wait in Kafka\."):
        _send(monkeypatch, sink, arrives=lambda: False)


def test_a_rate_that_never_gets_there_fails_it(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    with pytest.raises(WaitTimeoutError, match="did not reach MongoDB"):
        _send(monkeypatch, FakeSink(clock, waiting=1_000_000, per_s=1), arrives=lambda: False)


def test_without_a_backlog_the_test_reading_itself_must_arrive(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    """The sink is past it, and other readings are stored: it was lost."""
    with pytest.raises(WaitTimeoutError, match="did not reach MongoDB"):
        _send(monkeypatch, FakeSink(clock, waiting=1, per_s=48, grows_per_s=48), arrives=lambda: False)


def test_the_test_reading_that_arrives_first_is_the_result(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    sink = FakeSink(clock, waiting=100, per_s=50)

    said = _send(monkeypatch, sink, arrives=lambda: clock.now - clock.began >= 2)

    assert said[-1] == "A reading arrived after 2.0 s."


def test_kafka_that_does_not_respond_changes_nothing(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    sink = FakeSink(clock, waiting=100, per_s=50)
    monkeypatch.setattr(sink, "read", lambda: None)

    with pytest.raises(WaitTimeoutError, match="Kafka Connect has not written it"):
        _send(monkeypatch, sink, arrives=lambda: False)


def test_a_group_that_begins_anew_is_measured_anew() -> None:
    meter = BacklogMeter()
    for now, committed in ((0.0, 0), (5.0, 500), (10.0, 1000), (15.0, 0), (20.0, 500)):
        meter.add(now, Offsets({0: committed}, {0: 10_000}))

    assert (meter.waiting, meter.stored_per_s, meter.is_draining()) == (9_500, 0.0, False)
