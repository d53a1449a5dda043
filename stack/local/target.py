"""`stack.target.Target` on this machine."""

import contextlib
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from backend.contract.ports import Ports
from stack import catalogue, mongo
from stack.errors import NotRunningError, StackError, UnknownServiceError
from stack.local import daemon, instance, logs, processes
from stack.local.down import Down
from stack.local.layout import Layout
from stack.local.operations import reset_job, restart_service, scale_service
from stack.local.probes import Prober
from stack.local.status import StatusReader
from stack.local.up import Up
from stack.preflight import run_checks
from stack.target import Check, Endpoints, HistoryEntry, LogLine, Plan, PlanItem, ServiceStatus, Step


class LocalTarget:
    """See `stack.target.Target`. Any thread may call; commands that change something exclude one another by a file lock."""

    def __init__(self, *, data_dir: Path, ports: Ports, reason: str = "Asked for.") -> None:
        """
        Args:
            data_dir: Where everything of this system lies.
            reason: Why this target was chosen, for people.
        """
        self._layout, self._ports, self._reason = Layout.of(data_dir), ports, reason
        self._status = StatusReader(self._layout, Prober(self._layout, ports), ports)

    @property
    def name(self) -> str:
        """Always "local"."""
        return "local"

    @property
    def data_dir(self) -> Path:
        """Where everything of this system lies."""
        return self._layout.data_dir

    @property
    def ports(self) -> Ports:
        """Its ports."""
        return self._ports

    def plan(self) -> Plan:
        """See `Target.plan`."""
        wanted = instance.wanted_replicas(self._layout)
        items = []
        for service in catalogue.SERVICES:
            count, why = wanted[service.name], ""
            how = f"{count} processes" if service.scalable else "1 process"
            if service.name == "mongodb":
                choice = mongo.choose(data_dir=self._layout.mongo)
                how, why = f"{choice.kind} {choice.version}", choice.why
            port = catalogue.port_of(self._ports, service.ports[0]) if service.ports else None
            items.append(PlanItem(service.name, service.role, how, why, port))
        return Plan("local", "This machine", self._reason, tuple(items))

    def preflight(self) -> list[Check]:
        """See `Target.preflight`."""
        wanted = {
            service.title if index == 0 else f"{service.title} ({name.removeprefix('spark_').replace('_', ' ')})": (
                catalogue.port_of(self._ports, name)
            )
            for service in catalogue.SERVICES
            for index, name in enumerate(service.ports)
        }
        return run_checks(self._ports, self._layout.data_dir, wanted=wanted, own_pids=processes.marked(self._layout))

    def fix(self, action: str, *, cancel: threading.Event | None = None) -> Iterator[Step]:
        """See `Target.fix`. No check of this target offers anything: `up` does by itself what can be done."""
        raise UnknownServiceError(f"There is nothing to do by the name {action!r}.")

    def up(self, *, cancel: threading.Event | None = None) -> Iterator[Step]:
        """See `Target.up`."""
        with instance.locked(self._layout, "up"):
            yield from Up(self._layout, self._ports, preflight=self.preflight, cancel=cancel).run()

    def status(self) -> list[ServiceStatus]:
        """See `Target.status`."""
        return self._status.read()

    def logs(self, service: str, *, lines: int = 200, follow: threading.Event | None = None) -> Iterator[LogLine]:
        """See `Target.logs`."""
        scaled = catalogue.find(service).scalable
        yield from logs.read(self._layout, service, scaled=scaled, lines=lines)
        if follow is not None:
            yield from logs.follow(self._layout, service, scaled=scaled, stop=follow)

    def scale(self, service: str, replicas: int) -> Iterator[Step]:
        """See `Target.scale`."""
        with instance.locked(self._layout, "scale"):
            yield from scale_service(self._layout, self._ports, service, replicas)

    def restart(self, service: str) -> Iterator[Step]:
        """See `Target.restart`."""
        with instance.locked(self._layout, "restart"):
            yield from restart_service(self._layout, self._ports, service)

    def reset(self, service: str) -> Iterator[Step]:
        """Move a Spark job's checkpoint aside and start the job anew: the way out when its topic was wiped."""
        with instance.locked(self._layout, "reset"):
            yield from reset_job(self._layout, self._ports, service)

    def history(self, service: str) -> list[HistoryEntry]:
        """See `Target.history`: supervisord keeps none; the log tells."""
        catalogue.find(service)
        return []

    def down(self, *, purge: bool = False) -> Iterator[Step]:
        """See `Target.down`."""
        if not self._layout.data_dir.exists():
            return
        with instance.locked(self._layout, "down"):
            yield from Down(self._layout).run()
        if purge:
            _remove(self._layout.data_dir)

    def endpoints(self) -> Endpoints:
        """See `Target.endpoints`."""
        ports = self._ports
        return Endpoints(
            paai=f"http://127.0.0.1:{ports.paai}",
            generator=f"http://127.0.0.1:{ports.generator}",
            kafka=f"127.0.0.1:{ports.kafka}",
            mongo=f"mongodb://127.0.0.1:{ports.mongo}/",
            connect=f"http://127.0.0.1:{ports.connect}",
            spark_ui=f"http://127.0.0.1:{ports.spark_master_ui}",
            predictor=f"http://127.0.0.1:{ports.predictor}",
        )

    def is_up(self) -> bool:
        """See `Target.is_up`."""
        with contextlib.suppress(NotRunningError):
            if self._layout.socket.exists():
                return any(process.is_alive for process in daemon.connect(self._layout).processes())
        return bool(processes.marked(self._layout))


def _remove(data_dir: Path) -> None:
    try:
        shutil.rmtree(data_dir)
    except OSError as error:
        raise StackError(
            f"{data_dir} could not be removed",
            why=f"{error}.",
            remedy="Remove it by hand; nothing of the system runs any more.",
        ) from error
