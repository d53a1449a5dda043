"""The loop: keepers side by side, a state file, and a quick end."""

import threading
import time
from pathlib import Path

import pytest

from backend.common.state import MAX_AGE_S, read_state, write_state
from backend.operator.keeper import Finding
from backend.operator.loop import Loop, Pace
from tests.helpers.wait import wait_until


class Scripted:
    """A keeper that says what the test wants."""

    def __init__(self, name: str, finding: Finding) -> None:
        self.name, self.finding = name, finding
        self.error: Exception | None = None
        self.steps = 0
        self.closed = threading.Event()

    def step(self) -> Finding:
        self.steps += 1
        if self.error:
            raise self.error
        return self.finding

    def close(self) -> None:
        self.closed.set()


PACE = Pace(0.01, 0.01)


def test_reports_what_is_wrong_before_what_is_waited_for_and_ends_quickly(tmp_path: Path) -> None:
    first = Scripted("first", Finding(False, "waits for Kafka", waiting=True))
    second = Scripted("second", Finding(False, "the sink failed"))
    unseen = Scripted("unseen", Finding(False, "never said"))
    path = tmp_path / "state" / "kafka-operator.json"
    loop = Loop(
        keepers=[(first, PACE), (second, PACE), (unseen, Pace(0.01, 0.01, counts=False))], state_file=path, report_s=0.05
    )
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        wait_until(lambda: read_state(path).message == "the sink failed; waits for Kafka", 10, "both messages")
        assert not read_state(path).ok
        first.finding = second.finding = Finding(True)
        wait_until(lambda: read_state(path).ok, 10, "all well")
        assert read_state(path).message == ""
        assert loop.converged("first", "second")
    finally:
        began = time.monotonic()
        loop.request_stop()
        thread.join(timeout=10)
    assert not thread.is_alive()
    assert time.monotonic() - began < 3
    assert first.closed.wait(5)
    assert not read_state(path).ok


def test_a_mistake_in_a_keeper_is_said_and_the_loop_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keeper = Scripted("topics", Finding(True))
    keeper.error = KeyError("oops")
    path = tmp_path / "s.json"
    loop = Loop(keepers=[(keeper, PACE)], state_file=path, report_s=0.05)
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        wait_until(lambda: "failed unexpectedly" in read_state(path).message, 10, "the mistake")
        keeper.error = None
        wait_until(lambda: read_state(path).ok, 10, "all well")
    finally:
        loop.request_stop()
        thread.join(timeout=10)
    assert "oops" in caplog.text


def test_a_state_file_that_is_old_missing_or_broken_is_not_ok(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    assert read_state(path).message == "it has not reported yet"
    write_state(path, ok=True, message="", at=1000.0)
    assert read_state(path, now=1000.0 + MAX_AGE_S - 1).ok
    assert read_state(path, now=1000.0 + MAX_AGE_S + 1).message == "it has not reported for 31 s"
    path.write_text("{")
    assert "cannot be read" in read_state(path).message
    assert [p.name for p in tmp_path.iterdir()] == ["s.json"]


def test_a_figure_that_goes_up_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Counting(Scripted):
        def step(self) -> Finding:
            self.finding = Finding(False, f"nothing stored for {self.steps} s")
            return super().step()

    keeper = Counting("sink", Finding(False))
    loop = Loop(keepers=[(keeper, PACE)], state_file=tmp_path / "kafka-operator.json", report_s=0.01)
    with caplog.at_level("INFO"):
        thread = threading.Thread(target=loop.run)
        thread.start()
        wait_until(lambda: keeper.steps > 20, 10, "twenty steps")
        loop.request_stop()
        thread.join(timeout=10)
    assert len([record for record in caplog.records if "nothing stored" in record.getMessage()]) == 1
