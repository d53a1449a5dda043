"""Builds SecantusDB's Rust server into the cache, where cargo is there. Four to five minutes on two cores, once."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from stack.cache import exclusive
from stack.errors import CancelledError, MongoMissingError
from stack.mongo.choose import RS_VERSION, rs_root
from stack.tied import tied

#: Called with (steps done, steps in all, one sentence); (0, 0) while the number of steps is not known.
Progress = Callable[[int, int, str], None]

_TIMEOUT_S = 3600.0
_POLL_S = 0.25
#: cargo's own progress bar, which it draws over itself: "Building [====>   ] 123/345: name".
_BAR = re.compile(r"Building \[[^\]]*\]\s+(\d+)/(\d+)(?:: (\S+))?")
_STEP = re.compile(r"^\s*(Updating|Downloaded|Compiling|Installing|Finished)\s+(.+)")


def is_built() -> bool:
    """Whether the pinned build is in the cache."""
    return os.access(rs_root() / "bin" / "secantusd-rs", os.X_OK)


def may_build() -> bool:
    """Whether `build_rs` has what it needs: cargo and a C compiler."""
    if shutil.which("cargo") is None or shutil.which("cc") is None:
        return False
    try:  # rustup leaves a cargo behind that has no toolchain
        return subprocess.run(["cargo", "--version"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def build_rs(on_progress: Progress, cancel: threading.Event | None = None, *, command: list[str] | None = None) -> Path:
    """Compile and install it; returns the program. At once when it is there already.

    Args:
        on_progress: Called in this thread.
        cancel: Ends the work within a second; what was compiled is kept for the next call.
        command: Instead of cargo, for tests.

    Raises:
        MongoMissingError: No cargo, or it fails; says with which words.
        CancelledError: `cancel` was set.
        StackError: The cache cannot be written, or another process is stuck with it.
    """
    root = rs_root()
    program = root / "bin" / "secantusd-rs"
    if is_built():
        return program
    if command is None and not may_build():
        raise MongoMissingError(
            "SecantusDB's Rust build needs cargo and a C compiler",
            why="At least one of them is not on PATH, or does not work.",
            remedy="Install Rust (rustup, or your distribution's cargo) and gcc, or go on with the slower Python build.",
        )
    waiting = "Another process builds it; waiting for it"
    with exclusive(
        root.with_name(root.name + ".lock"), timeout_s=_TIMEOUT_S, on_wait=lambda: on_progress(0, 0, waiting), cancel=cancel
    ):
        if not is_built():
            # Objects stay there when the build is interrupted, and only then.
            target = root.with_name(root.name + ".target")
            _run(command or _cargo(root, target), on_progress, cancel)
            shutil.rmtree(target, ignore_errors=True)
    if not is_built():
        raise MongoMissingError(
            "SecantusDB's Rust build is not where it should be", why=f"{program} is missing after the build."
        )
    return program


def _cargo(root: Path, target: Path) -> list[str]:
    # Its manifest asks for a newer compiler than it needs, hence --ignore-rust-version.
    argv = ["cargo", "install", "--locked", "--version", RS_VERSION, "--ignore-rust-version", "--root", str(root)]
    return [*argv, "--target-dir", str(target), "secantus-mdb"]


def _run(argv: list[str], on_progress: Progress, cancel: threading.Event | None) -> None:
    environ = os.environ | {
        "CARGO_TERM_PROGRESS_WHEN": "always",
        "CARGO_TERM_PROGRESS_WIDTH": "100",
        "CARGO_TERM_COLOR": "never",
    }
    deadline, read, done, total = time.monotonic() + _TIMEOUT_S, 0, 0, 0
    # A file and not a pipe: nobody can block on it, and it is there whole when the build fails.
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            tied(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environ, start_new_session=True
        )
        try:
            code = None
            while code is None:
                if cancel is not None and cancel.is_set():
                    raise CancelledError("The build of SecantusDB was cancelled", remedy="It goes on from here next time.")
                if time.monotonic() > deadline:
                    raise MongoMissingError(
                        "The build of SecantusDB did not end", why=f"It was stopped after {_TIMEOUT_S:.0f} s."
                    )
                with contextlib.suppress(subprocess.TimeoutExpired):
                    code = process.wait(timeout=_POLL_S)
                size = os.fstat(log.fileno()).st_size
                for news in re.split(r"[\r\n]+", os.pread(log.fileno(), size - read, read).decode("utf-8", errors="replace")):
                    if match := _BAR.search(news):
                        done, total = int(match[1]), int(match[2])
                        on_progress(done, total, f"Compiling {match[3] or ''}".strip())
                    elif match := _STEP.match(news):
                        on_progress(done, total, f"{match[1]} {match[2].strip()}")
                read = size
        finally:
            _stop(process)
        if code != 0:
            text = os.pread(log.fileno(), 4000, max(0, read - 4000)).decode("utf-8", errors="replace")
            errors = [line.strip() for line in re.split(r"[\r\n]+", text) if line.startswith("error")]
            raise MongoMissingError(
                "SecantusDB's Rust build failed",
                why=f"cargo says: {' '.join(errors[:2])[:300] or text[-300:].strip()}".rstrip(".") + ".",
                remedy="Try again: what was compiled is kept. Without it, the slower Python build is used.",
            )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End cargo and the compilers that it started: they share its process group."""
    if process.poll() is None:
        for number in (15, 9):
            try:
                os.killpg(process.pid, number)
                process.wait(timeout=5)
                break
            except subprocess.TimeoutExpired:
                continue
            except ProcessLookupError:
                break
