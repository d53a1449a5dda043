"""`down` of the local target: whoever feeds others stops first; afterwards nothing is left."""

import time
from collections.abc import Iterator

from stack import catalogue
from stack.board import StepBoard
from stack.errors import NotRunningError, StackError
from stack.local import cds, daemon, intent, processes
from stack.local.layout import Layout
from stack.local.rpc import Supervisor
from stack.target import Step

#: A group that has not stopped by then is left to supervisord's shutdown, which kills what does not leave.
GROUP_TIMEOUT_S = 35.0
SHUTDOWN_TIMEOUT_S = 45.0
_POLL_S = 0.1


class Down:
    """One run of `down`."""

    def __init__(self, layout: Layout) -> None:
        self._layout, self._board = layout, StepBoard()

    def run(self) -> Iterator[Step]:
        """All steps."""
        board = self._board
        for group in catalogue.STOP_ORDER:
            for name in group:
                board.add(name, catalogue.find(name).title, service=name)
        board.add("supervisor", "Process supervisor")
        yield from board.all()
        intent.remember_down(self._layout)
        try:
            yield from self._stop_services(daemon.connect(self._layout))
        except NotRunningError:
            for group in catalogue.STOP_ORDER:
                for name in group:
                    yield board.done(name, "Does not run.")
        yield board.begin("supervisor", "Shuts down the supervisor and looks for what is left.")
        try:
            daemon.stop(self._layout, timeout_s=SHUTDOWN_TIMEOUT_S)
        except StackError as error:
            yield board.failed("supervisor", str(error))
            raise
        left = processes.marked(self._layout)
        yield board.done("supervisor", "Nothing of the system runs any more." if not left else processes.describe(left))

    def _stop_services(self, supervisor: Supervisor) -> Iterator[Step]:
        for group in catalogue.STOP_ORDER:
            alive = {p.full_name: p.group for p in supervisor.processes() if p.group in group and p.state not in _GONE}
            for name in group:
                yield self._board.begin(name, "Stops." if name in alive.values() else "Does not run.")
            for full_name in alive:
                supervisor.stop(full_name)
            waiting, deadline = set(group), time.monotonic() + GROUP_TIMEOUT_S
            while waiting:
                left = {p.group for p in supervisor.processes() if p.full_name in alive and p.state not in _GONE}
                for name in sorted(waiting - left):
                    waiting.discard(name)
                    yield self._board.done(name, "Stopped.")
                if waiting and time.monotonic() > deadline:
                    for name in sorted(waiting):
                        yield self._board.done(name, "Has not stopped in time; it will be killed.")
                    break
                if waiting:
                    time.sleep(_POLL_S)
        cds.keep(self._layout, [p for p in supervisor.processes() if p.state == "STOPPED"])


_GONE = frozenset({"STOPPED", "EXITED", "FATAL", "UNKNOWN"})
