"""Runs a program that takes minutes, with progress, a bound and a way to end it."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from stack.errors import CancelledError, EngineError, EngineTimeoutError
from stack.tied import tied

TIMEOUT_S: Final = 1800.0
_POLL_S: Final = 0.2


def run(
    command: Sequence[str | Path],
    *,
    what: str,
    remedy: str = "Check the network, then try again.",
    on_line: Callable[[str], object] = lambda line: None,
    cancel: threading.Event | None,
    cwd: Path | None = None,
    timeout_s: float = TIMEOUT_S,
) -> None:
    """Run `command` to its end.

    Args:
        what: What cannot be done when it fails, as the beginning of a sentence.
        on_line: Gets the line that it printed last, several times a second.
        cwd: Where it runs.

    Raises:
        EngineError: it failed; with its last words.
        EngineTimeoutError: it took too long and was stopped.
        CancelledError: `cancel` was set.
    """
    argv = [str(word) for word in command]
    deadline = time.monotonic() + timeout_s
    # A file and not a pipe: nobody can block on it, and it is there whole when the program fails.
    with tempfile.TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                tied(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, cwd=cwd
            )
        except FileNotFoundError:
            raise EngineError(what, why=f"{argv[0]} is not installed.", remedy="Install it, then try again.") from None
        try:
            while process.poll() is None:
                if cancel is not None and cancel.is_set():
                    raise CancelledError(f"{what}: cancelled", remedy="What was fetched so far is kept.")
                if time.monotonic() > deadline:
                    raise EngineTimeoutError(what, why=f"{argv[0]} took {timeout_s:.0f} s.", remedy=remedy)
                if words := _last_lines(log.fileno(), 1):
                    on_line(words)
                time.sleep(_POLL_S)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 9)
                process.wait(timeout=10)
        if process.returncode != 0:
            raise EngineError(what, why=_last_lines(log.fileno(), 4), remedy=remedy)


def _last_lines(descriptor: int, count: int) -> str:
    size = os.fstat(descriptor).st_size
    text = os.pread(descriptor, 2000, max(0, size - 2000)).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[-count:])[-400:]
