"""Fetches the Python packages of the images on this machine, with its settings of pip, into the user's cache.

So nothing of those settings gets into an image, and an engine without a way to the registry builds all the same. Every file is
checked against the hash in the requirements, here and again when it is installed.
"""

import hashlib
import shutil
import sys
import threading
from pathlib import Path
from typing import Final

from stack.cache import cache_dir, exclusive
from stack.errors import EngineError
from stack.images.command import TIMEOUT_S, run
from stack.images.context import PROJECT_ROOT
from stack.working import Progress

#: Of the images' Python; see base/Dockerfile.
PYTHON: Final = "3.11"
#: pip itself is installed from here too: a bare Debian has none.
_TOOLS: Final = PROJECT_ROOT / "requirements" / "build.txt"
_MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
#: Wheels for this glibc and older run in the images (Debian 12 has 2.36).
_NEWEST_GLIBC: Final = 36


def wheel_dir(requirements: Path, *, architecture: str = "amd64") -> Path:
    """Where the wheels of a requirements file are or will be."""
    text = requirements.read_bytes() + _TOOLS.read_bytes() + f"{PYTHON} {architecture}".encode()
    return cache_dir() / "images" / "wheels" / hashlib.sha256(text).hexdigest()[:16]


def fetch(requirements: Path, progress: Progress, cancel: threading.Event | None, *, architecture: str = "amd64") -> Path:
    """Fetch what is missing; returns the folder. At once when all is there.

    Args:
        architecture: Of the engine, as Docker calls it.

    Raises:
        EngineError: pip fails, with its words.
        CancelledError: `cancel` was set.
        StackError: The cache cannot be written, or another process is stuck with it.
    """
    folder = wheel_dir(requirements, architecture=architecture)
    if not folder.exists():
        waiting = "Another process fetches them; waiting for it"
        lock = folder.with_name(f"{folder.name}.lock")
        with exclusive(lock, timeout_s=TIMEOUT_S, on_wait=lambda: progress(0, 0, waiting), cancel=cancel):
            if not folder.exists():
                temporary = folder.with_name(f"{folder.name}.part")
                shutil.rmtree(temporary, ignore_errors=True)
                _download(requirements, temporary, architecture, progress, cancel)
                temporary.replace(folder)
    progress(1, 1, f"{len(list(folder.glob('*.whl')))} Python packages in {folder}")
    return folder


def _download(requirements: Path, folder: Path, architecture: str, progress: Progress, cancel: threading.Event | None) -> None:
    machine = _MACHINES.get(architecture)
    if machine is None:
        raise EngineError(f"Images cannot be built for {architecture}", why="There are packages for amd64 and arm64 only.")
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(5, _NEWEST_GLIBC + 1)] + [f"manylinux2014_{machine}"]
    command = [
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-deps", "--require-hashes"),
        *("--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON, "--dest", str(folder)),
        *(word for platform in platforms for word in ("--platform", platform)),
        *("-r", str(_TOOLS), "-r", str(requirements)),
    ]
    run(
        command,
        what="The Python packages of the images cannot be fetched",
        remedy="Check the network and pip's settings, then try again.",
        on_line=lambda line: progress(0, 0, line[:100]),
        cancel=cancel,
    )
