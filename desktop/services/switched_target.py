"""A target that can become another one while the window stays: what holds it need not know."""

import threading
from collections.abc import Iterator

from stack.target import Check, Endpoints, HistoryEntry, LogLine, Plan, ServiceStatus, Step, Target


class SwitchedTarget:
    """`stack.target.Target` that passes everything on to `current`: each call to the one that was current when it began."""

    def __init__(self, current: Target) -> None:
        self.current = current

    @property
    def name(self) -> str:
        """Of the current one."""
        return self.current.name

    def plan(self) -> Plan:
        return self.current.plan()

    def preflight(self) -> list[Check]:
        return self.current.preflight()

    def fix(self, action: str, *, cancel: threading.Event | None = None) -> Iterator[Step]:
        return self.current.fix(action, cancel=cancel)

    def up(self, *, cancel: threading.Event | None = None) -> Iterator[Step]:
        return self.current.up(cancel=cancel)

    def status(self) -> list[ServiceStatus]:
        return self.current.status()

    def logs(self, service: str, *, lines: int = 200, follow: threading.Event | None = None) -> Iterator[LogLine]:
        return self.current.logs(service, lines=lines, follow=follow)

    def scale(self, service: str, replicas: int) -> Iterator[Step]:
        return self.current.scale(service, replicas)

    def restart(self, service: str) -> Iterator[Step]:
        return self.current.restart(service)

    def history(self, service: str) -> list[HistoryEntry]:
        return self.current.history(service)

    def down(self, *, purge: bool = False) -> Iterator[Step]:
        return self.current.down(purge=purge)

    def endpoints(self) -> Endpoints:
        return self.current.endpoints()

    def is_up(self) -> bool:
        return self.current.is_up()


def pinned(target: Target) -> Target:
    """Return the target that is current now. What it is asked later does not reach another system."""
    return target.current if isinstance(target, SwitchedTarget) else target
