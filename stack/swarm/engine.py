"""The seam to Docker: what the swarm target asks of an engine. `docker.py` does it for real, tests have a fake."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from stack.swarm.state import EngineInfo, Image, Node, SecretInfo, StackState


class Engine(Protocol):
    """One Docker engine. Every call blocks, and ends within a bound of its own. Any thread may call.

    Raises (all calls): EngineUnreachableError, NotASwarmError, EngineError, EngineTimeoutError.
    """

    @property
    def where(self) -> str:
        """For people: "This Docker", "Docker context office"."""
        ...

    @property
    def host(self) -> str:
        """Name or address under which what the engine publishes is reached from here."""
        ...

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""
        ...

    @property
    def command(self) -> tuple[str, ...]:
        """Docker's client with the options that lead to this engine; not bounded."""
        ...

    def info(self) -> EngineInfo: ...

    def state(self, stack: str) -> StackState:
        """Services and tasks of the stack, the ended tasks that the engine remembers among them."""
        ...

    def nodes(self) -> list[Node]: ...

    def published_ports(self) -> dict[int, str]:
        """Port → full name of the service of any stack that publishes it."""
        ...

    def swarm_init(self, address: str) -> None:
        """Switch swarm mode on."""
        ...

    def deploy(self, stack: str, files: Sequence[Path], variables: Mapping[str, str]) -> None:
        """`docker stack deploy`; services that the files no longer name are removed."""
        ...

    def remove_stack(self, stack: str) -> None:
        """Ask for its end; what it takes goes on in the background."""
        ...

    def remove_service(self, full_name: str) -> None: ...

    def scale(self, full_name: str, replicas: int) -> None:
        """Returns at once."""
        ...

    def force_update(self, full_name: str) -> None:
        """Have every replica made anew. Returns at once."""
        ...

    def networks(self, stack: str) -> list[str]:
        """Names."""
        ...

    def containers(self, stack: str) -> list[str]:
        """Names of containers of the stack on this engine, running or not."""
        ...

    def volumes(self, stack: str) -> list[str]:
        """Names, on this engine only."""
        ...

    def remove_volume(self, name: str) -> None: ...

    def secrets(self, stack: str) -> list[SecretInfo]:
        """Those that are named as `secrets.docker_name` names them."""
        ...

    def create_secret(self, name: str, value: str, labels: Mapping[str, str]) -> None: ...

    def remove_secret(self, name: str) -> None: ...

    def image(self, reference: str) -> Image | None: ...

    def pull(self, reference: str, *, timeout_s: float) -> None: ...

    def was_oom_killed(self, container_id: str) -> bool | None:
        """None when that container is not on this engine (any more)."""
        ...

    def check_outputs(self, container_ids: Sequence[str]) -> dict[str, str]:
        """What each container's last health check printed if it passed; without containers that are not on this engine."""
        ...

    def memory(self, stack: str) -> dict[str, int]:
        """Service → bytes in use by its containers on this engine."""
        ...

    def logs(self, reference: str, *, lines: int) -> list[str]:
        """Lines of a service (full name) or of a task (id), as the engine's client prints them with timestamps."""
        ...

    def follow_logs(self, full_name: str, *, lines: int, stop: threading.Event) -> Iterator[str]:
        """The same, going on until `stop` is set."""
        ...
