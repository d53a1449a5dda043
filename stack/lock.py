"""Keeps two commands from changing one system at once."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.errors import StackError, is_full, system_error


@contextmanager
def held(path: Path, doing: str, *, whose: str) -> Iterator[None]:
    """Hold the lock file for as long as the block lasts. The kernel gives the lock back when its holder dies.

    Args:
        doing: What is done, for whoever has to wait: "up".
        whose: What is locked, for people.

    Raises:
        StackError: another command holds it (named with its process id), or the operating system refused a call in the block.
    """
    try:
        descriptor = _opened(path)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StackError(
                    f"Another command works on {whose}",
                    why=f"{_note(descriptor) or 'it'} has not finished.",
                    remedy="Wait for it, or end it with Ctrl+C, and try again.",
                ) from None
            _write_note(descriptor, f"`{doing}` (process {os.getpid()})\n")
            yield
            _write_note(descriptor, "")
        finally:
            os.close(descriptor)
    except (OSError, UnicodeError) as error:
        raise system_error(error) from error


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if not is_full(error):
            raise
        # No room for a new file: whoever comes to free the disk locks the folder.
        return os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _note(descriptor: int) -> str:
    """Which command holds the lock; empty where that could not be noted."""
    with contextlib.suppress(OSError):
        return os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip().strip("\0")
    return ""


def _write_note(descriptor: int, text: str) -> None:
    """Write for those who wait. The lock holds without it, also on a full disk."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
