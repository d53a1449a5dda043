"""The sink connector: created when it may be, put right, restarted, started over, and watched."""

import itertools
from dataclasses import dataclass, field

from backend.operator.backoff import Backoff
from backend.operator.connector import ConnectorKeeper
from backend.operator.lag import LagWatch
from tests.helpers.fake_operator_parts import FakeConnect, FakeKafka

CONFIG = {"name": "mongodb-sink", "tasks.max": "2"}


@dataclass
class Bench:
    """A keeper and all around it."""

    connect: FakeConnect = field(default_factory=FakeConnect)
    kafka: FakeKafka = field(default_factory=FakeKafka)
    now: float = 1000.0
    ready: bool = True
    mongo: bool = True
    generation: int = 1

    def __post_init__(self) -> None:
        self.keeper = ConnectorKeeper(
            connect=self.connect,
            config=CONFIG,
            watch=LagWatch(source=self.kafka),
            may_start=lambda: self.ready,
            mongo_is_up=lambda: self.mongo,
            topic_generation=lambda: self.generation,
            stuck_after_s=60,
            stuck_restart_after_s=120,
            clock=lambda: self.now,
            backoff=Backoff(first_s=1, most_s=8),
        )


def running() -> Bench:
    bench = Bench()
    bench.keeper.step()
    assert bench.keeper.step().converged
    bench.connect.calls.clear()
    return bench


def test_is_created_once_topics_and_collections_are_there() -> None:
    bench = Bench(ready=False)
    assert bench.keeper.step().waiting
    assert bench.connect.calls == []
    bench.ready = True
    bench.keeper.step()
    assert bench.connect.calls == ["put"]
    assert bench.connect.wanted == CONFIG
    assert bench.keeper.step().converged
    assert bench.connect.calls == ["put"]


def test_a_changed_or_deleted_connector_is_put_back() -> None:
    bench = running()
    bench.connect.wanted = CONFIG | {"tasks.max": "9"}
    bench.keeper.step()
    assert bench.connect.wanted == CONFIG
    bench.connect.wanted = None
    bench.keeper.step()
    assert bench.connect.wanted == CONFIG
    assert bench.connect.calls == ["put", "put"]


def test_what_failed_is_restarted_with_growing_pauses_and_counted() -> None:
    bench = running()
    bench.connect.tasks = {0: "RUNNING", 1: "FAILED"}
    bench.connect.trace = "no disk"
    at = []
    for _ in range(200):
        before = len(bench.connect.calls)
        finding = bench.keeper.step()
        assert not finding.converged
        assert "no disk" in finding.message
        if len(bench.connect.calls) > before:
            at.append(bench.now)
        bench.now += 0.25
    assert set(bench.connect.calls) == {"restart failed"}
    assert [b - a for a, b in itertools.pairwise(at)][:5] == [1, 2, 4, 8, 8]
    assert bench.keeper.restarts == len(at)


def test_a_task_that_failed_for_want_of_mongodb_waits_for_it_and_then_starts_at_once() -> None:
    bench = running()
    bench.connect.tasks = {0: "FAILED"}
    bench.mongo = False
    for _ in range(20):
        assert "as soon as MongoDB answers" in bench.keeper.step().message
        bench.now += 5
    assert bench.connect.calls == []
    bench.mongo = True
    bench.keeper.step()
    assert bench.connect.calls == ["restart failed"]


def test_running_but_stuck_is_said_and_then_restarted() -> None:
    bench = running()
    bench.kafka.committed = {0: 10}
    bench.kafka.ends = {0: 500}
    messages = []
    for _ in range(26):
        messages.append(bench.keeper.step().message)
        bench.now += 5
    assert messages[0] == messages[11] == ""  # up to 55 s: it may only commit rarely
    assert messages[12] == "the MongoDB sink runs but has stored nothing for 60 s while 490 readings wait"
    assert bench.connect.calls == ["restart all"]
    assert "120 s" in messages[24]
    bench.kafka.committed = {0: 500}
    assert bench.keeper.step().converged


def test_a_sink_that_moves_is_not_stuck_however_far_behind() -> None:
    bench = running()
    for n in range(60):
        bench.kafka.committed = {0: n}
        bench.kafka.ends = {0: 1_000_000}
        assert bench.keeper.step().converged
        bench.now += 5


def test_starts_over_when_the_topic_was_made_anew() -> None:
    bench = running()
    bench.generation = 2
    bench.keeper.step()
    bench.keeper.step()
    assert bench.connect.calls == ["stop", "forget", "resume"]
    assert bench.keeper.step().converged


def test_a_connector_found_by_a_new_operator_on_an_old_topic_goes_on() -> None:
    bench = Bench(connect=FakeConnect(wanted=dict(CONFIG)), generation=0)
    assert bench.keeper.step().converged
    assert bench.connect.calls == []


def test_a_paused_connector_is_resumed() -> None:
    bench = running()
    bench.connect.state = "PAUSED"
    bench.keeper.step()
    assert bench.connect.calls == ["resume"]


def test_outages_are_waited_out() -> None:
    bench = running()
    bench.connect.down = "it is rebalancing"
    assert bench.keeper.step().message == "waits for Connect: it is rebalancing"
    bench.connect.down = ""
    bench.kafka.down = "no broker"
    assert bench.keeper.step().message == "waits for Kafka: no broker"
    bench.kafka.down = ""
    assert bench.keeper.step().converged
