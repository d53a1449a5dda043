"""`status` of the local target: supervisord's word, the probes' answers, restarts, memory and processor use."""

from collections.abc import Sequence

from backend.contract.ports import Ports
from stack.catalogue import SERVICES, Service, links_of
from stack.errors import NotRunningError
from stack.jvm.spark import EXIT_NEEDS_RESET
from stack.local import daemon, instance, intent, jsonfile, processes
from stack.local.layout import Layout
from stack.local.probes import Health, Prober
from stack.local.rpc import ProcessInfo, Supervisor
from stack.target import ServiceStatus

ENDED = "It ended unexpectedly; deploy it again to bring it back."


class StatusReader:
    """Keeps the processor times of the previous reading, so that the next can tell a share. Any thread may call."""

    def __init__(self, layout: Layout, prober: Prober, ports: Ports, *, supervisor: Supervisor | None = None) -> None:
        self._layout, self._prober, self._ports = layout, prober, ports
        self._supervisor = supervisor or daemon.connect(layout)
        self._meter = processes.UsageMeter()

    def read(self) -> list[ServiceStatus]:
        """One row a service."""
        wanted = instance.wanted_replicas(self._layout)
        try:
            found = self._supervisor.processes()
        except NotRunningError:
            stopped = not intent.should_run(self._layout)
            return [self._gone(service, wanted[service.name], stopped=stopped) for service in SERVICES]
        by_service = {s.name: [p for p in found if p.group == s.name] for s in SERVICES}
        alive = [s for s in SERVICES if any(p.is_alive for p in by_service[s.name])]
        health = self._prober.probe_all(alive)
        restarts = jsonfile.counts(self._layout.restarts_file)
        return [
            self._row(service, by_service[service.name], wanted[service.name], health.get(service.name), restarts)
            for service in SERVICES
        ]

    def _row(
        self,
        service: Service,
        found: Sequence[ProcessInfo],
        wanted: int,
        health: Health | None,
        restarts: dict[str, int],
    ) -> ServiceStatus:
        alive = [p for p in found if p.is_alive]
        usage = self._meter.measure(p.pid for p in alive)
        message = self._message(service, found, wanted, health)
        return ServiceStatus(
            service=service.name,
            wanted=wanted,
            running=len(alive),
            healthy=not message,
            restarts=sum(count for name, count in restarts.items() if name.startswith(f"{service.name}:")),
            message=message,
            note=health.note if health is not None and not message else "",
            since=max((p.started for p in alive if p.started), default=None),
            links=links_of(service, self._ports),
            scalable=service.scalable,
            memory_bytes=usage.memory_bytes if usage else None,
            cpu_percent=usage.cpu_percent if usage else None,
            stopped=not alive and all(p.state == "STOPPED" for p in found),
        )

    def _message(self, service: Service, found: Sequence[ProcessInfo], wanted: int, health: Health | None) -> str:
        """Why it is not well; empty when it is."""
        mine = [p for p in found if p.replica < wanted]
        down = next((p for p in mine if not p.is_alive), None)
        if down is not None:
            return why_down(self._layout, service, down)
        if health is None:
            return "Stopped."
        return "" if health.ok else health.message

    def _gone(self, service: Service, wanted: int, *, stopped: bool) -> ServiceStatus:
        message = "Stopped." if stopped else ENDED
        return ServiceStatus(service.name, wanted, 0, False, 0, message, scalable=service.scalable, stopped=stopped)


def why_down(layout: Layout, service: Service, process: ProcessInfo) -> str:
    """Why a process does not run, one sentence and what to do."""
    who = f"Process {process.replica} of {service.title}" if service.scalable else service.title
    match process.state:
        case "FATAL":
            return f"{who} exited again and again and was given up ({process.reason}); see its log, then `restart` it."
        case "BACKOFF":
            return f"{who} exited soon after its start; it is started again after a pause."
        case "EXITED" if process.exit_code == EXIT_NEEDS_RESET and service.name in layout.checkpoints:
            said = str(jsonfile.read(layout.state / f"{service.name}.json").get("message", ""))
            reset = f"Run `{layout.command(f'reset {service.name}')}`: it starts with an empty checkpoint and the whole topic."
            return f"{said or 'The job cannot continue from its checkpoint.'} {reset}"
        case "EXITED":
            return f"{who} exited with code {process.exit_code}."
        case "STOPPING":
            return f"{who} is stopping."
        case _:
            return "Stopped."
