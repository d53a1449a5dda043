"""Where downloaded and built things live: the user's cache, shared by every checkout and every instance.

Nothing in it is precious: all of it can be fetched or built again. `python -m stack.cache clear` removes it.
"""

import fcntl
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from stack.errors import CancelledError, StackError

_POLL_S = 0.2


def cache_dir() -> Path:
    """The cache's root: `PAAI_CACHE_DIR` where it is set, else the platform's place. It need not exist."""
    override = os.environ.get("PAAI_CACHE_DIR", "").strip()
    return Path(override).expanduser().absolute() if override else platformdirs.user_cache_path("paai-monitor")


def clear() -> list[Path]:
    """Remove all that this program put there, and nothing else; returns what was removed."""
    found = [path for pattern in ("jars", "images", "secantus-mdb-*") for path in sorted(cache_dir().glob(pattern))]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return found


@contextmanager
def exclusive(
    path: Path, *, timeout_s: float, on_wait: Callable[[], None], cancel: threading.Event | None = None
) -> Iterator[None]:
    """Hold an advisory lock on a file, so that two processes never fill the same folder at once.

    The kernel releases it when the holder dies, so no stale lock can remain.

    Args:
        path: The lock file; made with its folders.
        timeout_s: How long to wait for another holder.
        on_wait: Called once when there is another holder.
        cancel: Ends the wait early.

    Raises:
        CancelledError: `cancel` was set while waiting.
        StackError: The other holder took longer than `timeout_s`, or the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a")
    except OSError as error:
        raise StackError(
            f"The cache {path.parent} cannot be written",
            why=f"{error.strerror or error}.",
            remedy="Make it writable, or name another folder in PAAI_CACHE_DIR.",
        ) from error
    with handle:
        deadline, waiting = time.monotonic() + timeout_s, False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    waiting = True
                    on_wait()
            if time.monotonic() > deadline:
                raise StackError(
                    f"Another process has held {path} for {timeout_s:.0f} s",
                    why="It prepares the same files and has not finished.",
                    remedy="Wait for it or stop it, then try again.",
                )
            if cancel is not None and cancel.wait(_POLL_S):
                raise CancelledError("Cancelled while another process prepares the same files")
            if cancel is None:
                time.sleep(_POLL_S)
        yield  # closing the handle releases the lock


if __name__ == "__main__":
    if sys.argv[1:] != ["clear"]:
        sys.exit("usage: python -m stack.cache clear")
    for removed in clear():
        print(f"Removed {removed}")  # noqa: T201
