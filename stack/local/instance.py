"""What one data directory remembers, and the lock that keeps two commands from changing it at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.contract.ports import MAX_OFFSET
from stack import lock
from stack.catalogue import SERVICES
from stack.errors import PreflightError
from stack.local import jsonfile
from stack.local.layout import Layout


def remembered_offset(data_dir: Path) -> int | None:
    """The port offset with which this directory was last brought up."""
    value = jsonfile.read(Layout.of(data_dir).instance_file).get("port_offset")
    return value if jsonfile.is_count(value) and value <= MAX_OFFSET else None


def wanted_replicas(layout: Layout) -> dict[str, int]:
    """How many of each service are wanted."""
    asked = jsonfile.counts(layout.wanted_file)
    return {service.name: min(max(asked.get(service.name, service.replicas), 1), service.max_replicas) for service in SERVICES}


def remember_wanted(layout: Layout, service: str, replicas: int) -> None:
    """Keep the wish of `scale` over restarts."""
    jsonfile.write(layout.wanted_file, {**jsonfile.counts(layout.wanted_file), service: replicas})


@contextmanager
def locked(layout: Layout, doing: str) -> Iterator[None]:
    """Hold the data directory for one command that changes something; see `stack.lock.held`."""
    try:
        layout.run.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as error:
        raise PreflightError(
            f"The data folder {layout.data_dir} cannot be used",
            why=f"{error.strerror or error}.",
            remedy="Make it a folder that you may write to, or name another with --data-dir.",
        ) from error
    with lock.held(layout.lock_file, doing, whose=str(layout.data_dir)):
        yield
