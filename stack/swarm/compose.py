"""What the target must know of stack.yml and its overlays before they are deployed: images, ports, variables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from stack.errors import PreflightError

STACK_FILE: Final = Path(__file__).parent.parent / "stack.yml"
OVERLAYS: Final = Path(__file__).parent.parent / "overlays"

#: The one written in C is ten times as quick.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_VARIABLE: Final = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::?-(?P<default>[^}]*))?\}|(?P<bare>\w+))")
_PORT: Final = re.compile(r"\$\{(PAAI_PORT_\w+):-(\d+)\}")


@dataclass(frozen=True, slots=True)
class Composition:
    """The files, merged and with their variables filled in, as far as it matters here.

    Attributes:
        images: Service → image.
        ports: Published port → service.
        replicas: Service → wanted; None for one on each node.
        secrets: Names of the external secrets.
    """

    images: dict[str, str]
    ports: dict[int, str]
    replicas: dict[str, int | None]
    secrets: tuple[str, ...]


def files(overlays: Sequence[str]) -> list[Path]:
    """stack.yml and the overlays of these names.

    Raises:
        PreflightError: there is no overlay of that name.
    """
    found = [STACK_FILE]
    for name in overlays:
        path = OVERLAYS / f"{name}.yml"
        if not path.exists():
            known = ", ".join(sorted(p.stem for p in OVERLAYS.glob("*.yml"))) or "none"
            raise PreflightError(f"There is no overlay {name!r}.", remedy=f"Overlays: {known}.")
        found.append(path)
    return found


def port_variables(paths: Sequence[Path], offset: int) -> dict[str, str]:
    """Every ``PAAI_PORT_…`` that the files know, shifted."""
    found = {name: int(default) for path in paths for name, default in _PORT.findall(path.read_text("utf-8"))}
    return {name: str(number + offset) for name, number in found.items()}


def read(paths: Sequence[Path], variables: Mapping[str, str]) -> Composition:
    """Read the files as `docker stack deploy` would."""
    images: dict[str, str] = {}
    ports: dict[int, str] = {}
    replicas: dict[str, int | None] = {}
    secrets: dict[str, None] = {}
    for path in paths:
        document: dict[str, Any] = yaml.load(interpolate(path.read_text("utf-8"), variables), Loader=_LOADER)  # noqa: S506 (a safe one)
        for name, service in (document.get("services") or {}).items():
            deploy = service.get("deploy") or {}
            if "image" in service:
                images[name] = service["image"]
            if "replicas" in deploy or "mode" in deploy or name not in replicas:
                number = int(deploy.get("replicas", replicas.get(name) or 1))
                replicas[name] = None if deploy.get("mode") == "global" else number
            ports |= {int(port["published"]): name for port in service.get("ports") or () if isinstance(port, dict)}
        for name, secret in (document.get("secrets") or {}).items():
            secrets[str((secret or {}).get("name", name))] = None
    return Composition(images, ports, replicas, tuple(secrets))


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Fill in ``${NAME:-default}``, ``${NAME}`` and ``$NAME``; ``$$`` is a dollar sign."""

    def value(match: re.Match[str]) -> str:
        name = match["name"] or match["bare"]
        if name is None:
            return "$"
        return variables.get(name) or match["default"] or ""

    return _VARIABLE.sub(value, text)
