"""Fetches the Node packages of an image on this machine, with its settings of npm, into the user's cache; see `wheels`."""

import hashlib
import shutil
import threading
from pathlib import Path
from typing import Final

from stack.cache import cache_dir, exclusive
from stack.images.command import TIMEOUT_S, run
from stack.working import Progress

_FILES: Final = ("package.json", "package-lock.json")


def node_dir(source: Path) -> Path:
    """Where the packages of the lock file in `source` are or will be: ``node_modules`` below it."""
    content = b"".join((source / name).read_bytes() for name in _FILES)
    return cache_dir() / "images" / "node" / hashlib.sha256(content).hexdigest()[:16]


def fetch(source: Path, progress: Progress, *, cancel: threading.Event | None) -> Path:
    """Fetch exactly what the lock file in `source` names, checked against its hashes; returns the folder.

    Raises:
        EngineError: npm fails or is not installed.
        CancelledError: `cancel` was set.
        StackError: The cache cannot be written, or another process is stuck with it.
    """
    folder = node_dir(source)
    if not folder.exists():
        waiting = "Another process fetches them; waiting for it"
        lock = folder.with_name(f"{folder.name}.lock")
        with exclusive(lock, timeout_s=TIMEOUT_S, on_wait=lambda: progress(0, 0, waiting), cancel=cancel):
            if not folder.exists():
                temporary = folder.with_name(f"{folder.name}.part")
                shutil.rmtree(temporary, ignore_errors=True)
                temporary.mkdir(parents=True)
                for name in _FILES:
                    shutil.copy(source / name, temporary)
                progress(0, 0, "Fetches Node packages")
                # No scripts: none of them is needed, and none shall run here.
                run(
                    ["npm", "ci", "--omit=dev", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"],
                    what="The Node packages of mongo-express cannot be fetched",
                    cancel=cancel,
                    cwd=temporary,
                )
                temporary.replace(folder)
    progress(1, 1, f"Node packages in {folder}")
    return folder
