"""Which base the images are built on."""

import os
from pathlib import Path
from typing import Any

import pytest

from stack.errors import EngineError
from stack.images import base
from stack.images.base import BOOTSTRAPPED, OFFICIAL


class FakeDocker:
    """An engine that has `images` and can pull `pullable`."""

    command = ("docker",)

    def __init__(self, *images: str, pullable: tuple[str, ...] = ()) -> None:
        self.images, self.pullable = set(images), pullable
        self.fed: list[Any] = []

    def output(self, *arguments: str, timeout_s: float = 0) -> str:
        if arguments[0] == "pull":
            if arguments[-1] not in self.pullable:
                raise EngineError("docker pull failed", why="no such host")
            self.images.add(arguments[-1])
            return ""
        name = arguments[-1].removeprefix("reference=")
        return "sha256:1" if name in self.images else ""

    def architecture(self) -> str:
        return "amd64"

    def feed(self, command: list[str], *_args: Any, **_more: Any) -> None:
        self.fed.append(command)


def provide(docker: FakeDocker, wanted: str | None = None) -> base.Base:
    return base.provide(docker, wanted, lambda *_: None, None)  # type: ignore[arg-type]


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bare Debian that was made earlier."""
    path = tmp_path / "base.tar"
    path.write_bytes(b"tar")
    monkeypatch.setattr(base, "_archive", lambda *_: path)
    return path


def test_the_official_image_is_taken_where_it_can_be_had() -> None:
    assert provide(FakeDocker(OFFICIAL)).image == OFFICIAL
    assert provide(FakeDocker(pullable=(OFFICIAL,))).image == OFFICIAL


@pytest.mark.usefixtures("archive")
def test_debian_packages_stand_in_and_the_reason_is_said() -> None:
    docker = FakeDocker()
    found = provide(docker)

    assert found.image == BOOTSTRAPPED
    assert "no such host" in found.why
    assert docker.fed[0][:2] == ["docker", "import"]


@pytest.mark.usefixtures("archive")
def test_one_that_was_asked_for_is_taken_and_nothing_else() -> None:
    docker = FakeDocker(OFFICIAL)
    assert provide(docker, "debootstrap").image == BOOTSTRAPPED
    assert provide(FakeDocker("mine:1"), "mine:1").image == "mine:1"
    with pytest.raises(EngineError):
        provide(FakeDocker(), "mine:1")


def test_without_any_way_it_says_what_can_be_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(base, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(EngineError, match="nothing to build the images on") as caught:
        provide(FakeDocker())

    assert OFFICIAL in caught.value.remedy
    assert "debootstrap" in caught.value.remedy
