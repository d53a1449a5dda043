"""The wire to a running supervisord: XML-RPC over its unix socket, each call with a time limit."""

import http.client
import socket
import time
import xmlrpc.client
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from xml.parsers.expat import ExpatError

from stack.errors import NotRunningError, StepFailedError, WaitTimeoutError

CALL_TIMEOUT_S = 10.0
RELOAD_TIMEOUT_S = 60.0

#: Fault codes of supervisor.xmlrpc.Faults that mean "it is so already".
ALREADY_STARTED, NOT_RUNNING = 60, 70
BAD_NAME, STILL_RUNNING = 10, 91


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """What supervisord says of one process.

    Attributes:
        group: The service.
        name: Its number for scaled services, else the service's name again.
        state: STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL or UNKNOWN.
        pid: 0 when it does not run.
        started: When it was last started, or None.
        exit_code: Of the last exit.
        reason: supervisord's word on the last failure; may be empty.
    """

    group: str
    name: str
    state: str
    pid: int = 0
    started: datetime | None = None
    exit_code: int = 0
    reason: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.group}:{self.name}"

    @property
    def replica(self) -> int:
        """Its number, from 0."""
        return int(self.name) if self.name.isdecimal() else 0

    @property
    def is_alive(self) -> bool:
        return self.pid > 0 and self.state in {"RUNNING", "STARTING"}


class Supervisor(Protocol):
    """What the local target needs of supervisord. Calls return at once; `processes` tells when they have come true.

    Raises (all calls): NotRunningError when there is no supervisord, StepFailedError when it refuses.
    """

    def processes(self) -> list[ProcessInfo]:
        """Every process that is defined, services only."""
        ...

    def start(self, full_name: str) -> None:
        """Start a process; no effect when it runs."""
        ...

    def stop(self, full_name: str) -> None:
        """Stop a process; no effect when it does not run."""
        ...

    def reload(self) -> None:
        """Take over what changed in the configuration file; changed programs are stopped. Waits for that, bounded."""
        ...

    def shutdown(self) -> None:
        """Stop everything, then supervisord itself."""
        ...


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=CALL_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(CALL_TIMEOUT_S)
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        self.sock = connection


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = _UnixConnection(self._path)
        self._connection = host, connection  # `close` looks for it here
        return connection


class SupervisorRpc:
    """`Supervisor` over the socket of a data directory. Every call opens its own connection, so any thread may call."""

    def __init__(self, socket_path: Path, *, start: str = "python -m stack up", hidden: frozenset[str] = frozenset()) -> None:
        """
        Args:
            start: What is typed to start the system.
            hidden: Groups that are no services.
        """
        self._path, self._start = socket_path, start
        self._hidden = hidden

    def _call(self, method: str, *arguments: Any, ignore: tuple[int, ...] = ()) -> Any:
        proxy = xmlrpc.client.ServerProxy("http://localhost", transport=_UnixTransport(self._path))
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode in ignore:
                return None
            raise StepFailedError(
                "supervisor",
                f"The supervisor refused {method} {' '.join(map(str, arguments))}",
                why=f"{fault.faultString}.",
                remedy="See logs/supervisord.log in the data directory.",
            ) from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError, ExpatError) as error:
            raise NotRunningError(
                "The system does not run here.",
                why="There is no supervisor."
                if isinstance(error, FileNotFoundError)
                else f"Its supervisor does not answer ({error}).",
                remedy=f"Start it with `{self._start}`.",
            ) from error
        finally:
            proxy("close")()

    def processes(self) -> list[ProcessInfo]:
        """See `Supervisor`."""
        return [_info(row) for row in self._call("getAllProcessInfo") if row["group"] not in self._hidden]

    def start(self, full_name: str) -> None:
        """See `Supervisor`."""
        self._call("startProcess", full_name, False, ignore=(ALREADY_STARTED,))

    def stop(self, full_name: str) -> None:
        """See `Supervisor`."""
        self._call("stopProcess", full_name, False, ignore=(NOT_RUNNING,))

    def reload(self) -> None:
        """See `Supervisor`."""
        [[added, changed, removed]] = self._call("reloadConfig")
        old = {*changed, *removed}
        for process in self.processes():
            if process.group in old:
                self.stop(process.full_name)
        deadline = time.monotonic() + RELOAD_TIMEOUT_S
        while any(process.pid for process in self.processes() if process.group in old):
            if time.monotonic() > deadline:
                raise WaitTimeoutError("supervisor", f"Changed services did not stop within {RELOAD_TIMEOUT_S:.0f} s")
            time.sleep(0.1)
        for group in old:
            self._call("removeProcessGroup", group)
        for group in (*changed, *added):
            self._call("addProcessGroup", group)

    def shutdown(self) -> None:
        """See `Supervisor`."""
        # supervisord takes leave of one group a second; of those that have nothing left to stop we may do it at once.
        busy = {process.group for process in self.processes() if process.pid}
        for group in {process.group for process in self.processes()} - busy:
            self._call("removeProcessGroup", group, ignore=(BAD_NAME, STILL_RUNNING))
        self._call("shutdown")


def _info(row: dict[str, Any]) -> ProcessInfo:
    return ProcessInfo(
        group=row["group"],
        name=row["name"],
        state=row["statename"],
        pid=row["pid"],
        started=datetime.fromtimestamp(row["start"], UTC) if row["start"] else None,
        exit_code=row["exitstatus"],
        reason=row["spawnerr"],
    )
