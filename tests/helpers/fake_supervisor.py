"""A supervisord in memory: what is started runs at once, unless a test says otherwise."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from stack.catalogue import SERVICES
from stack.errors import NotRunningError
from stack.local.rpc import ProcessInfo

STARTED = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)


def stopped_processes() -> dict[str, ProcessInfo]:
    """Every process of the catalogue, none started."""
    names = [(s.name, str(n) if s.scalable else s.name) for s in SERVICES for n in range(s.max_replicas)]
    return {f"{group}:{name}": ProcessInfo(group, name, "STOPPED") for group, name in names}


@dataclass
class FakeSupervisor:
    """See `stack.local.rpc.Supervisor`.

    Attributes:
        is_running: False: every call raises NotRunningError.
        outcome: State that a process (by service) takes when it is started, instead of RUNNING.
        calls: What was asked for, in order: ("start", "paai:0").
    """

    is_running: bool = True
    outcome: dict[str, str] = field(default_factory=dict)
    state: dict[str, ProcessInfo] = field(default_factory=stopped_processes)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def processes(self) -> list[ProcessInfo]:
        self._check()
        return list(self.state.values())

    def start(self, full_name: str) -> None:
        self._check()
        self.calls.append(("start", full_name))
        process = self.state[full_name]
        if process.state == "BACKOFF":  # it is on its way already
            return
        new = self.outcome.get(process.group, "RUNNING")
        pid = 1000 + len(self.calls) if new in {"RUNNING", "STARTING"} else 0
        self.state[full_name] = replace(process, state=new, pid=pid, started=STARTED)

    def stop(self, full_name: str) -> None:
        self._check()
        self.calls.append(("stop", full_name))
        self.state[full_name] = replace(self.state[full_name], state="STOPPED", pid=0)

    def reload(self) -> None:
        self._check()
        self.calls.append(("reload", ""))

    def shutdown(self) -> None:
        self._check()
        self.calls.append(("shutdown", ""))
        self.is_running = False

    def set(self, full_name: str, state: str, *, exit_code: int = 0, reason: str = "") -> None:
        """Something happened to a process."""
        pid = 999 if state in {"RUNNING", "STARTING"} else 0
        self.state[full_name] = replace(self.state[full_name], state=state, pid=pid, exit_code=exit_code, reason=reason)

    def start_all(self, *, paai: int = 3) -> None:
        """Everything runs."""
        for full_name, process in self.state.items():
            if process.replica < (paai if process.group == "paai" else 1):
                self.set(full_name, "RUNNING")

    def _check(self) -> None:
        if not self.is_running:
            raise NotRunningError("The system does not run here.")
