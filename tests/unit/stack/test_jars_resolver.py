"""Bringing the JVM artifacts into the cache, with a small lock and a stand-in for Ivy."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stack.errors import CancelledError, JarsError, NoNetworkError
from stack.jars import lockfile, resolver
from stack.jars.lockfile import Lock
from tests.helpers.wait import wait_until

CONTENTS = {"kafka/a-1.jar": b"first", "spark/b-2.jar": b"second"}


class FakeIvy:
    """Writes the files that it is told to; counts its runs.

    Attributes:
        contents: What a run brings.
        failures: Raised by the next runs, one each, after having written the first file.
        runs: How many there were.
        gate: Waited for before anything is done.
    """

    def __init__(self) -> None:
        self.contents = dict(CONTENTS)
        self.failures: list[Exception] = []
        self.runs = 0
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, *, cache: Path, out: Path, on_progress: Callable[[int, int, str], None], **_: Any) -> None:
        self.runs += 1
        assert self.gate.wait(20)
        cache.mkdir(parents=True, exist_ok=True)
        for done, (name, content) in enumerate(self.contents.items(), start=1):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)
            on_progress(done, 4, name)
            if self.failures:
                raise self.failures.pop(0)


@pytest.fixture
def ivy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeIvy:
    """A cache of its own, a lock of two files, and no Java."""
    source = tmp_path / "source"
    for name, content in CONTENTS.items():
        (source / name).parent.mkdir(parents=True)
        (source / name).write_bytes(content)
    lock = Lock("c" * 64, lockfile.scan(source))
    fake = FakeIvy()
    monkeypatch.setenv("PAAI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("stack.jars.lockfile.read", lambda: lock)
    monkeypatch.setattr("stack.jars.resolver.run_ivy", fake)
    monkeypatch.setattr("stack.jars.resolver._BACKOFF_S", 0.01)
    return fake


def nothing(done: int, total: int, text: str) -> None:
    """Progress that nobody looks at."""


def test_the_first_run_fetches_and_the_second_does_nothing(ivy: FakeIvy, tmp_path: Path) -> None:
    assert not resolver.is_resolved()

    jars = resolver.resolve(on_progress=nothing, cancel=None)

    assert (jars.kafka / "a-1.jar").read_bytes() == b"first"
    assert (jars.spark / "b-2.jar").read_bytes() == b"second"
    assert resolver.is_resolved()
    assert jars == resolver.jar_dirs()
    assert jars.kafka.is_relative_to(tmp_path / "cache")
    assert resolver.resolve(on_progress=nothing, cancel=None) == jars
    assert ivy.runs == 1


def test_a_lost_file_is_fetched_again(ivy: FakeIvy) -> None:
    jars = resolver.resolve(on_progress=nothing, cancel=None)
    (jars.kafka / "a-1.jar").unlink()
    assert not resolver.is_resolved()

    resolver.resolve(on_progress=nothing, cancel=None)

    assert (jars.kafka / "a-1.jar").read_bytes() == b"first"


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("kafka/a-1.jar", b"FIRST", "a-1.jar has other contents"),
        ("kafka/intruder.jar", b"x", "intruder.jar is not in the lock"),
    ],
)
def test_what_differs_from_the_lock_is_thrown_away(
    ivy: FakeIvy, tmp_path: Path, name: str, content: bytes, complaint: str
) -> None:
    ivy.contents[name] = content

    with pytest.raises(JarsError, match=complaint):
        resolver.resolve(on_progress=nothing, cancel=None)

    assert not resolver.is_resolved()
    assert list((tmp_path / "cache").rglob("*.jar")) == []
    assert not (tmp_path / "cache" / "jars" / "ivy").exists()


def test_a_failing_network_is_tried_three_times(ivy: FakeIvy) -> None:
    ivy.failures = [NoNetworkError("down"), NoNetworkError("down")]
    told: list[str] = []

    resolver.resolve(on_progress=lambda _done, _total, text: told.append(text), cancel=None)

    assert ivy.runs == 3
    assert "The network failed; try 3 of 3 begins" in told


def test_then_it_gives_up_and_keeps_what_came(ivy: FakeIvy, tmp_path: Path) -> None:
    ivy.failures = [NoNetworkError("down")] * 3

    with pytest.raises(NoNetworkError):
        resolver.resolve(on_progress=nothing, cancel=None)

    assert ivy.runs == 3
    assert not resolver.is_resolved()
    assert (tmp_path / "cache" / "jars" / "ivy").exists()


def test_other_failures_are_not_repeated(ivy: FakeIvy) -> None:
    ivy.failures = [JarsError("no such artifact")]

    with pytest.raises(JarsError, match="no such artifact"):
        resolver.resolve(on_progress=nothing, cancel=None)

    assert ivy.runs == 1


def test_an_interrupted_run_leaves_nothing_that_counts(ivy: FakeIvy) -> None:
    ivy.failures = [CancelledError("stopped")]
    with pytest.raises(CancelledError):
        resolver.resolve(on_progress=nothing, cancel=threading.Event())
    assert not resolver.is_resolved()

    resolver.resolve(on_progress=nothing, cancel=None)

    assert resolver.is_resolved()


def test_a_second_one_at_the_same_time_waits_and_fetches_nothing(ivy: FakeIvy) -> None:
    ivy.gate.clear()
    told: list[str] = []
    first = threading.Thread(target=resolver.resolve, kwargs={"on_progress": nothing, "cancel": None})
    second = threading.Thread(
        target=resolver.resolve, kwargs={"on_progress": lambda _done, _total, text: told.append(text), "cancel": None}
    )
    first.start()
    wait_until(lambda: ivy.runs, 10, "the first to begin")
    second.start()
    wait_until(lambda: told, 10, "the second to say that it waits")
    assert told == ["Another process downloads them; waiting for it"]

    ivy.gate.set()
    first.join(10)
    second.join(10)

    assert not first.is_alive()
    assert not second.is_alive()
    assert ivy.runs == 1
    assert resolver.is_resolved()


def test_waiting_for_another_one_can_be_cancelled(ivy: FakeIvy) -> None:
    ivy.gate.clear()
    first = threading.Thread(target=resolver.resolve, kwargs={"on_progress": nothing, "cancel": None})
    first.start()
    wait_until(lambda: ivy.runs, 10, "the first to begin")
    cancel = threading.Event()
    cancel.set()

    with pytest.raises(CancelledError):
        resolver.resolve(on_progress=nothing, cancel=cancel)

    ivy.gate.set()
    first.join(10)
