"""Compares what runs with what would be deployed, so that no deployment is taken apart because an overlay was not named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stack.errors import ConsentError, PreflightError
from stack.swarm import compose
from stack.swarm.hints import command
from stack.swarm.site import Site
from stack.swarm.state import StackState
from stack.target import Check

CHECK: Final = "Overlays"


@dataclass(frozen=True, slots=True)
class Losses:
    """What a deployment would take away from a running stack.

    Attributes:
        services: They would be removed.
        volumes: No service would use them any more; their data stay, out of sight.
    """

    services: tuple[str, ...]
    volumes: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.services or self.volumes)

    def __str__(self) -> str:
        parts = [
            f"{title} {', '.join(names)}"
            for title, names in (("services", self.services), ("volumes", self.volumes))
            if names
        ]  # fmt: skip
        return " and ".join(parts)


def losses(site: Site, state: StackState) -> Losses:
    """Compare the services and volumes of the running stack with those of the files."""
    composition = site.composition()
    kept = {name for names in composition.volumes.values() for name in names}
    used = {name for service in state.services for name in service.volumes}
    names = {service.name for service in state.services}
    return Losses(tuple(sorted(names - composition.images.keys())), tuple(sorted(used - kept)))


def deployed(site: Site, state: StackState) -> tuple[str, ...]:
    """Return the overlays that the running stack was deployed with, as far as they have services of their own."""
    names = {service.name for service in state.services}
    return tuple(name for name in compose.overlay_names() if names & _own_services(site, name))


def guard(site: Site, state: StackState) -> None:
    """Refuse a deployment that takes something away, unless exactly that was asked for.

    Raises:
        PreflightError: an overlay that is deployed was neither named nor left out on purpose.
        ConsentError: it was left out on purpose, or an added one moves data out of sight, and nobody has agreed yet.
    """
    lost = losses(site, state)
    if not lost or not state.services:
        return
    missing = [name for name in deployed(site, state) if name not in site.overlays and not site.drops(name)]
    if missing:
        named = " ".join(f"--overlay {name}" for name in missing)
        raise PreflightError(
            f"Stack {site.stack} was deployed with {named}",
            why=f"Without it these would go: {lost}.",
            remedy=f"Add {named} to keep them, or take them away: {_typed(site, [f'-{name}' for name in missing])}",
        )
    known = {name for overlay in compose.overlay_names() for name in _own_services(site, overlay)}
    unknown = [name for name in lost.services if name not in known]
    if unknown and not site.drops_all:
        raise PreflightError(
            f"Stack {site.stack} has services that no file of this version names",
            why=f"These would go: {lost}.",
            remedy=f"Deploy by hand with the file that they come from, or take them away: {_typed(site, ['none'])}",
        )
    if not site.consent:
        raise ConsentError(
            f"This takes something away from stack {site.stack}",
            why=f"These would go: {lost}. The data of volumes stay on their nodes, and nothing shows them any more.",
            remedy="Add --yes to agree.",
        )


def check(site: Site, state: StackState) -> Check:
    """The same as a finding for people."""
    try:
        guard(site, state)
    except PreflightError as error:
        return Check(CHECK, False, f"{error.what}: {error.why.removesuffix('.')}", error.remedy)
    return Check(CHECK, True, f"As deployed: {', '.join(site.overlays) or 'none'}" if state.services else "Nothing is deployed")


def _own_services(site: Site, overlay: str) -> set[str]:
    """Services that an overlay adds to stack.yml."""
    variables = {"PAAI_STACK": site.stack}
    alone = compose.read(compose.files(()), variables).images.keys()
    return set(compose.read(compose.files((overlay,)), variables).images.keys() - alone)


def _typed(site: Site, more: Sequence[str]) -> str:
    return f"{command(site.stack, 'up', overlays=[*site.overlays, *more])} --yes"
