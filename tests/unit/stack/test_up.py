"""`up`: obstacles become the right exception, steps keep their order and their clocks, the canary is bounded."""

import threading
from collections.abc import Iterator

import pytest

from backend.contract.canary import CANARY_TIME_MS, is_canary
from backend.contract.ports import Ports
from stack import canary
from stack.board import StepBoard
from stack.errors import CancelledError, PortInUseError, PreflightError, WaitTimeoutError
from stack.local import daemon
from stack.local.layout import Layout
from stack.local.up import Up
from stack.preflight import raise_first
from stack.target import Check, Step, StepState

GOOD = Check("Java", True, "17 in /usr/lib/jvm")


def test_nothing_in_the_way() -> None:
    raise_first([GOOD])


def test_a_taken_port_is_its_own_error() -> None:
    with pytest.raises(PortInUseError) as caught:
        raise_first([GOOD, Check("Port 8000", False, "paai needs it; nginx (process 7) holds it", "Stop it.")])
    assert (caught.value.port, caught.value.holder) == (8000, "nginx (process 7)")
    assert str(caught.value).startswith("paai cannot use port 8000: nginx (process 7) holds it.")


def test_several_obstacles_are_told_at_once() -> None:
    bad = [Check("Java", False, "None is installed", "Install it."), Check("Port 8000", False, "taken", "Stop it.")]
    with pytest.raises(PreflightError, match=r"Java: None is installed\. Port 8000: taken\. Install it\. Stop it\."):
        raise_first(bad)


def test_an_obstacle_fails_the_first_step_and_nothing_is_started(layout: Layout) -> None:
    up = Up(layout, Ports(), preflight=lambda: [Check("Java", False, "None is installed", "Install it.")], cancel=None)
    steps: list[Step] = []
    with pytest.raises(PreflightError):
        steps.extend(_collect(up.run(), steps))
    assert steps[-1].state is StepState.FAILED
    assert steps[-1].key == "prepare"
    assert "Install it." in steps[-1].detail
    assert not daemon.is_running(layout)


def _collect(source: Iterator[Step], into: list[Step]) -> list[Step]:
    for step in source:
        into.append(step)  # noqa: PERF402  # what came before the exception is wanted
    return []


def test_steps_know_their_place_and_time() -> None:
    board = StepBoard()
    board.add("a", "A")
    board.add("b", "B", service="broker")
    assert [(s.index, s.total, s.state) for s in board.all()] == [(0, 2, StepState.PENDING), (1, 2, StepState.PENDING)]
    assert board.begin("b", "Waits.").state is StepState.RUNNING
    assert board.update("b", "Waits.") is None  # no news
    news = board.update("b", "Waits.", 0.5)
    assert news is not None
    assert news.progress == 0.5
    done = board.done("b", "Healthy.")
    assert (done.state, done.detail, done.progress, done.service) == (StepState.DONE, "Healthy.", 1.0, "broker")
    assert done.elapsed_s == board.all()[1].elapsed_s  # the clock has stopped


def _send(cancel: threading.Event) -> None:
    def typed(words: str) -> str:
        return f"python -m stack {words} --port-offset 4000"

    for _ in canary.send(paai="http://127.0.0.1:46000", mongo="mongodb://127.0.0.1:65017/", command=typed, cancel=cancel):
        pass


def test_the_canary_gives_up_with_the_last_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "POST_TIMEOUT_S", 1.5)
    with pytest.raises(WaitTimeoutError, match=r"did not take.*does not answer.*logs paai --port-offset 4000"):
        _send(threading.Event())


def test_the_canary_can_be_cancelled() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        _send(cancel)


def test_each_test_reading_is_of_a_device_drawn_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def post(_paai: str, _token: str | None, reading: dict[str, object], *_: object) -> str:
        sent.append(str(reading["device_id"]))
        return "It answers 503."

    monkeypatch.setattr(canary, "_post", post)
    for _ in range(3):
        with pytest.raises(WaitTimeoutError):
            _send(threading.Event())
    assert len(set(sent)) == 3
    assert all(is_canary(device_id, CANARY_TIME_MS) for device_id in sent)
