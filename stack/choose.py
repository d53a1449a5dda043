"""Chooses the target: where the system runs, and why there."""

import argparse
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from backend.contract.ports import Ports
from stack.errors import EngineUnreachableError, PreflightError
from stack.local import daemon
from stack.local.instance import remembered_offset
from stack.local.layout import Layout, default_data_dir
from stack.local.target import LocalTarget
from stack.target import Target
from stack.tied import tied

KINDS = ("auto", "swarm", "local")
_DOCKER_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Option:
    """One entry of a chooser of targets.

    Attributes:
        kind, context: For `choose_target`.
        label: For people: "This machine", "Docker", "Docker context office".
        reason: Why it is the default, or what speaks against it; may be empty.
        is_default: Whether "auto" takes it.
        available: Whether it can be chosen at all; if not, `reason` says why not.
    """

    kind: str
    context: str | None
    label: str
    reason: str
    is_default: bool
    available: bool = True


def choose_target(
    kind: str,
    *,
    port_offset: int | None = None,
    data_dir: Path | None = None,
    context: str | None = None,
    overlays: Sequence[str] = (),
    consent: bool = False,
) -> Target:
    """The target.

    Args:
        kind: One of `KINDS`.
        port_offset: None takes the one with which the data directory was last used, else 0.
        data_dir: None takes the user's own data directory, one for each offset. A swarm keeps credentials there, a local system
            everything.
        context: A Docker context; None takes what DOCKER_HOST, DOCKER_CONTEXT or `docker context use` say. Naming one asks for
            the swarm.
        overlays: Of a swarm: names in stack/overlays; ``-name`` for one that a running stack may lose, ``none`` for all.
        consent: Whether the user has agreed to what a deployment takes away from a running stack.

    Raises:
        PreflightError: the target cannot be had here, or an argument will not do.
    """
    if kind not in KINDS:
        raise PreflightError(f"There is no target {kind!r}.", remedy=f"Targets: {', '.join(KINDS)}.")
    if kind == "local" and (context or overlays):
        raise PreflightError(
            "A Docker context or an overlay needs the swarm.", remedy="Leave out --target local, or --context and --overlay."
        )
    wants_swarm, reason = _decide(kind, port_offset, data_dir, context, overlays)
    if wants_swarm:
        return _swarm(port_offset or 0, data_dir, context, tuple(overlays), consent, reason)
    directory = data_dir if data_dir is not None else default_data_dir(port_offset or 0)
    offset = port_offset if port_offset is not None else (remembered_offset(directory) or 0)
    return LocalTarget(data_dir=directory, ports=_ports(offset), reason=reason)


def target_of(options: argparse.Namespace, *, consent: bool = False) -> Target:
    """Return the target that the options of a command line name.

    Args:
        options: With `target`, `port_offset`, `data_dir`, `context` and `overlays`; None where one was not given.
        consent: See `choose_target`.

    Raises:
        PreflightError: See `choose_target`.
    """
    return choose_target(
        options.target,
        port_offset=options.port_offset,
        data_dir=options.data_dir,
        context=options.context,
        overlays=options.overlays or (),
        consent=consent,
    )


def arguments_of(target: Target) -> list[str]:
    """Options of the command line with which `choose_target` gives this very target; only what differs from the default."""
    if isinstance(target, LocalTarget):
        offset = target.ports.offset
        return [
            *(["--port-offset", str(offset)] if offset else []),
            *(["--data-dir", str(target.data_dir)] if target.data_dir != default_data_dir(offset).resolve() else []),
        ]
    if target.name != "swarm":
        return []
    from stack.swarm.target import SwarmTarget  # only here, as in `_swarm`

    if not isinstance(target, SwarmTarget):
        return []
    site = target.site
    try:
        docker = site.engine.command
    except EngineUnreachableError:  # the client is gone: nothing that could be typed would lead there
        docker = ()
    return [
        *(docker[docker.index("--context") :][:2] if "--context" in docker else ["--target", "swarm"]),
        *(word for overlay in site.overlays for word in ("--overlay", overlay)),
        *(["--port-offset", str(site.ports.offset)] if site.ports.offset else []),
        *(["--data-dir", str(site.folder)] if site.folder != swarm_dir() else []),
    ]


def options(*, port_offset: int | None = None, data_dir: Path | None = None) -> list[Option]:
    """What a chooser can offer, the default first. Bounded; asks the engine of the default context only."""
    wants_swarm, reason = _decide("auto", port_offset, data_dir, None, ())
    local = Option("local", None, "This machine", "" if wants_swarm else reason, not wants_swarm)
    found = [local]
    if shutil.which("docker") is None:
        found.append(Option("swarm", None, "Docker", "There is no Docker here.", is_default=False, available=False))
    else:
        about = reason if wants_swarm else look_at_docker()[1]
        found.append(Option("swarm", None, "Docker", about, wants_swarm))
        found += [Option("swarm", name, f"Docker context {name}", "", False) for name in contexts()]
    return sorted(found, key=lambda option: not option.is_default)


def contexts() -> list[str]:
    """Names of Docker's contexts beside the one that is in use."""
    answer = _docker("context", "ls", "--format", "{{json .}}")
    if answer is None or answer.returncode != 0:
        return []
    rows = map(_object, answer.stdout.splitlines())
    return [str(row["Name"]) for row in rows if row.get("Name") and not row.get("Current")]


def swarm_dir() -> Path:
    """Where the user's files of swarm deployments are unless said otherwise."""
    return platformdirs.user_data_path("paai-monitor") / "swarm"


def _decide(
    kind: str, port_offset: int | None, data_dir: Path | None, context: str | None, overlays: Sequence[str]
) -> tuple[bool, str]:
    """Whether it is the swarm, and why."""
    if context:
        return True, f"Docker context {context} was asked for."
    if kind != "auto":
        return kind == "swarm", "Asked for."
    if overlays:
        return True, "An overlay was asked for."
    if data_dir is not None and Layout.of(data_dir).instance_file.exists():
        return False, f"A local system is in {data_dir}."
    if daemon.is_running(Layout.of(data_dir or default_data_dir(port_offset or 0))):
        return False, "It runs as plain processes of this machine already."
    return look_at_docker()


def look_at_docker() -> tuple[bool, str]:
    """Whether the Docker engine manages a swarm, and a sentence about it. At most a few seconds, also where nothing answers."""
    if shutil.which("docker") is None:
        return False, "There is no Docker here."
    where = f" ({host})" if (host := os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT")) else ""
    answer = _docker("info", "--format", "{{json .}}")
    if answer is None:
        return False, f"Docker is installed but its engine{where} did not answer within {_DOCKER_TIMEOUT_S:.0f} s."
    found = _object(answer.stdout)
    errors = found.get("ServerErrors")  # clients before 23 report them here and succeed
    if answer.returncode != 0 or errors:
        said = " ".join(map(str, errors)) if isinstance(errors, list) else ""
        return False, _why_not(answer.returncode, answer.stderr.strip() or said, where)
    swarm = found.get("Swarm")
    swarm = swarm if isinstance(swarm, dict) else {}
    state, manages = swarm.get("LocalNodeState"), swarm.get("ControlAvailable")
    if state != "active":
        return False, f"The Docker engine{where} is not in swarm mode."
    if not manages:
        return False, f"The Docker engine{where} is a worker of its swarm, and only a manager can deploy."
    return True, f"The Docker engine{where} is in swarm mode."


def _why_not(return_code: int, said: str, where: str) -> str:
    """Why the engine cannot be used, with the line to type, as the swarm target says it."""
    from stack.swarm.trouble import translate  # only here, as in `_swarm`

    error = translate("answer", return_code, said, timeout_s=_DOCKER_TIMEOUT_S)
    why = error.why.removesuffix(".")
    remedy = error.remedy.partition("; or use --target local")[0].removesuffix(".")
    return f"{error.what}{where}{f': {why}' if why else ''}.{f' {remedy}.' if remedy else ''}"


def _object(text: str) -> dict[str, Any]:
    """The JSON object that a client printed; empty where it is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _docker(*arguments: str) -> "subprocess.CompletedProcess[str] | None":
    """What the client answers; None when it does not answer in time."""
    try:
        return subprocess.run(
            tied(["docker", *arguments]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_DOCKER_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _swarm(
    offset: int, data_dir: Path | None, context: str | None, words: tuple[str, ...], consent: bool, reason: str
) -> Target:
    # Only here: what these import is needed by no local system, and takes a quarter of a second.
    from stack.swarm import compose
    from stack.swarm.docker import DockerEngine
    from stack.swarm.site import NO_OVERLAYS, Site
    from stack.swarm.store import CredentialStore, usable_keyring
    from stack.swarm.target import SwarmTarget

    folder = data_dir if data_dir is not None else swarm_dir()
    # A folder that was named keeps everything that is written, credentials too.
    store = CredentialStore(folder, ring=usable_keyring() if data_dir is None else None)
    dropped = {word.removeprefix("-") for word in words if word.startswith("-") or word == NO_OVERLAYS}
    overlays = tuple(dict.fromkeys(word for word in words if word.removeprefix("-") not in dropped))
    compose.files((*overlays, *(dropped - {NO_OVERLAYS})))  # an overlay that does not exist is said now
    site = Site(
        engine=DockerEngine(context=context),
        ports=_ports(offset),
        folder=folder,
        store=store,
        overlays=overlays,
        dropped=frozenset(dropped),
        consent=consent,
    )
    return SwarmTarget(site, reason=reason)


def _ports(offset: int) -> Ports:
    try:
        return Ports(offset)
    except ValueError as error:
        raise PreflightError("These ports cannot be used", why=f"{error}.", remedy="Choose another --port-offset.") from error
