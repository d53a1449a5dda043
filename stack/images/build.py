"""Builds the images: those that the engine does not have, and those that are older than the sources."""

import os
import threading
from collections.abc import Collection, Iterator
from functools import partial

from stack.board import StepBoard
from stack.errors import CancelledError
from stack.images import base, node, wheels
from stack.images.catalogue import BY_NAME, HERE, IMAGES, PUBLISHED, REQUIREMENTS, ImageSpec
from stack.images.client import SOURCE_LABEL, Docker
from stack.jars.own_jar import prepare
from stack.target import Step
from stack.working import Progress, run_step

#: Where the engine's own builder takes the network's settings from; it neither keeps them nor counts them as a change.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY")


def build_images(
    docker: Docker,
    *,
    images: Collection[str] = PUBLISHED,
    base_image: str | None = None,
    cancel: threading.Event | None = None,
) -> Iterator[Step]:
    """Build `images` and what they are built on; what is there already, from the same sources, is left alone.

    Args:
        docker: How the engine is reached.
        images: Names of `IMAGES`.
        base_image: An image to build on, or "debootstrap"; None = the official one, or debootstrap where it cannot be pulled.
        cancel: Ends the work within a second; the next call goes on.

    Yields:
        Steps as they change: base, packages, one for each image.

    Raises:
        EngineError: after a failed step was yielded; with what the builder said.
        CancelledError, StackError.
    """
    wanted = _with_parents(images)
    board = StepBoard()
    board.add("base-system", "Base system")
    if any(spec.requirements for spec in wanted):
        board.add("wheels", "Python packages")
    if any(spec.jars for spec in wanted):
        board.add("jars", "Kafka, Connect and Spark parts")
    if any(spec.node for spec in wanted):
        board.add("node", "Node packages")
    for spec in wanted:
        board.add(spec.image, f"Image: {spec.title}")

    found: list[base.Base] = []
    yield from run_step(
        board, "base-system", lambda progress: found.append(_base(docker, base_image, progress, cancel)), begins="Looks for it."
    )
    architecture = docker.architecture()
    if board.has("wheels"):
        yield from run_step(board, "wheels", lambda progress: _wheels(wanted, architecture, progress, cancel))
    if board.has("jars"):
        yield from run_step(board, "jars", lambda progress: prepare(on_progress=progress, cancel=cancel))
    for spec in wanted:
        if spec.node:
            yield from run_step(board, "node", partial(node.fetch, HERE / spec.name, cancel=cancel))
    digests = {"": found[0].image}
    for spec in wanted:
        work = partial(_build, docker, spec, digests, cancel=cancel)
        yield from run_step(board, spec.image, work, begins="Compares it with the sources.")


def outdated(docker: Docker, images: Collection[str] = PUBLISHED) -> tuple[str, ...]:
    """Those of `images` that the engine lacks or that are older than the sources. Changes nothing.

    Raises:
        EngineError: the engine does not answer.
    """
    digests: dict[str, str] = {}
    late = []
    for spec in _with_parents(images):
        there = docker.source_digest(f"{spec.image}:latest")
        # What the base was built on does not count: it is the engine's, and the same image may be made on many.
        digests[spec.name] = (there or "") if spec.parent is None else _digest(spec, digests)
        if spec.name in images and there != digests[spec.name]:
            late.append(spec.name)
    return tuple(late)


def _with_parents(images: Collection[str]) -> list[ImageSpec]:
    names_wanted: set[str] = set()
    for name in images:
        spec: ImageSpec | None = BY_NAME[name]
        while spec is not None:
            names_wanted.add(spec.name)
            spec = BY_NAME[spec.parent] if spec.parent else None
    return [spec for spec in IMAGES if spec.name in names_wanted]


def _base(docker: Docker, wanted: str | None, progress: Progress, cancel: threading.Event | None) -> base.Base:
    found = base.provide(docker, wanted, progress, cancel)
    progress(1, 1, f"{found.image}. {found.why}")
    return found


def _wheels(wanted: list[ImageSpec], architecture: str, progress: Progress, cancel: threading.Event | None) -> None:
    for spec in wanted:
        if spec.requirements:
            wheels.fetch(REQUIREMENTS / f"{spec.requirements}.txt", progress, cancel, architecture=architecture)


def _digest(spec: ImageSpec, digests: dict[str, str]) -> str:
    return spec.context().digest(digests[spec.parent or ""])


def _build(
    docker: Docker, spec: ImageSpec, digests: dict[str, str], progress: Progress, *, cancel: threading.Event | None
) -> None:
    if cancel is not None and cancel.is_set():
        raise CancelledError("Building the images was cancelled", remedy="It goes on from here next time.")
    tag = f"{spec.image}:latest"
    context = spec.context()
    digest = digests[spec.name] = context.digest(digests[spec.parent or ""])
    if docker.source_digest(tag) == digest:
        progress(1, 1, "There already, from the same sources.")
        return
    docker.build(
        tag,
        context,
        labels={
            SOURCE_LABEL: digest,
            "org.opencontainers.image.title": spec.image,
            "org.opencontainers.image.description": spec.title,
            "org.opencontainers.image.licenses": "MIT",
        },
        arguments=_arguments(digests[""]),
        network="host" if spec.debian else "none",
        progress=progress,
        cancel=cancel,
    )
    progress(1, 1, "Built.")


def _arguments(base_image: str) -> dict[str, str]:
    proxies = {
        name: value for name in (*_PROXIES, *(name.lower() for name in _PROXIES)) if (value := os.environ.get(name, "").strip())
    }
    return {"BASE_IMAGE": base_image, "APT_OPTIONS": base.apt_options(), **proxies}
