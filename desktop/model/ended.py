"""Telling an end that nobody asked for from a stop."""

from collections.abc import Sequence

from stack.target import ServiceStatus


def ended_unexpectedly(services: Sequence[ServiceStatus]) -> bool:
    """Whether nothing is watched over any more, or being started, although nobody has stopped it.

    Processes may have outlived what watched over them; they are no system: nobody restarts or stops them.
    """
    nothing = not any(s.running or s.since is not None for s in services)
    return nothing and any(s.wanted and not s.stopped for s in services)
