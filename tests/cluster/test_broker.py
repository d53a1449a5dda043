"""Brokers that are killed, one after the other."""

import pytest

from tests.cluster.system import BROKERS, LiveCluster
from tests.helpers.wait import wait_until

#: How long a reading may have to be repeated while a partition has no leader: see docs/operations.md.
BOUND_S = 30.0


@pytest.mark.parametrize("place", [2, 1, 0], ids=["third", "second", "first"])
def test_a_killed_broker_loses_nothing_and_leads_again(cluster: LiveCluster, place: int) -> None:
    cluster.wait_healthy()
    cluster.wait_leadership()
    with cluster.load(f"kill-{place}-", through=(place + 1) % 3) as load:
        load.wait_for(200)
        victim = cluster.containers_at(place, BROKERS[place])[0]
        cluster.nodes.engines[place].docker("kill", "--signal", "KILL", victim)
        load.wait_for(400)
        wait_until(
            lambda: (found := cluster.containers_at(place, BROKERS[place])) and victim not in found, 120, "a new broker",
            interval_s=1,
        )  # fmt: skip
        cluster.wait_broker_back(place)
        load.wait_for(100)
    cluster.nothing_lost(load, bound_s=BOUND_S)
