"""run_task: off the GUI thread and back, exactly one callback, and none after a cancel or the end."""

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from desktop.workers.tasks import TaskRunner


@pytest.fixture
def runner(qtbot: QtBot) -> Iterator[TaskRunner]:
    made = TaskRunner()
    yield made
    assert made.shutdown(5)


def never(*_: object) -> None:
    raise AssertionError("must not be called")


def test_work_is_elsewhere_and_the_result_is_here(runner: TaskRunner, qtbot: QtBot) -> None:
    here = threading.get_ident()
    got: list[tuple[int, int]] = []
    runner.run(threading.get_ident, lambda ran_on: got.append((ran_on, threading.get_ident())), never)
    qtbot.waitUntil(lambda: bool(got), timeout=5000)
    assert got[0][0] != here
    assert got[0][1] == here


def test_an_error_goes_to_its_own_callback(runner: TaskRunner, qtbot: QtBot) -> None:
    got: list[Exception] = []

    def fail() -> None:
        raise ValueError("boom")

    task = runner.run(fail, never, got.append)
    qtbot.waitUntil(lambda: bool(got), timeout=5000)
    assert repr(got) == "[ValueError('boom')]"
    assert task.over


def test_none_is_a_result(runner: TaskRunner, qtbot: QtBot) -> None:
    got: list[None] = []
    runner.run(lambda: None, got.append, never)
    qtbot.waitUntil(lambda: got == [None], timeout=5000)


def test_after_a_cancel_nothing_is_called_even_if_the_result_is_there(runner: TaskRunner) -> None:
    done = threading.Event()
    task = runner.run(lambda: done.set(), never, never)
    assert done.wait(5)
    task.cancel()
    QCoreApplication.processEvents()
    assert task.over


def test_the_work_can_see_that_it_was_cancelled(runner: TaskRunner, qtbot: QtBot) -> None:
    seen = threading.Event()
    started = threading.Event()
    go = threading.Event()

    def work() -> None:
        started.set()
        go.wait(5)
        if task.cancelled.is_set():
            seen.set()

    task = runner.run(work, never, never)
    assert started.wait(5)
    task.cancel()
    go.set()
    assert seen.wait(5)


def test_progress_comes_here(runner: TaskRunner, qtbot: QtBot) -> None:
    here = threading.get_ident()
    got: list[int] = []
    runner.run(lambda: runner.on_gui(lambda: got.append(threading.get_ident())), lambda _: None, never)
    qtbot.waitUntil(lambda: got == [here], timeout=5000)


def test_the_end_waits_for_what_runs_and_calls_nothing_any_more(qtbot: QtBot) -> None:
    runner = TaskRunner()
    started, release = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        release.wait(10)

    runner.run(work, never, never)
    assert started.wait(5)
    assert not runner.shutdown(0.05)
    release.set()
    assert runner.shutdown(5)
    QCoreApplication.processEvents()
    assert runner.run(never, never, never).over


def test_inline_runs_at_once_on_the_calling_thread(qtbot: QtBot) -> None:
    runner = TaskRunner(inline=True)
    got: list[int] = []
    runner.run(threading.get_ident, got.append, never)
    assert got == [threading.get_ident()]
    assert runner.shutdown(1)
