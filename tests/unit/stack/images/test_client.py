"""The Docker client's calls, with programs that stand in for it."""

import stat
import threading
from pathlib import Path

import pytest

from stack.errors import CancelledError, EngineError
from stack.images.client import Docker
from stack.images.context import Context, Entry
from stack.working import Progress

CONTEXT = Context((Entry("Dockerfile", b"FROM x\n"),))


def client(folder: Path, script: str) -> Docker:
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Docker((str(program),), {"PATH": "/usr/bin:/bin"})


def build(docker: Docker, progress: Progress = lambda *_: None, cancel: threading.Event | None = None) -> None:
    docker.build("paai-x:latest", CONTEXT, labels={"a": "b"}, arguments={"C": "d"}, progress=progress, cancel=cancel)


def test_a_build_gets_its_context_and_tells_its_progress(tmp_path: Path) -> None:
    docker = client(
        tmp_path, f'echo "$DOCKER_BUILDKIT $*" >{tmp_path}/call; cat >{tmp_path}/tar; echo "Step 2/4 : RUN it"; sleep 0.5'
    )
    seen: list[tuple[int, int, str]] = []
    build(docker, lambda *news: seen.append(news))

    call = (tmp_path / "call").read_text("utf-8")
    assert call.startswith("0 build --network none")  # the classic builder
    assert "--tag paai-x:latest --label a=b --build-arg C=d -" in call
    assert b"Dockerfile" in (tmp_path / "tar").read_bytes()
    assert seen == [(1, 4, "Step 2 of 4: RUN it")]


def test_a_failed_build_has_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no space left on device"):
        build(client(tmp_path, "cat >/dev/null; echo no space left on device; exit 1"))


def test_a_builder_that_does_not_read_is_no_riddle(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="denied"):
        build(client(tmp_path, "echo permission denied; exit 1"))


def test_cancelling_ends_it(tmp_path: Path) -> None:
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    with pytest.raises(CancelledError):
        build(client(tmp_path, "cat >/dev/null; exec sleep 60"), cancel=cancel)


def test_an_image_that_is_not_there_has_no_digest(tmp_path: Path) -> None:
    assert client(tmp_path, "exit 0").source_digest("paai-x:latest") is None
    assert client(tmp_path, 'test "$2" = ls && echo 1 || echo abc').source_digest("paai-x:latest") == "abc"


def test_without_docker_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="not installed"):
        Docker((str(tmp_path / "none"),)).output("version")
