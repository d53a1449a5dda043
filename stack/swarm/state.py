"""What is read of a Docker engine and its swarm, as plain values."""

from dataclasses import dataclass, field
from datetime import datetime

#: Label that `docker stack deploy` puts on everything of a stack.
NAMESPACE_LABEL = "com.docker.stack.namespace"
#: While a login changes, the operator is given the other one beside it, in a file whose name ends so.
OLD = "_old"


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """The engine and its part in a swarm.

    Attributes:
        engine_id: Stays the same when the swarm is made anew.
        cluster_id: Of the swarm; empty unless this is one of its managers.
        swarm: "active", "inactive", "pending", "locked" or "error".
        swarm_error: Its reason for the last two.
        node_address: Under which the other nodes know this one.
        memory_bytes: Of the machine.
        system_time: The engine's clock when it answered, or None.
        root_dir: Where it keeps images and volumes, on its own machine.
    """

    engine_id: str
    name: str
    version: str
    swarm: str
    is_manager: bool
    cluster_id: str = ""
    node_id: str = ""
    node_address: str = ""
    swarm_error: str = ""
    memory_bytes: int = 0
    cpus: int = 0
    system_time: datetime | None = None
    root_dir: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """The last rolling update of a service.

    Attributes:
        state: "updating", "paused", "completed", "rollback_started", "rollback_paused" or "rollback_completed".
        started: As the engine writes it; tells one update from another.
        message: The engine's own words.
    """

    state: str
    started: str = ""
    message: str = ""

    @property
    def under_way(self) -> bool:
        """Whether it still goes on."""
        return self.state in {"updating", "rollback_started"}

    @property
    def rolled_back(self) -> bool:
        """Whether it was taken back, or is being so."""
        return self.state.startswith("rollback")


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the stack.

    Attributes:
        name: Without the stack's name.
        replicas: Wanted; None for one on each node.
        image: As the service names it.
        update: Of the last update; None before the first.
        secrets: Names of the Docker secrets that it works with; without those that it is given as `OLD`.
        environment: ``NAME=value``.
        ports: Published ones.
        volumes: Names of those that it mounts.
    """

    id: str
    name: str
    replicas: int | None
    image: str
    update: Update | None = None
    secrets: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    volumes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt to run a replica.

    Attributes:
        service_id: Of its service.
        slot: Which replica, from 1; 0 for one of a global service.
        state: "new" … "running" … "failed"; of a container with a health check "running" means that the check has passed.
        desired: "running", or "shutdown" once it is to be replaced.
        current: Whether it runs what its service wants now.
        error: Why it does not run.
        exit_code: Of its container, or None.
        container_id: Of its container, or empty.
        at: When its state changed.
    """

    id: str
    service_id: str
    slot: int
    node_id: str
    state: str
    desired: str
    current: bool
    error: str
    at: datetime
    created: datetime
    image: str = ""
    message: str = ""
    exit_code: int | None = None
    container_id: str = ""

    @property
    def lives(self) -> bool:
        """Whether the swarm wants it to run."""
        return self.desired in {"running", "ready"}

    @property
    def failed(self) -> bool:
        """Whether it came to a bad end."""
        return self.state in {"failed", "rejected", "orphaned"}


@dataclass(frozen=True, slots=True)
class StackState:
    """Services and tasks of one stack, as of one reading."""

    services: tuple[Service, ...] = ()
    tasks: tuple[Task, ...] = ()

    def tasks_of(self, service: Service) -> list[Task]:
        """Of one service, newest first."""
        return sorted((t for t in self.tasks if t.service_id == service.id), key=lambda t: t.created, reverse=True)

    def find(self, name: str) -> Service | None:
        """The service of that name, without the stack's."""
        return next((service for service in self.services if service.name == name), None)


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the swarm."""

    id: str
    name: str
    address: str
    ready: bool
    is_self: bool = False
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the engine has.

    Attributes:
        id: ``sha256:…``
        digests: ``name@sha256:…`` of registries that it came from.
    """

    id: str
    digests: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """A Docker secret; nobody can read its content back."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
