"""Which images are built, in which order, and what of them is said; the engine is one in memory."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stack.errors import CancelledError, EngineError
from stack.images import base, build, node, wheels
from stack.images.catalogue import IMAGES, ImageSpec
from stack.images.context import Context, Entry
from stack.target import Step, StepState


class FakeDocker:
    """An engine that has images and makes them from contexts at once."""

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}
        self.built: list[str] = []
        self.arguments: dict[str, str] = {}
        self.fails = ""

    def source_digest(self, image: str) -> str | None:
        return self.labels.get(image)

    def architecture(self) -> str:
        return "amd64"

    def build(self, image: str, _context: Context, *, labels: dict[str, str], arguments: dict[str, str], **_more: Any) -> None:
        if image.startswith(self.fails or "\0"):
            raise EngineError(f"The image {image} cannot be built", why="no space left on device")
        self.built.append(image.removesuffix(":latest").removeprefix("paai-"))
        self.labels[image] = labels["paai.source"]
        self.arguments = arguments


@pytest.fixture
def contents(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The content of each image, to be changed by the test."""
    texts = {spec.name: b"1" for spec in IMAGES}

    def context(name: str) -> Callable[[], Context]:
        return lambda: Context((Entry("Dockerfile", texts[name]),))

    specs = tuple(ImageSpec(s.name, s.title, s.parent, context(s.name), s.requirements, s.jars, s.node) for s in IMAGES)
    monkeypatch.setattr(build, "IMAGES", specs)
    monkeypatch.setattr(build, "BY_NAME", {spec.name: spec for spec in specs})
    monkeypatch.setattr(base, "provide", lambda *_: base.Base("paai-debian:bookworm", "For the test."))
    monkeypatch.setattr(base, "apt_options", lambda: "")
    monkeypatch.setattr(wheels, "fetch", lambda *_args, **_more: Path())
    monkeypatch.setattr(node, "fetch", lambda *_args, **_more: Path())
    monkeypatch.setattr(build, "prepare", lambda **_more: None)
    return texts


def run(docker: FakeDocker, **options: Any) -> list[Step]:
    return list(steps(docker, **options))


def steps(docker: FakeDocker, **options: Any) -> Iterator[Step]:
    return build.build_images(docker, **options)  # type: ignore[arg-type]


@pytest.mark.usefixtures("contents")
def test_everything_is_built_once_parents_first() -> None:
    docker = FakeDocker()
    done = run(docker)

    assert (
        docker.built.index("base") < docker.built.index("jre") < docker.built.index("spark-libs") < docker.built.index("spark")
    )
    assert "mongo-express-lite" not in docker.built
    assert docker.arguments["BASE_IMAGE"] == "paai-debian:bookworm"
    assert [step.key for step in done if step.state is StepState.DONE][:3] == ["base-system", "wheels", "jars"]
    assert build.outdated(docker) == ()  # type: ignore[arg-type]

    docker.built.clear()
    again = run(docker)
    assert docker.built == []
    assert all(
        step.detail.startswith("There already") for step in again if step.key.startswith("paai-") and step.state == "done"
    )


def test_a_change_builds_that_image_and_those_on_top_of_it(contents: dict[str, bytes]) -> None:
    docker = FakeDocker()
    run(docker)
    docker.built.clear()
    contents["services"] = b"2"
    assert build.outdated(docker) == ("services",)  # type: ignore[arg-type]
    run(docker)
    assert docker.built == ["services"]

    docker.built.clear()
    contents["jre"] = b"2"
    assert build.outdated(docker) == ("kafka", "spark")  # type: ignore[arg-type]
    run(docker)
    assert docker.built == ["jre", "kafka", "spark-libs", "spark"]


@pytest.mark.usefixtures("contents")
def test_one_image_needs_only_its_parents() -> None:
    docker = FakeDocker()
    done = run(docker, images=("gateway",))

    assert docker.built == ["base", "gateway"]
    assert not {step.key for step in done} & {"wheels", "jars", "node"}


@pytest.mark.usefixtures("contents")
def test_a_failure_is_a_failed_step_with_the_builders_words() -> None:
    docker = FakeDocker()
    docker.fails = "paai-services"
    seen: list[Step] = []
    with pytest.raises(EngineError, match="no space left on device"):
        seen.extend(steps(docker))  # keeps what came before the error

    assert seen[-1].key == "paai-services"
    assert seen[-1].state is StepState.FAILED
    assert "no space left" in seen[-1].detail
    docker.fails = ""
    run(docker)
    assert docker.built.count("base") == 1


@pytest.mark.usefixtures("contents")
def test_a_cancelled_build_says_so() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        run(FakeDocker(), cancel=cancel)


@pytest.mark.usefixtures("contents")
def test_proxies_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    docker = FakeDocker()
    run(docker, images=("gateway",))

    assert docker.arguments["https_proxy"] == "http://proxy.example:3128"
