"""The sink connector is created, put right, restarted with backoff, and started over after a wipe."""

import re

import pytest

from backend.contract import limits
from backend.contract.held import Ends
from backend.contract.names import SINK_CONNECTOR
from backend.operator.backoff import Backoff
from backend.operator.connect_client import ConnectorStatus, ConnectUnavailableError
from backend.operator.connector import ConnectorKeeper
from backend.operator.keeper import Finding
from backend.operator.lag import LagWatch
from backend.operator.sink import sink_config

CONFIG = {"name": SINK_CONNECTOR, "tasks.max": "1"}


class FakeConnect:
    """Connect's REST interface as far as it is used.

    Attributes:
        calls: What was changed, in order.
    """

    def __init__(self) -> None:
        self.stored: dict[str, str] | None = None
        self.state = "RUNNING"
        self.tasks: dict[int, str] = {0: "RUNNING"}
        self.up = True
        self.calls: list[str] = []

    def _answer(self) -> None:
        if not self.up:
            raise ConnectUnavailableError("it does not answer")

    def config(self, name: str) -> dict[str, str] | None:
        self._answer()
        return self.stored

    def put_config(self, name: str, config: dict[str, str]) -> None:
        self._answer()
        self.stored = dict(config)
        self.calls.append("put")

    def status(self, name: str) -> ConnectorStatus | None:
        self._answer()
        if self.stored is None:
            return None
        return ConnectorStatus(state=self.state, tasks=self.tasks, trace="DataException: no server")

    def restart(self, name: str, *, only_failed: bool) -> None:
        self.calls.append(f"restart {only_failed}")

    def resume(self, name: str) -> None:
        self.calls.append("resume")
        self.state, self.tasks = "RUNNING", {0: "RUNNING"}

    def stop(self, name: str) -> None:
        self.calls.append("stop")
        self.state, self.tasks = "STOPPED", {}

    def forget_offsets(self, name: str) -> None:
        self.calls.append("forget")

    def forget_config(self) -> None:
        """Somebody deleted the connector."""
        self.stored = None

    def close(self) -> None:
        self.calls.append("close")


class FakeOffsets:
    """Ends and commits of one partition; `records`: whether a record waits behind what is committed."""

    def __init__(self) -> None:
        self.end = self.committed = self.open = 0
        self.records = True
        self.reads = 0

    def ends(self, topic: str) -> dict[int, Ends]:
        return {0: Ends(self.end, self.end + self.open)}

    def find_record(self, topic: str, partition: int, offset: int) -> tuple[int, bool]:
        self.reads += 1
        return (offset, True) if self.records else (self.end, False)

    def committed_offsets(self, group: str, topic: str) -> dict[int, int]:
        return {0: self.committed}


class Bench:
    """A keeper over fakes."""

    def __init__(self) -> None:
        self.connect, self.offsets = FakeConnect(), FakeOffsets()
        self.now, self.generation = 0.0, 1
        self.may_start = self.mongo_up = True
        self.storing = ""
        self.keeper = ConnectorKeeper(
            connect=self.connect,
            config=CONFIG,
            watch=LagWatch(source=self.offsets),
            may_start=lambda: self.may_start,
            mongo_is_up=lambda: self.mongo_up,
            find_storing=lambda: self.storing,
            topic_generation=lambda: self.generation,
            stuck_after_s=30,
            stuck_restart_after_s=60,
            clock=lambda: self.now,
            backoff=Backoff(first_s=5, factor=2, most_s=60),
        )


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_it_is_created_once_topics_and_collections_are_there(bench: Bench) -> None:
    bench.may_start = False
    assert bench.keeper.step().waiting
    assert bench.connect.calls == []
    bench.may_start = True
    bench.keeper.step()
    assert bench.connect.stored == CONFIG
    assert bench.keeper.step().converged
    assert bench.connect.calls == ["put"]


def test_a_deleted_or_changed_configuration_is_put_back(bench: Bench) -> None:
    bench.keeper.step()
    bench.connect.stored = {**CONFIG, "tasks.max": "9"}
    bench.keeper.step()
    assert bench.connect.stored == CONFIG
    bench.connect.forget_config()
    bench.keeper.step()
    assert bench.connect.stored == CONFIG
    assert bench.keeper.corrections == 3


def test_a_failed_task_is_restarted_with_growing_pauses(bench: Bench) -> None:
    bench.keeper.step()
    bench.connect.tasks = {0: "FAILED"}
    restarted_at = []
    for second in range(60):
        bench.now = float(second)
        before = bench.keeper.restarts
        found = bench.keeper.step()
        assert not found.converged
        assert "no server" in found.message
        if bench.keeper.restarts > before:
            restarted_at.append(second)
    assert restarted_at == [0, 5, 15, 35]
    assert bench.connect.calls[1] == "restart True"


def test_a_task_that_failed_for_want_of_mongodb_waits_for_it(bench: Bench) -> None:
    bench.keeper.step()
    bench.connect.tasks, bench.mongo_up = {0: "FAILED"}, False
    assert "as soon as MongoDB answers" in bench.keeper.step().message
    assert bench.keeper.restarts == 0
    bench.mongo_up = True
    bench.keeper.step()
    assert bench.keeper.restarts == 1


def test_a_paused_connector_is_resumed(bench: Bench) -> None:
    bench.keeper.step()
    bench.connect.state = "PAUSED"
    bench.keeper.step()
    assert bench.connect.calls[-1] == "resume"


def test_after_a_wipe_of_the_topic_it_starts_over(bench: Bench) -> None:
    bench.keeper.step()
    bench.generation += 1
    bench.keeper.step()
    bench.keeper.step()
    assert bench.connect.calls == ["put", "stop", "forget", "resume"]
    assert bench.keeper.step().converged


def test_running_and_writing_nothing_is_noticed_and_restarted(bench: Bench) -> None:
    bench.keeper.step()
    bench.offsets.end, bench.offsets.committed = 1000, 10
    messages = []
    for second in range(0, 200, 2):
        bench.now = float(second)
        messages.append(bench.keeper.step().message)
        if bench.keeper.restarts:
            break
    assert any("lag" in m or "behind" in m or "nothing" in m for m in messages), messages[-1]
    assert bench.keeper.restarts == 1
    assert bench.connect.calls[-1].startswith("restart")


def test_a_slow_sink_that_stores_is_not_restarted(bench: Bench) -> None:
    bench.keeper.step()
    bench.offsets.end, bench.offsets.committed = 1000, 10
    bench.storing = "readings are still being stored, slowly"
    found = steps(bench, *range(0, 400, 2))
    assert bench.keeper.restarts == 0
    assert found[-1].message == (
        "the MongoDB sink runs but has confirmed nothing for 398 s while 990 records wait:"
        " readings are still being stored, slowly"
    )
    bench.storing = ""
    assert steps(bench, 400)[0].message.endswith("has confirmed nothing for 400 s while 990 records wait; restarted")
    bench.offsets.end = 11
    assert "while 1 record waits" in bench.keeper.step().message


def steps(bench: Bench, *seconds: float) -> list[Finding]:
    found = []
    for bench.now in seconds:
        found.append(bench.keeper.step())
    return found


def test_markers_and_aborted_records_on_an_idle_topic_are_no_lag(bench: Bench) -> None:
    bench.keeper.step()
    bench.offsets.end, bench.offsets.committed, bench.offsets.records = 13, 10, False
    found = steps(bench, *range(0, 200, 2))
    assert all(f.converged for f in found)
    assert bench.keeper.lag is not None
    assert bench.keeper.lag.records == 0
    assert bench.keeper.restarts == 0
    assert bench.offsets.reads == 1  # remembered while both stand still
    bench.offsets.end += 101  # another aborted transaction
    assert steps(bench, 202)[0].converged
    assert bench.keeper.lag.records == 0
    assert bench.offsets.reads == 2


def test_a_partition_held_by_an_open_transaction_is_named_with_its_begin(bench: Bench) -> None:
    bench.keeper.step()
    bench.offsets.end = bench.offsets.committed = 10
    bench.offsets.open = 3
    begin, later = steps(bench, 0, 2 * limits.HELD_AFTER_S)
    assert begin.converged
    assert not later.converged
    assert re.search(r"holds processed_messages partition 0 since \d\d:\d\d:\d\dZ \(3 records\)", later.message)
    bench.offsets.end, bench.offsets.open = 14, 0
    assert "transaction" not in bench.keeper.step().message


def test_an_outage_of_connect_is_waited_for(bench: Bench) -> None:
    bench.connect.up = False
    found = bench.keeper.step()
    assert found.waiting
    assert "Connect" in found.message


def test_the_sink_keeps_outages_out_of_the_dead_letters() -> None:
    config = sink_config(mongo_uri="mongodb://127.0.0.1:27017/", tasks=2)
    assert not any(key.startswith("mongo.errors") for key in config)  # its own task decides
    assert config["errors.deadletterqueue.context.headers.enable"] == "true"
    assert config["connection.uri"].startswith("mongodb://127.0.0.1:27017/?")
