"""Feed threads: stopped in bounded time, started again when they fail."""

import threading
import time

from desktop.workers.threads import FeedThread, stop_all
from tests.helpers.wait import wait_until


def test_work_runs_on_a_named_thread_until_told() -> None:
    names: list[str] = []

    def work(stop: threading.Event) -> None:
        names.append(threading.current_thread().name)
        stop.wait(10)

    thread = FeedThread("some-feed", work)
    thread.start()
    wait_until(lambda: names, 5, "the work to run")
    assert stop_all([thread], 5)
    assert (names, thread.failure) == (["some-feed"], "")


def test_a_failure_is_told_and_the_work_is_started_again() -> None:
    runs: list[int] = []

    def work(stop: threading.Event) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise KeyError("boom")
        stop.wait(10)

    thread = FeedThread("some-feed", work, restart_s=0.01)
    thread.start()
    wait_until(lambda: len(runs) == 2, 5, "a second run")
    wait_until(lambda: thread.failure == "", 5, "the failure to be forgotten")
    assert stop_all([thread], 5)


def test_what_failed_is_named() -> None:
    def work(_: threading.Event) -> None:
        raise KeyError("boom")

    thread = FeedThread("some-feed", work, restart_s=10)
    thread.start()
    assert wait_until(lambda: thread.failure, 5, "the failure") == "some-feed: KeyError: 'boom'"
    assert stop_all([thread], 5)


def test_one_that_hangs_does_not_hold_up_the_end() -> None:
    release = threading.Event()
    hanging = FeedThread("hanging", lambda _: (release.wait(30), None)[1])
    good = FeedThread("good", lambda stop: (stop.wait(30), None)[1])
    hanging.start()
    good.start()
    began = time.monotonic()
    assert not stop_all([hanging, good], 0.3)
    assert time.monotonic() - began < 3
    assert good.join(5)
    release.set()
    assert hanging.join(5)


def test_one_that_was_never_started_counts_as_ended() -> None:
    assert stop_all([FeedThread("never", lambda _: None)], 1)
