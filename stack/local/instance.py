"""What one data directory remembers, and the lock that keeps two commands from changing it at once."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.catalogue import SERVICES
from stack.errors import StackError
from stack.local import jsonfile
from stack.local.layout import Layout


def remembered_offset(data_dir: Path) -> int | None:
    """The port offset with which this directory was last brought up."""
    value = jsonfile.read(Layout.of(data_dir).instance_file).get("port_offset")
    return value if isinstance(value, int) else None


def wanted_replicas(layout: Layout) -> dict[str, int]:
    """How many of each service are wanted."""
    asked = jsonfile.read(layout.wanted_file)
    return {
        service.name: min(max(int(asked.get(service.name, service.replicas)), 1), service.max_replicas) for service in SERVICES
    }


def remember_wanted(layout: Layout, service: str, replicas: int) -> None:
    """Keep the wish of `scale` over restarts."""
    jsonfile.write(layout.wanted_file, {**jsonfile.read(layout.wanted_file), service: replicas})


@contextmanager
def locked(layout: Layout, doing: str) -> Iterator[None]:
    """Hold the data directory for one command that changes something.

    The kernel gives the lock back when its holder dies, so there is no stale one.

    Raises:
        StackError: another command holds it; says which and its process id.
    """
    layout.run.mkdir(parents=True, mode=0o700, exist_ok=True)
    descriptor = os.open(layout.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
            raise StackError(
                f"Another command works on {layout.data_dir}",
                why=f"{holder or 'it'} has not finished.",
                remedy="Wait for it, or end it with Ctrl+C, and try again.",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"`{doing}` (process {os.getpid()})\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
