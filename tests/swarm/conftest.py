"""A Docker engine of the tests' own with the shipped stack on it, once a session. It is taken down by the last tests.

`PAAI_TEST_ENGINE=DIR` keeps the engine's data in DIR for the next run; `PAAI_TEST_DOCKER_HOST=unix://…` takes an engine that is
there already.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.contract.ports import Ports
from stack.errors import StackError
from stack.swarm.docker import DockerEngine
from stack.swarm.site import Site
from stack.swarm.store import CredentialStore
from stack.swarm.target import SwarmTarget
from tests.helpers import docker_engine
from tests.helpers.free_ports import free_offset
from tests.swarm.system import LiveSwarm

#: Those that leave the stack as they found it first, those that end it last.
_ORDER = (
    "test_overlays", "test_deploy", "test_rights", "test_pipeline", "test_prediction", "test_secrets", "test_scale_update",
    "test_rotate",
    "test_resilience", "test_interrupted", "test_desktop", "test_down",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for item in mine:
        item.add_marker(pytest.mark.swarm)
        if item.get_closest_marker("timeout") is None:
            # Whichever comes first waits for the images and for the whole stack.
            item.add_marker(pytest.mark.timeout(2400))
    places = iter(sorted(mine, key=lambda item: _ORDER.index(item.path.stem)))
    items[:] = [next(places) if item in mine else item for item in items]


@pytest.fixture(scope="session")
def engine_host() -> Iterator[str]:
    """What DOCKER_HOST must say for the tests' engine, a manager of a swarm of one."""
    if host := os.environ.get("PAAI_TEST_DOCKER_HOST"):
        yield host
        return
    if os.geteuid() != 0 or shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        pytest.skip("a Docker engine of its own needs root and dockerd: bash stack/bootstrap.sh swarm")
    kept = os.environ.get("PAAI_TEST_ENGINE")
    folder = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="paai-e-"))
    try:
        yield _started(folder)
    finally:
        docker_engine.stop(folder, keep_data=kept is not None)
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path) -> str:
    try:
        return docker_engine.start(folder).host
    except AssertionError as error:
        if os.environ.get("ALLOW_SKIP"):
            pytest.skip(f"no Docker engine can be started here: {error}")
        raise


@pytest.fixture(scope="session")
def built(engine_host: str) -> Iterator[LiveSwarm]:
    """The stack, built, and once up, on shifted ports."""
    folder = Path(tempfile.mkdtemp(prefix="paai-swarm-"))
    target = target_at(engine_host, Ports(free_offset()), folder)
    try:
        _run_through(target, "build")
        began = time.monotonic()
        _run_through(target, "up")
        yield LiveSwarm(target, engine_host, time.monotonic() - began)
    finally:
        for _ in target.down(purge=True):
            pass
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def swarm(built: LiveSwarm, request: pytest.FixtureRequest) -> LiveSwarm:
    """The stack, up: an earlier test may have taken it down."""
    if not built.target.is_up() and request.node.path.stem != "test_down":
        _run_through(built.target, "up")
    return built


def target_at(host: str, ports: Ports, folder: Path) -> SwarmTarget:
    """A target on that engine."""
    engine = DockerEngine(host=host)
    return SwarmTarget(Site(engine=engine, ports=ports, folder=folder, store=CredentialStore(folder)), reason="Tests.")


def _run_through(target: SwarmTarget, doing: str) -> None:
    try:
        for _ in target.build() if doing == "build" else target.up():
            pass
    except StackError as error:
        rows = "\n".join(f"{row.service}: {row.running} of {row.wanted}. {row.message}" for row in target.status())
        pytest.fail(f"{doing} failed: {error}\n{rows}")
