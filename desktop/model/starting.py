"""Telling a service that is still starting from one that is not well."""

from typing import Final

from stack.target import ServiceStatus

#: A service that is not healthy so soon after its start is still starting. Spark's job takes longest. Seconds.
STARTING_S: Final = 60.0


def is_young(status: ServiceStatus, now: float) -> bool:
    """Whether the youngest of its replicas was started within `STARTING_S` before `now` (seconds since the epoch)."""
    return status.since is not None and now - status.since.timestamp() < STARTING_S
