"""What the target must know of stack.yml and its overlays before they are deployed: images, ports, variables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack.compose import OVERLAYS, STACK_FILE, load
from stack.errors import PreflightError

#: The name of a stack without a port offset.
DEFAULT_STACK: Final = "paai"

_PORT: Final = re.compile(r"\$\{(PAAI_PORT_\w+):-(\d+)\}")


@dataclass(frozen=True, slots=True)
class Composition:
    """The files, merged and with their variables filled in, as far as it matters here.

    Attributes:
        images: Service → image.
        ports: Published port → service.
        replicas: Service → wanted; None for one on each node.
        secrets: Names of the external secrets.
        volumes: Service → Docker's names of the volumes that it mounts.
    """

    images: dict[str, str]
    ports: dict[int, str]
    replicas: dict[str, int | None]
    secrets: tuple[str, ...]
    volumes: dict[str, tuple[str, ...]]


def files(overlays: Sequence[str]) -> list[Path]:
    """stack.yml and the overlays of these names.

    Raises:
        PreflightError: there is no overlay of that name.
    """
    known = overlay_names()
    for name in overlays:
        if name not in known:
            raise PreflightError(f"There is no overlay {name!r}.", remedy=f"Overlays: {', '.join(known) or 'none'}.")
    return [STACK_FILE, *(OVERLAYS / f"{name}.yml" for name in overlays)]


def overlay_names() -> tuple[str, ...]:
    """Names of all overlays."""
    return tuple(sorted(path.stem for path in OVERLAYS.glob("*.yml")))


def port_variables(paths: Sequence[Path], offset: int) -> dict[str, str]:
    """Every ``PAAI_PORT_…`` that the files know, shifted."""
    found = {name: int(default) for path in paths for name, default in _PORT.findall(path.read_text("utf-8"))}
    return {name: str(number + offset) for name, number in found.items()}


def read(paths: Sequence[Path], variables: Mapping[str, str]) -> Composition:
    """The files as `docker stack deploy` would take them.

    Raises:
        ComposeError: one of them is not as it must be.
    """
    stack = load(paths, variables)
    prefix = variables.get("PAAI_STACK") or DEFAULT_STACK
    volumes = {name: volume.name or f"{prefix}_{name}" for name, volume in stack.volumes.items()}
    return Composition(
        images={name: service.image for name, service in stack.services.items()},
        ports={port.published: name for name, service in stack.services.items() for port in service.ports},
        replicas={
            name: None if service.deploy.mode == "global" else service.deploy.count for name, service in stack.services.items()
        },
        secrets=tuple(secret.name for secret in stack.secrets.values()),
        volumes={
            name: tuple(volumes[mount.source] for mount in service.volumes if mount.source in volumes)
            for name, service in stack.services.items()
        },
    )
