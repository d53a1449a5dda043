"""A container that is killed comes back, and nothing that was acknowledged is lost."""

import pytest

from tests.swarm.load import Load
from tests.swarm.system import LiveSwarm


@pytest.mark.parametrize("service", ["paai", "connect", "spark-worker", "mongodb", "broker"])
def test_a_killed_container_comes_back(swarm: LiveSwarm, service: str) -> None:
    swarm.wait_healthy()
    with Load(swarm.endpoints, f"kill-{service}-", interval_s=0.3) as load:
        load.wait_for(100)
        victim = swarm.kill(service)
        swarm.wait_replaced(service, victim)
        load.wait_for(200)
    assert "given up" not in load.failures
    with swarm.database() as database:
        load.stored_exactly_once(database)
    # Whatever leans on it is well again too, by itself.
    swarm.wait_healthy()
    assert any(entry.state == "failed" for entry in swarm.target.history(service))
