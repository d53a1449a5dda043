"""Chooses the target: where the system runs, and why there."""

import shutil
import subprocess
from pathlib import Path

import platformdirs

from backend.contract.ports import Ports
from stack.errors import PreflightError
from stack.local.instance import remembered_offset
from stack.local.target import LocalTarget
from stack.target import Target

KINDS = ("auto", "swarm", "local")
_DOCKER_TIMEOUT_S = 5.0


def choose_target(kind: str, *, port_offset: int | None = None, data_dir: Path | None = None) -> Target:
    """The target.

    Args:
        kind: One of `KINDS`.
        port_offset: None takes the one with which the data directory was last used, else 0.
        data_dir: None takes the user's own data directory, one for each offset.

    Raises:
        PreflightError: the target cannot be had here, or an argument will not do.
    """
    if kind not in KINDS:
        raise PreflightError(f"There is no target {kind!r}.", remedy=f"Targets: {', '.join(KINDS)}.")
    if kind == "swarm":
        raise PreflightError(
            "The swarm target is not part of this version.", remedy="Use --target local: the same services on this machine."
        )
    directory = data_dir if data_dir is not None else default_data_dir(port_offset or 0)
    offset = port_offset if port_offset is not None else (remembered_offset(directory) or 0)
    try:
        ports = Ports(offset)
    except ValueError as error:
        raise PreflightError("These ports cannot be used", why=f"{error}.", remedy="Choose another --port-offset.") from error
    reason = "Asked for." if kind == "local" else why_local()
    return LocalTarget(data_dir=directory, ports=ports, reason=reason)


def default_data_dir(port_offset: int) -> Path:
    """Where the user's system lies unless said otherwise."""
    base = platformdirs.user_data_path("paai-monitor")
    return base / (f"local-{port_offset}" if port_offset else "local")


def why_local() -> str:
    """Why "auto" means this machine, for people."""
    if shutil.which("docker") is None:
        return "There is no Docker here."
    try:
        answer = subprocess.run(
            ["docker", "info", "--format", "{{.Swarm.LocalNodeState}}"],
            capture_output=True,
            text=True,
            timeout=_DOCKER_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "Docker is installed but does not answer."
    if answer.returncode != 0:
        return "Docker is installed but its engine cannot be reached."
    if answer.stdout.strip() == "active":
        return "The Docker engine is in swarm mode, which this version does not use yet."
    return "The Docker engine is not in swarm mode."
