"""Three Docker engines, each on a machine of its own, with the shipped stack and its cluster overlay on them, once a session.

`PAAI_TEST_ENGINE=DIR` builds the images in an engine whose data stay in DIR for the next run, as the swarm's tests do.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.contract.ports import Ports
from stack.images.build import build_images
from stack.images.client import Docker
from stack.swarm.site import CLUSTER, Site
from stack.swarm.store import CredentialStore
from stack.swarm.target import SwarmTarget
from tests.cluster.system import LiveCluster, NodeEngine, run_through
from tests.helpers import docker_cluster, docker_engine
from tests.helpers.docker_cluster import Cluster

#: Each leaves the stack as it found it; the last takes everything down.
_ORDER = ("test_deploy", "test_broker", "test_cut", "test_drain", "test_down")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for item in mine:
        item.add_marker(pytest.mark.swarm)
        # Whichever comes first waits for the images and for the whole stack.
        item.add_marker(pytest.mark.timeout(1800))
    places = iter(sorted(mine, key=lambda item: _ORDER.index(item.path.stem)))
    items[:] = [next(places) if item in mine else item for item in items]


@pytest.fixture(scope="session")
def nodes() -> Iterator[Cluster]:
    """Three engines that are one swarm, with all images."""
    if os.geteuid() != 0 or shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        pytest.skip("engines in network namespaces need root and dockerd: bash stack/bootstrap.sh swarm")
    kept = os.environ.get("PAAI_TEST_ENGINE")
    folder = Path(tempfile.mkdtemp(prefix="paai-c-", dir=Path(kept).parent if kept else None))
    builder = Path(kept) if kept else folder / "images"
    try:
        # Not in swarm mode: another engine of this machine may be.
        images = docker_engine.start(builder, swarm=False)
        for _ in build_images(Docker(("docker", "-H", images.host))):
            pass
        docker_engine.stop(builder, keep_data=True)
        yield docker_cluster.start(folder, builder)
    finally:
        docker_cluster.stop(folder)
        docker_engine.stop(builder, keep_data=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(nodes: Cluster) -> Iterator[LiveCluster]:
    """The stack, up on them, with a broker on each."""
    folder = Path(tempfile.mkdtemp(prefix="paai-cluster-"))
    try:
        for number, node in enumerate(node_ids(nodes), 1):
            nodes.manager.docker("node", "update", "--label-add", f"paai.broker={number}", node)
        engine = NodeEngine(nodes.manager)
        site = Site(engine=engine, ports=Ports(), folder=folder, store=CredentialStore(folder), overlays=(CLUSTER,))
        target = SwarmTarget(site, reason="Tests.")
        run_through(target, target.up())
        yield LiveCluster(target, nodes.manager.host, 0.0, nodes, node_ids(nodes))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def node_ids(nodes: Cluster) -> tuple[str, ...]:
    """As the swarm calls them, in the engines' order."""
    return tuple(engine.docker("info", "--format", "{{.Swarm.NodeID}}").strip() for engine in nodes.engines)
