"""A real engine: each client deploys the cluster's overlay, and nothing takes it apart because the overlay was not named."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backend.contract.ports import Ports
from stack.errors import ConsentError, PreflightError
from stack.swarm import overlays, secrets, up
from stack.swarm.docker import DockerEngine
from stack.swarm.down import Down
from stack.swarm.site import BROKER_LABEL, CLUSTER, Site
from stack.swarm.store import CredentialStore
from stack.swarm.target import SwarmTarget
from tests.helpers.free_ports import free_offset
from tests.unit.stack.compose.test_clients import clients


@pytest.fixture(params=clients(), ids=str)
def site(request: pytest.FixtureRequest, engine_host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The cluster's services as this client hands them to the engine. Nothing waits until they run: two nodes are missing."""
    monkeypatch.setenv("PATH", f"{request.param.parent}{os.pathsep}{os.environ['PATH']}")
    engine = DockerEngine(host=engine_host)
    found = Site(
        engine=engine, ports=Ports(free_offset()), folder=tmp_path, store=CredentialStore(tmp_path), overlays=(CLUSTER,)
    )
    node = next(node.id for node in engine.nodes() if node.is_self)
    label = ["docker", "-H", engine_host, "node", "update", node]
    subprocess.run([*label, "--label-add", f"{BROKER_LABEL}=1"], capture_output=True, timeout=60, check=True)
    try:
        credentials = secrets.provision(engine, found.stack, found.credentials())
        found.store.save(found.keys(engine.info()), credentials)
        list(secrets.create(engine, found.stack, credentials, secrets.missing(engine, found.stack, credentials)))
        up.deploy(found, credentials, engine.state(found.stack))
        yield found
    finally:
        for _ in Down(found, purge=True).run():
            pass
        subprocess.run([*label, "--label-rm", BROKER_LABEL], capture_output=True, timeout=60, check=False)


def test_nothing_is_taken_apart_unasked(site: Site) -> None:
    before = site.engine.state(site.stack)
    volumes = {service.name: service.volumes for service in before.services}
    assert [volumes[name] for name in ("broker", "broker-2", "broker-3")] == [(f"{site.stack}_kafka-{n}",) for n in (1, 2, 3)]
    bare = replace(site, overlays=())
    for asked in (bare, replace(bare, consent=True), replace(bare, overlays=("consoles",))):
        with pytest.raises(PreflightError, match=r"was deployed with --overlay cluster.*broker-2, broker-3 and volumes"):
            overlays.guard(asked, before)
    with pytest.raises(PreflightError, match="was deployed with --overlay cluster"):
        list(SwarmTarget(bare).rotate("token"))
    with pytest.raises(ConsentError, match="Add --yes"):
        overlays.guard(replace(bare, dropped=frozenset({CLUSTER})), before)
    overlays.guard(replace(bare, dropped=frozenset({CLUSTER}), consent=True), before)
    overlays.guard(site, before)
    assert {service.name: service.volumes for service in site.engine.state(site.stack).services} == volumes
