"""Looks for foreseeable causes of failure of a swarm deployment before anything is deployed. Changes nothing."""

import shutil
import socket
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil

from backend.contract.limits import MAX_FUTURE_S
from stack.board import StepBoard
from stack.errors import StackError
from stack.images.build import outdated
from stack.images.catalogue import PUBLISHED
from stack.images.client import Docker
from stack.preflight import describe_holder, listeners_on_ipv6, port_holders, port_is_free
from stack.swarm import overlays
from stack.swarm.site import BROKER_LABEL, BROKERS, CLUSTER, Site
from stack.swarm.state import EngineInfo
from stack.swarm.watch import guarded
from stack.target import Action, Check, Step

SWARM_INIT, BUILD = "swarm-init", "build"

#: What the services' memory limits sum to; they use about half of it.
MIN_TOTAL_GIB: Final = 6.0
MIN_AVAILABLE_GIB: Final = 3.0
MIN_DISK_GIB: Final = 3.0

_GIB: Final = 1024**3
_CONNECT_TIMEOUT_S: Final = 1.0


def run_checks(site: Site) -> list[Check]:
    """All checks. What cannot be looked at because of an earlier finding is left out."""
    asked = datetime.now(UTC)
    try:
        info = site.engine.info()
    except StackError as error:
        return [_failed("Docker", error)]
    answered = datetime.now(UTC)
    checks = [Check("Docker", True, f"{info.version} on {info.name}"), check_swarm(info)]
    if not checks[-1].ok:
        return checks
    try:
        state = site.engine.state(site.stack)
        is_up = bool(state.services)
        checks += [
            overlays.check(site, state),
            check_memory(site, info, is_up=is_up),
            check_disk(site, info),
            check_clock(info, asked=asked, answered=answered),
            check_images(site),
            *check_nodes(site),
            *check_ports(site, is_up=is_up),
        ]
    except StackError as error:
        checks.append(_failed("Docker", error))
    return checks


def switch_on(site: Site) -> Iterator[Step]:
    """Switch swarm mode on; a local engine then listens for other nodes on loopback only."""
    board = StepBoard()
    board.add(SWARM_INIT, "Switch on swarm mode")

    def steps() -> Iterator[Step]:
        yield board.begin(SWARM_INIT, "docker swarm init")
        if site.engine.info().swarm != "active":
            site.engine.swarm_init("127.0.0.1" if site.engine.is_local else site.engine.host)
        yield board.done(SWARM_INIT, "On; this engine is the manager.")

    yield from guarded(board, steps(), SWARM_INIT)


def check_swarm(info: EngineInfo) -> Check:
    if info.swarm == "active" and info.is_manager:
        return Check("Swarm mode", True, "On; this engine is a manager")
    if info.swarm == "active":
        remedy = "Use --context or DOCKER_HOST of a manager, or type on one: docker node promote NODE"
        return Check("Swarm mode", False, "This engine is a worker, and only a manager can deploy", remedy)
    if info.swarm == "locked":
        return Check("Swarm mode", False, "The swarm is locked", "Type: docker swarm unlock")
    if info.swarm in {"pending", "error"}:
        detail = f"The swarm does not work ({info.swarm_error or info.swarm})"
        return Check("Swarm mode", False, detail, "See `docker info`; `docker swarm leave --force` ends its membership.")
    return Check(
        "Swarm mode", False, "Off", "Type: docker swarm init --advertise-addr 127.0.0.1",
        Action(SWARM_INIT, "Switch on swarm mode"),
    )  # fmt: skip


def check_memory(site: Site, info: EngineInfo, *, is_up: bool) -> Check:
    total = info.memory_bytes / _GIB
    if total < MIN_TOTAL_GIB:
        remedy = f"Use a machine with {MIN_TOTAL_GIB:.0f} GiB."
        return Check("Memory", False, f"{total:.1f} GiB; the services may take {MIN_TOTAL_GIB:.0f} GiB", remedy)
    if not site.engine.is_local or is_up:
        return Check("Memory", True, f"{total:.1f} GiB")
    available = psutil.virtual_memory().available / _GIB
    ok = available >= MIN_AVAILABLE_GIB
    remedy = "" if ok else f"Close other programs until {MIN_AVAILABLE_GIB:.0f} GiB are available."
    return Check("Memory", ok, f"{available:.1f} of {total:.1f} GiB available", remedy)


def check_disk(site: Site, info: EngineInfo) -> Check:
    if not site.engine.is_local:
        return Check("Disk", True, f"On {info.name}; cannot be looked at from here")
    path = Path(info.root_dir or "/")
    nearest = next(folder for folder in (path, *path.parents) if _is_there(folder))
    free = shutil.disk_usage(nearest).free / _GIB
    ok = free >= MIN_DISK_GIB
    return Check("Disk", ok, f"{free:.1f} GiB free at {path}", "" if ok else "Free space there: docker system prune")


def check_clock(info: EngineInfo, *, asked: datetime, answered: datetime) -> Check:
    """paai refuses readings from the future: what posts and what receives must agree on the time.

    Args:
        asked, answered: By this machine's clock, just before and after the engine told its own.
    """
    if info.system_time is None:
        return Check("Clock", True, "The engine does not tell its time")
    ahead_s, behind_s = (info.system_time - answered).total_seconds(), (asked - info.system_time).total_seconds()
    off_s = max(0.0, ahead_s, behind_s)
    if off_s < MAX_FUTURE_S:
        return Check("Clock", True, "Agrees with the engine's")
    direction = "ahead of" if ahead_s > 0 else "behind"
    return Check(
        "Clock", False, f"The engine's clock is {off_s:.1f} s {direction} this machine's",
        "Have both keep time by NTP: sudo timedatectl set-ntp true",
    )  # fmt: skip


def check_images(site: Site) -> Check:
    composition = site.composition()
    lacking = sorted({image for image in composition.images.values() if site.engine.image(image) is None})
    if not lacking:
        return Check("Images", True, f"{len(set(composition.images.values()))} are here{_older_than_sources(site)}")
    return Check(
        "Images",
        False,
        f"Not built or pulled yet: {', '.join(lacking)}",
        f"Type: {site.command('build')}",
        Action(BUILD, "Build them"),
    )


def _older_than_sources(site: Site) -> str:
    """No obstacle: a checkout that went on may still deploy what was built."""
    try:
        late = outdated(Docker(site.engine.command), PUBLISHED)
    except StackError:
        return ""  # what an image would be made of is not there either: nothing to compare with
    named = [name for name in late if site.engine.image(f"paai-{name}:latest") is not None]
    return f"; older than the sources, `{site.command('build')}` renews them: {', '.join(named)}" if named else ""


def check_nodes(site: Site) -> list[Check]:
    """Of a cluster: whether each broker has its node. Nothing otherwise."""
    if CLUSTER not in site.overlays:
        return []
    lacking = [number for number in BROKERS if number not in site.brokers()]
    if not lacking:
        return [Check("Nodes", True, "Each broker has one")]
    remedy = f"For each of them type: docker node update --label-add {BROKER_LABEL}=NUMBER NODE"
    return [Check("Nodes", False, f"No node is labelled for broker {', '.join(lacking)}", remedy)]


def check_ports(site: Site, *, is_up: bool) -> list[Check]:
    """One finding when all are free, else one for each that is not."""
    wanted = site.composition().ports
    by_swarm = site.engine.published_ports()
    remedy = "End what uses it, or deploy on other ports with --port-offset."
    foreign = {port: name for port, name in by_swarm.items() if port in wanted and not name.startswith(f"{site.stack}_")}
    taken: Mapping[int, str] = {port: f"service {name} of this swarm" for port, name in foreign.items()}
    if not is_up:
        taken = {**_taken(site, [port for port in wanted if port not in foreign]), **taken}
    if not taken:
        return [Check("Ports", True, f"{', '.join(map(str, sorted(wanted)))} are free or ours")]
    return [
        Check(f"Port {port}", False, f"{wanted[port]} needs it; {who} holds it", remedy) for port, who in sorted(taken.items())
    ]


def _taken(site: Site, ports: list[int]) -> dict[int, str]:
    if site.engine.is_local:
        busy = [port for port in ports if not port_is_free(port, "0.0.0.0")]  # noqa: S104 (that is where a swarm publishes)
        holders = port_holders(busy) if busy else {}
        # A swarm publishes on IPv4 and IPv6.
        holders = {**listeners_on_ipv6(ports), **holders}
        return {port: describe_holder(holders.get(port)) for port in {*busy, *holders}}
    return {port: f"something on {site.engine.host}" for port in ports if _answers(site.engine.host, port)}


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=_CONNECT_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def _is_there(folder: Path) -> bool:
    try:
        return folder.exists()
    except PermissionError:
        return False


def _failed(name: str, error: StackError) -> Check:
    return Check(name, False, f"{error.what}{': ' + error.why.removesuffix('.') if error.why else ''}", error.remedy)
