"""A Docker engine in memory: deploys at once, unless a test says what becomes of a service's tasks."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stack.errors import EngineError, StackError
from stack.swarm import compose
from stack.swarm.secrets import parse_name
from stack.swarm.state import EngineInfo, Image, Node, SecretInfo, Service, StackState, Task, Update

START = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)

IMAGES = ("paai-services:latest", "paai-kafka:latest", "paai-spark:latest", "paai-gateway:latest", "paai-mongo-lite:latest")

#: What becomes of a service: its tasks, newest first.
Outcome = Callable[[Service], list[Task]]


def task(service: Service, state: str = "running", *, slot: int = 1, number: int = 0, **more: Any) -> Task:
    """A task of `service`; `more` are fields of `Task`."""
    moment = START + timedelta(seconds=1 + number)
    made = Task(
        id=f"{service.id}-{slot}-{number}",
        service_id=service.id,
        slot=slot,
        node_id="node-1",
        state=state,
        desired="shutdown" if state in {"failed", "rejected", "shutdown"} else "running",
        current=True,
        error="",
        at=moment,
        created=moment,
        image=service.image,
    )
    return replace(made, **more)


@dataclass
class FakeEngine:
    """Implements `stack.swarm.engine.Engine`.

    Attributes:
        outcomes: Service → what becomes of it; others run and are healthy.
        updates: Service → what its update comes to, from the next deployment on.
        failing: Raised by the next call of that name.
        deployed: Files' texts and variables of each deployment.
        oom: Containers that were killed for memory.
        printed: Container → what its last health check printed.
    """

    where: str = "Docker in memory"
    host: str = "127.0.0.1"
    is_local: bool = True
    command: tuple[str, ...] = ("docker",)
    the_info: EngineInfo = field(
        default_factory=lambda: EngineInfo(
            engine_id="ENGINE:1", name="box", version="20.10.24", swarm="active", is_manager=True, cluster_id="cluster1",
            node_id="node-1", memory_bytes=16 * 1024**3, root_dir="/",
        )
    )  # fmt: skip
    images: dict[str, Image] = field(default_factory=lambda: {name: Image(f"sha256:{name}") for name in IMAGES})
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    updates: dict[str, Update] = field(default_factory=dict)
    failing: dict[str, StackError] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    deployed: list[tuple[list[str], dict[str, str]]] = field(default_factory=list)
    services: dict[str, list[Service]] = field(default_factory=dict)
    kept: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    volume_names: list[str] = field(default_factory=list)
    network_names: list[str] = field(default_factory=list)
    oom: set[str] = field(default_factory=set)
    printed: dict[str, str] = field(default_factory=dict)
    log_lines: dict[str, list[str]] = field(default_factory=dict)
    others: dict[int, str] = field(default_factory=dict)
    node_list: list[Node] = field(default_factory=lambda: [Node("node-1", "box", "10.0.0.1", True, is_self=True)])
    pullable: bool = False

    def _called(self, name: str, *what: object) -> None:
        self.calls.append(" ".join([name, *map(str, what)]))
        if (error := self.failing.pop(name, None)) is not None:
            raise error

    def info(self) -> EngineInfo:
        self._called("info")
        return replace(self.the_info, system_time=self.the_info.system_time or datetime.now(UTC))

    def state(self, stack: str) -> StackState:
        self._called("state", stack)
        services = tuple(self.services.get(stack, ()))
        tasks = [t for s in services for t in (self.outcomes.get(s.name) or _healthy)(s)]
        return StackState(services, tuple(tasks))

    def nodes(self) -> list[Node]:
        return list(self.node_list)

    def published_ports(self) -> dict[int, str]:
        mine = {port: f"{stack}_{s.name}" for stack, services in self.services.items() for s in services for port in s.ports}
        return {**self.others, **mine}

    def swarm_init(self, address: str) -> None:
        self._called("swarm_init", address)
        self.the_info = replace(self.the_info, swarm="active", is_manager=True)

    def deploy(self, stack: str, files: Sequence[Path], variables: Mapping[str, str]) -> None:
        self._called("deploy", stack)
        self.deployed.append(([file.read_text("utf-8") for file in files], dict(variables)))
        composition = compose.read(files, variables)
        missing = [name for name in composition.secrets if name not in self.kept]
        if missing:
            raise EngineError("Docker could not deploy the stack", why=f"secret not found: {missing[0]}.")
        self.services[stack] = [
            Service(
                f"{stack}-{name}", name, composition.replicas[name], image, self.updates.get(name), composition.secrets,
                volumes=composition.volumes[name],
            )
            for name, image in composition.images.items()
        ]  # fmt: skip
        self.network_names.append(f"{stack}_paai")
        self.volume_names = sorted({*self.volume_names, f"{stack}_kafka", f"{stack}_mongodb", f"{stack}_checkpoint"})

    def remove_stack(self, stack: str) -> None:
        self._called("remove_stack", stack)
        self.services.pop(stack, None)
        self.network_names = [name for name in self.network_names if not name.startswith(f"{stack}_")]

    def remove_service(self, full_name: str) -> None:
        self._called("remove_service", full_name)
        for stack, services in self.services.items():
            self.services[stack] = [s for s in services if f"{stack}_{s.name}" != full_name]

    def scale(self, full_name: str, replicas: int) -> None:
        self._called("scale", full_name, replicas)
        self._change(full_name, replicas=replicas)

    def force_update(self, full_name: str) -> None:
        self._called("force_update", full_name)

    def _change(self, full_name: str, **fields: Any) -> None:
        for stack, services in self.services.items():
            self.services[stack] = [replace(s, **fields) if f"{stack}_{s.name}" == full_name else s for s in services]

    def networks(self, stack: str) -> list[str]:
        return [name for name in self.network_names if name.startswith(f"{stack}_")]

    def containers(self, stack: str) -> list[str]:
        return [f"{stack}_{s.name}.1.abc" for s in self.services.get(stack, ())]

    def volumes(self, stack: str) -> list[str]:
        return [name for name in self.volume_names if name.startswith(f"{stack}_")]

    def remove_volume(self, name: str) -> None:
        self._called("remove_volume", name)
        self.volume_names.remove(name)

    def secrets(self, stack: str) -> list[SecretInfo]:
        return [SecretInfo(name, labels) for name, (_, labels) in self.kept.items() if parse_name(name, stack)]

    def create_secret(self, name: str, value: str, labels: Mapping[str, str]) -> None:
        self._called("create_secret", name)
        assert name not in self.kept
        self.kept[name] = (value, dict(labels))

    def remove_secret(self, name: str) -> None:
        self._called("remove_secret", name)
        del self.kept[name]

    def image(self, reference: str) -> Image | None:
        return self.images.get(reference)

    def pull(self, reference: str, *, timeout_s: float) -> None:
        self._called("pull", reference)
        if not self.pullable:
            raise EngineError(f"Docker could not pull {reference}", why="no route to the registry.")
        self.images[reference] = Image(f"sha256:{reference}", digests=(f"{reference.split(':')[0]}@sha256:1",))

    def was_oom_killed(self, container_id: str) -> bool | None:
        return container_id in self.oom

    def check_outputs(self, container_ids: Sequence[str]) -> dict[str, str]:
        return {id_: self.printed[id_] for id_ in container_ids if id_ in self.printed}

    def memory(self, stack: str) -> dict[str, int]:
        return {"paai": 3 * 1024**2}

    def logs(self, reference: str, *, lines: int) -> list[str]:
        self._called("logs", reference)
        return self.log_lines.get(reference, [])[-lines:] if lines else []

    def follow_logs(self, full_name: str, *, lines: int, stop: threading.Event) -> Iterator[str]:
        for line in self.logs(full_name, lines=lines):
            if stop.is_set():
                return
            yield line


def _healthy(service: Service) -> list[Task]:
    return [task(service, slot=slot + 1) for slot in range(1 if service.replicas is None else service.replicas)]
