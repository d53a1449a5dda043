"""Keeps two commands from changing one system at once."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.errors import StackError


@contextmanager
def held(path: Path, doing: str, *, whose: str) -> Iterator[None]:
    """Hold the lock file for as long as the block lasts. The kernel gives the lock back when its holder dies.

    Args:
        doing: What is done, for whoever has to wait: "up".
        whose: What is locked, for people.

    Raises:
        StackError: another command holds it; says which and its process id.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
            raise StackError(
                f"Another command works on {whose}",
                why=f"{holder or 'it'} has not finished.",
                remedy="Wait for it, or end it with Ctrl+C, and try again.",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"`{doing}` (process {os.getpid()})\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
