"""The terminal monitor from deployment to leaving, against a target whose services are not there."""

import io
import threading
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from desktop.headless import run
from desktop.headless.first_fleet import FirstFleet
from stack.errors import StepFailedError
from stack.target import Endpoints, Plan, ServiceStatus, Step, StepState, Target
from tests.helpers.wait import wait_until


class FakeTarget(SimpleNamespace):
    name = "fake"
    up_now = False
    fails = False

    def plan(self) -> Plan:
        return Plan("local", "This machine", "no Docker here", ())

    def up(self, *, cancel: threading.Event | None = None) -> Iterator[Step]:
        yield Step("kafka", "Kafka broker", StepState.RUNNING, "waits for port 9092", 0.5, "broker", None, 0, 2)
        if self.fails:
            yield Step("kafka", "Kafka broker", StepState.FAILED, "", 1.0, "broker", None, 0, 2)
            raise StepFailedError("kafka", "Kafka did not start", why="port 9092 is taken.", remedy="Use --port-offset.")
        yield Step("kafka", "Kafka broker", StepState.DONE, "answers", 1.0, "broker", None, 0, 2)
        self.up_now = True

    def is_up(self) -> bool:
        return self.up_now

    def status(self) -> list[ServiceStatus]:
        return [ServiceStatus("broker", 1, 1, True, 0, "")]

    def endpoints(self) -> Endpoints:
        # Port 9 (discard): nobody answers there.
        nobody = "http://127.0.0.1:9"
        return Endpoints(nobody, nobody, "127.0.0.1:9", "mongodb://127.0.0.1:9/", nobody, nobody)


def console(*, terminal: bool = False) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=terminal, width=160, legacy_windows=False), out


def monitor(target: FakeTarget, *, deploy: bool, **more: Any) -> int:
    return run(cast(Target, target), deploy=deploy, **more)


def test_deploys_writes_lines_and_leaves() -> None:
    where, out = console()
    stop = threading.Event()
    codes: list[int] = []
    target = FakeTarget()
    thread = threading.Thread(target=lambda: codes.append(monitor(target, deploy=True, console=where, stop=stop, line_s=0.05)))
    thread.start()
    wait_until(lambda: "1 of 1 service healthy" in out.getvalue(), 20, "a line")
    stop.set()
    thread.join(20)
    assert codes == [0]
    text = out.getvalue()
    assert "Deploying to This machine (no Docker here)." in text
    assert "[1/2] Kafka broker running (0.5 s): waits for port 9092" in text
    assert "The system keeps running" in text


@pytest.mark.parametrize("deploy", [True, False])
def test_the_first_fleet_belongs_to_a_deployment(monkeypatch: pytest.MonkeyPatch, deploy: bool) -> None:
    where, out = console()
    stop = threading.Event()
    looked: list[threading.Event] = []

    def look(first: FirstFleet, stop: threading.Event) -> None:
        first.note = "A first fleet was started."
        looked.append(stop)

    monkeypatch.setattr(FirstFleet, "run", look)
    run_it = partial(monitor, FakeTarget(up_now=True), deploy=deploy, console=where, stop=stop, line_s=0.05)
    thread = threading.Thread(target=run_it)
    thread.start()
    wait_until(lambda: out.getvalue().count("1 of 1 service healthy") > 2, 20, "lines")
    stop.set()
    thread.join(20)
    assert len(looked) == out.getvalue().count("A first fleet was started.") == int(deploy)


def test_a_failed_deployment_says_what_why_and_what_to_do() -> None:
    where, out = console()
    assert monitor(FakeTarget(fails=True), deploy=True, console=where) == 1
    assert "Kafka did not start: port 9092 is taken. Use --port-offset." in out.getvalue()
    assert "Traceback" not in out.getvalue()


def test_nothing_runs() -> None:
    where, out = console()
    assert monitor(FakeTarget(), deploy=False, console=where) == 1
    assert "-m desktop --headless --deploy` brings" in out.getvalue()


def test_on_a_terminal_it_draws_and_leaves_the_screen_as_it_was() -> None:
    where, out = console(terminal=True)
    stop = threading.Event()
    codes: list[int] = []
    target = FakeTarget(up_now=True)
    thread = threading.Thread(target=lambda: codes.append(monitor(target, deploy=False, console=where, stop=stop)))
    thread.start()
    wait_until(lambda: "Temperature" in out.getvalue(), 20, "a drawn screen")
    stop.set()
    thread.join(20)
    assert codes == [0]
    assert "\x1b[?1049l" in out.getvalue()  # the alternate screen was left
