"""What the base image is built on: an official image of Python, or a bare Debian made on this machine from packages."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack.cache import cache_dir, exclusive
from stack.errors import EngineError
from stack.images.client import SOURCE_LABEL, Docker
from stack.images.command import TIMEOUT_S, run
from stack.working import Progress

OFFICIAL: Final = "python:3.11-slim-bookworm"
DEBOOTSTRAP: Final = "debootstrap"
BOOTSTRAPPED: Final = "paai-debian:bookworm"
#: Its Python is the one that the wheels are for (`wheels.PYTHON`).
RELEASE: Final = "bookworm"

_PULL_S: Final = 300.0
_WHAT: Final = "The base image cannot be made from Debian's packages"


@dataclass(frozen=True, slots=True)
class Base:
    """The image to build on.

    Attributes:
        image: Its name at the engine.
        why: Reason for the choice, one sentence.
    """

    image: str
    why: str


def provide(docker: Docker, wanted: str | None, progress: Progress, cancel: threading.Event | None) -> Base:
    """See to it that the engine has the base.

    Args:
        wanted: An image, or "debootstrap"; None takes the official one where it can be had.

    Raises:
        EngineError: it cannot be had; says how to get another.
        CancelledError: `cancel` was set.
    """
    if wanted not in (None, DEBOOTSTRAP):
        if not _has(docker, str(wanted)):
            docker.output("pull", "--quiet", str(wanted), timeout_s=_PULL_S)
        return Base(str(wanted), "It was asked for.")
    if wanted is None and _has(docker, OFFICIAL):
        return Base(OFFICIAL, "The engine has it.")
    if _has(docker, BOOTSTRAPPED):
        return Base(BOOTSTRAPPED, "Made from Debian's packages earlier.")
    why = "It was asked for."
    if wanted is None:
        progress(0, 0, f"Pulls {OFFICIAL}")
        try:
            docker.output("pull", "--quiet", OFFICIAL, timeout_s=_PULL_S)
        except EngineError as error:
            why = f"{OFFICIAL} cannot be pulled ({error.why or error.what})."
        else:
            return Base(OFFICIAL, "Pulled.")
    _import(docker, _archive(docker.architecture(), progress, cancel, why), progress, cancel)
    return Base(BOOTSTRAPPED, why)


def apt_options() -> str:
    """Options of this machine's apt that also hold where images are built. Proxies go another way: they may hold passwords."""
    if shutil.which("apt-config") is None:
        return ""
    answer = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, timeout=30, check=False)
    found = []
    for line in answer.stdout.splitlines():
        key, _, value = line.rstrip(";").partition(" ")
        if key in ("Acquire::Check-Valid-Until", "Acquire::Check-Date"):
            found += ["-o", f"{key}={value.strip(chr(34))}"]
    return " ".join(found)


def _has(docker: Docker, image: str) -> bool:
    return bool(docker.output("image", "ls", "--quiet", "--filter", f"reference={image}").strip())


def _archive(architecture: str, progress: Progress, cancel: threading.Event | None, why: str) -> Path:
    """A tar of a bare Debian in the user's cache."""
    sources = _apt_sources()
    key = hashlib.sha256(f"{RELEASE} {architecture} {sources}".encode()).hexdigest()[:16]
    archive = cache_dir() / "images" / "base" / f"{RELEASE}-{key}.tar"
    if archive.exists():
        return archive
    if os.geteuid() != 0 or shutil.which("debootstrap") is None or architecture != _own_architecture():
        raise EngineError(
            "There is nothing to build the images on",
            why=why,
            remedy=f"Give the engine {OFFICIAL} (docker load) or name another image with --base. Or build as root, where"
            " debootstrap is installed and the processor is the engine's: the base is then made from Debian's packages.",
        )
    lock = archive.with_name(f"{archive.name}.lock")
    with exclusive(
        lock, timeout_s=TIMEOUT_S, on_wait=lambda: progress(0, 0, "Another process makes it; waiting for it"), cancel=cancel
    ):
        if not archive.exists():
            _debootstrap(archive, sources, progress, cancel)
    return archive


def _debootstrap(archive: Path, sources: tuple[str, ...], progress: Progress, cancel: threading.Event | None) -> None:
    debs = archive.with_name("debs")
    debs.mkdir(parents=True, exist_ok=True)
    temporary = archive.with_name(f"{archive.name}.part")
    mirror = [sources[0].split()[1]] if sources else []
    with tempfile.TemporaryDirectory(prefix="paai-base-") as scratch:
        root = Path(scratch) / "root"
        # In a mount namespace of its own: what it mounts goes with it, whatever ends it.
        make = ["unshare", "--mount", "--propagation", "private", "debootstrap", "--variant=minbase", f"--cache-dir={debs}"]
        run(
            [*make, "--include=python3,tini,ca-certificates", RELEASE, root, *mirror],
            what=_WHAT,
            on_line=lambda line: progress(0, 0, line.removeprefix("I: ")[:100]),
            cancel=cancel,
        )
        if sources:
            (root / "etc/apt/sources.list").write_text("".join(f"{line}\n" for line in sources), "utf-8")
        progress(0, 0, "Packs it")
        exclude = (
            "./dev/*",
            "./var/cache/apt/*",
            "./var/lib/apt/lists/*",
            "./usr/share/doc/*",
            "./usr/share/man/*",
            "./usr/share/locale/*",
        )
        words = [f"--exclude={pattern}" for pattern in exclude]
        run(["tar", "--create", f"--file={temporary}", f"--directory={root}", *words, "."], what=_WHAT, cancel=cancel)
    temporary.replace(archive)


def _import(docker: Docker, archive: Path, progress: Progress, cancel: threading.Event | None) -> None:
    progress(0, 0, "Hands it to the engine")
    digest = hashlib.sha256(f"{archive.name} {archive.stat().st_size}".encode()).hexdigest()[:16]
    with archive.open("rb") as handle:
        docker.feed(
            [*docker.command, "import", "--change", f"LABEL {SOURCE_LABEL}={digest}", "-", BOOTSTRAPPED],
            lambda out: shutil.copyfileobj(handle, out, 1024**2),
            what="The base image cannot be imported",
            cancel=cancel,
        )


def _own_architecture() -> str:
    answer = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, timeout=30, check=False)
    return answer.stdout.strip()


def _apt_sources() -> tuple[str, ...]:
    """Where this machine's apt gets that very release from; empty elsewhere, where debootstrap knows a place of its own."""
    if shutil.which("apt-get") is None:
        return ()
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    answer = subprocess.run(
        ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = dict.fromkeys(line for line in answer.stdout.splitlines() if line.split()[1:2])
    fitting = [line.split() for line in found if line.split()[1].startswith(RELEASE) and line.split()[2] == "main"]
    # debootstrap starts from the release itself, not from its updates.
    fitting.sort(key=lambda words: (words[1] != RELEASE, words[1]))
    if not fitting or fitting[0][1] != RELEASE:
        return ()
    return tuple(f"deb {uri} {release} {component}" for uri, release, component in fitting)
