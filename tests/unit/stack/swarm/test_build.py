"""`build`: MongoDB's image or its stand-in, our images, credentials; one list of steps."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from stack import mongo
from stack.errors import EngineError, MongoMissingError
from stack.images.client import Docker
from stack.swarm.build import build
from stack.swarm.site import Site
from stack.target import Step, StepState
from tests.helpers.fake_engine import FakeEngine


class Builder:
    """Stands for the image builder; remembers what it was asked for."""

    def __init__(self) -> None:
        self.images: tuple[str, ...] = ()
        self.base: str | None = None

    def __call__(
        self, docker: Docker, images: tuple[str, ...], base: str | None, cancel: threading.Event | None
    ) -> Iterator[Step]:
        self.images, self.base = images, base
        for index, name in enumerate(("base-system", "paai-services")):
            yield Step(name, name, StepState.DONE, index=index, total=2)


@pytest.fixture
def builder() -> Builder:
    return Builder()


def test_the_official_mongodb_where_it_can_be_pulled(site: Site, engine: FakeEngine, builder: Builder) -> None:
    del engine.images["paai-mongo-lite:latest"]
    engine.pullable = True
    list(build(site, builder=builder))
    assert "pull mongo:8.0" in engine.calls
    assert builder.images == ("services", "kafka", "spark", "gateway")
    assert site.mongo_image() == ("mongo:8.0", "")


def test_the_stand_in_where_it_cannot(site: Site, engine: FakeEngine, builder: Builder) -> None:
    del engine.images["paai-mongo-lite:latest"]
    steps = list(build(site, base="debootstrap", builder=builder))
    assert "mongo-lite" in builder.images
    assert builder.base == "debootstrap"
    assert any("SecantusDB stands in. no route to the registry." in step.detail for step in steps)


def test_the_stand_in_is_compiled_where_that_can_be_done(
    site: Site, engine: FakeEngine, builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    del engine.images["paai-mongo-lite:latest"]
    asked: list[str] = []
    monkeypatch.setattr(mongo, "is_built", lambda: False)
    monkeypatch.setattr(mongo, "may_build", lambda: True)
    monkeypatch.setattr(mongo, "build_rs", lambda progress, cancel: asked.append("rs"))
    list(build(site, builder=builder))
    assert asked == ["rs"]
    monkeypatch.setattr(mongo, "may_build", lambda: False)
    list(build(site, builder=builder))
    assert asked == ["rs"]


def test_a_stand_in_that_cannot_be_compiled_is_pythons(
    site: Site, engine: FakeEngine, builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_progress: object, _cancel: object) -> None:
        raise MongoMissingError("cargo failed", why="no network.")

    del engine.images["paai-mongo-lite:latest"]
    monkeypatch.setattr(mongo, "is_built", lambda: False)
    monkeypatch.setattr(mongo, "may_build", lambda: True)
    monkeypatch.setattr(mongo, "build_rs", fails)
    last = {step.key: step for step in build(site, builder=builder)}
    assert "Python build stands in. cargo failed" in last["mongo"].detail
    assert {step.state for step in last.values()} == {StepState.DONE}
    assert "mongo-lite" in builder.images


def test_an_image_that_was_asked_for_by_name_has_no_stand_in(
    site: Site, builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGO_IMAGE", "mine/mongo:9")
    with pytest.raises(EngineError, match="mine/mongo:9"):
        list(build(site, builder=builder))
    assert builder.images == ()


def test_steps_are_one_list(site: Site, builder: Builder) -> None:
    last = {step.key: step for step in build(site, builder=builder)}
    assert [(step.key, step.index) for step in last.values() if step.key != "secrets"] == [
        ("mongo", 0), ("base-system", 1), ("paai-services", 2),
    ]  # fmt: skip
    assert (last["secrets"].index, last["secrets"].total) == (3, 4)
    assert {step.state for step in last.values()} == {StepState.DONE}


def test_credentials_are_made_so_that_a_plain_deployment_works(site: Site, engine: FakeEngine, builder: Builder) -> None:
    list(build(site, builder=builder))
    # The key file is for an overlay.
    assert {*site.composition().secrets, "paai-4000_mongo_keyfile_v1"} == set(engine.kept)
    kept = dict(engine.kept)
    list(build(site, builder=builder))
    assert engine.kept == kept


def test_without_swarm_mode_they_come_later(site: Site, engine: FakeEngine, builder: Builder) -> None:
    engine.the_info = replace(engine.the_info, swarm="inactive", is_manager=False)
    last = list(build(site, builder=builder))[-1]
    assert last.detail == "They are made once the engine is in swarm mode."
    assert not engine.kept
