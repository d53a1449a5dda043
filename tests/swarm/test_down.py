"""The stack by hand; `down` leaves nothing; two stacks do not touch each other."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.contract.ports import Ports
from stack import canary
from stack.swarm import compose
from stack.swarm.site import Site
from stack.swarm.target import SwarmTarget
from tests.helpers.free_ports import free_offset
from tests.helpers.wait import wait_until
from tests.swarm.conftest import target_at
from tests.swarm.system import LiveSwarm

_PROJECT = Path(__file__).parent.parent.parent


def left_of(swarm: LiveSwarm, stack: str) -> dict[str, list[str]]:
    """Everything of the stack that is on the engine, by kind."""
    label = f"label=com.docker.stack.namespace={stack}"
    found = {
        "services": swarm.docker("service", "ls", "--quiet", "--filter", label),
        "containers": swarm.docker("ps", "--all", "--quiet", "--filter", label),
        "networks": swarm.docker("network", "ls", "--quiet", "--filter", label),
        "volumes": swarm.docker("volume", "ls", "--quiet", "--filter", label),
        "secrets": swarm.docker("secret", "ls", "--quiet", "--filter", f"name={stack}_"),
    }
    return {kind: text.split() for kind, text in found.items() if text.split()}


@pytest.fixture
def by_hand(swarm: LiveSwarm) -> Iterator[SwarmTarget]:
    """Another stack's target, its credentials made; the first stack is down, since one at a time is enough for a machine."""
    for _ in swarm.target.down():
        pass
    folder = Path(tempfile.mkdtemp(prefix="paai-hand-"))
    # The plain ports where they are free, which is how people type it.
    plain = target_at(swarm.host, Ports(), folder)
    is_free = all(check.ok for check in plain.preflight() if check.name.startswith("Port"))
    # Secrets of that name belong to somebody else's deployment.
    is_free = is_free and not plain.site.engine.secrets(plain.site.stack)
    target = plain if is_free else target_at(swarm.host, Ports(free_offset()), folder)
    try:
        for _ in target.build():
            pass
        yield target
    finally:
        for _ in target.down(purge=True):
            pass
        shutil.rmtree(folder, ignore_errors=True)


def test_a_plain_docker_stack_deploy(swarm: LiveSwarm, by_hand: SwarmTarget) -> None:
    site: Site = by_hand.site
    variables = {"MONGO_IMAGE": site.mongo_image()[0]}
    if site.ports.offset:
        variables |= {"PAAI_STACK": site.stack, **compose.port_variables(site.files(), site.ports.offset)}
    command = ["docker", "stack", "deploy", "-c", "stack/stack.yml", "--resolve-image", "never", site.stack]
    done = subprocess.run(
        command, cwd=_PROJECT, env=os.environ | {"DOCKER_HOST": swarm.host} | variables, capture_output=True, text=True,
        timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    wait_until(lambda: all(row.healthy for row in by_hand.status()), 600, "all services to be healthy", interval_s=2)
    endpoints = by_hand.endpoints()
    for _ in canary.send(
        paai=endpoints.paai,
        mongo=endpoints.mongo,
        command=by_hand.site.command,
        token=endpoints.token,
        cancel=threading.Event(),
    ):
        pass
    # The first stack's data and credentials stand untouched beside it.
    first = left_of(swarm, swarm.site.stack)
    assert set(first) == {"volumes", "secrets"}
    for _ in by_hand.down(purge=True):
        pass
    assert left_of(swarm, site.stack) == {}
    assert left_of(swarm, swarm.site.stack) == first


def test_down_and_purge_leave_nothing(swarm: LiveSwarm) -> None:
    for _ in swarm.target.down():
        pass
    assert set(left_of(swarm, swarm.site.stack)) == {"volumes", "secrets"}
    for _ in swarm.target.down(purge=True):
        pass
    assert left_of(swarm, swarm.site.stack) == {}
    assert not list(swarm.site.folder.glob("credentials-*"))
