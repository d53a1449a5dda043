"""`build` of the swarm target: images and credentials, so that `up` starts at once and `docker stack deploy` works by hand."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from stack import mongo
from stack.board import StepBoard
from stack.errors import CancelledError, EngineError, StackError
from stack.images.build import build_images
from stack.images.catalogue import PUBLISHED
from stack.images.client import Docker
from stack.swarm import secrets
from stack.swarm.site import LITE_MONGO, OFFICIAL_MONGO, Site
from stack.swarm.up import SECRETS, provide, write_variables
from stack.swarm.watch import guarded
from stack.target import Step
from stack.working import run_step

_PULL_TIMEOUT_S: Final = 300.0
_MONGO: Final = "mongo"
_LITE: Final = LITE_MONGO.removeprefix("paai-").removesuffix(":latest")

#: Called with the names of the images; see `stack.images.build.build_images`.
Builder = Callable[[Docker, tuple[str, ...], str | None, threading.Event | None], Iterator[Step]]


def build(
    site: Site, *, base: str | None = None, cancel: threading.Event | None = None, builder: Builder | None = None
) -> Iterator[Step]:
    """Pull MongoDB or, where that is not to be had, build its stand-in; build our images; make the credentials.

    Args:
        base: Image to build on, or "debootstrap"; None takes what can be had.
        builder: Another builder, for tests.
    """
    board = StepBoard()
    board.add(_MONGO, "MongoDB's image")
    board.add(SECRETS, "Credentials")
    lite: list[bool] = []
    yield from _shifted(guarded(board, _mongo(site, board, lite), _MONGO), by=0, more=0)
    if lite[0] and not mongo.is_built() and mongo.may_build():
        yield from _shifted(_compiled(board, cancel), by=0, more=0)
    images = tuple(name for name in PUBLISHED if name != _LITE or lite[0])
    steps = (builder or _build_images)(Docker(site.engine.command), images, base, cancel)
    total = 0
    for step in steps:
        total = step.total
        yield replace(step, index=step.index + 1, total=step.total + 2)
    yield from _shifted(guarded(board, _credentials(site, board), SECRETS), by=total, more=total)


def _build_images(docker: Docker, images: tuple[str, ...], base: str | None, cancel: threading.Event | None) -> Iterator[Step]:
    return build_images(docker, images=images, base_image=base, cancel=cancel)


def _mongo(site: Site, board: StepBoard, lite: list[bool]) -> Iterator[Step]:
    yield board.begin(_MONGO, f"Looks for {OFFICIAL_MONGO}.")
    wanted, _ = site.mongo_image()
    if wanted == LITE_MONGO or site.engine.image(wanted) is not None:
        lite.append(wanted == LITE_MONGO)
        yield board.done(_MONGO, f"{wanted} is here.")
        return
    if step := board.update(_MONGO, f"Pulls {wanted}."):
        yield step
    try:
        site.engine.pull(wanted, timeout_s=_PULL_TIMEOUT_S)
    except EngineError as error:
        if wanted != OFFICIAL_MONGO:  # asked for by name: nothing may stand in
            raise
        lite.append(True)
        yield board.done(_MONGO, f"{wanted} cannot be pulled, SecantusDB stands in. {error.why}")
    else:
        lite.append(False)
        yield board.done(_MONGO, f"{wanted} pulled.")


def _compiled(board: StepBoard, cancel: threading.Event | None) -> Iterator[Step]:
    """SecantusDB's Rust build, which the image of the stand-in takes in: it alone looks at rights on single collections."""
    try:
        yield from run_step(board, _MONGO, lambda progress: mongo.build_rs(progress, cancel), begins="Compiles SecantusDB.")
    except CancelledError:
        raise
    except StackError as error:
        yield board.done(_MONGO, f"SecantusDB's Python build stands in. {error}")


def _credentials(site: Site, board: StepBoard) -> Iterator[Step]:
    yield board.begin(SECRETS, "Looks which there are.")
    info = site.engine.info()
    if info.swarm != "active" or not info.is_manager:
        yield board.done(SECRETS, "They are made once the engine is in swarm mode.")
        return
    known = secrets.provision(site.engine, site.stack, site.credentials(info))
    yield from provide(site, info, known, board, SECRETS)
    write_variables(site, known)


def _shifted(steps: Iterator[Step], *, by: int, more: int) -> Iterator[Step]:
    """Steps of the own board around those of the image builder."""
    for step in steps:
        place = step.index if step.index == 0 else step.index + by
        yield replace(step, index=place, total=step.total + more)
