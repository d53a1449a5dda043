"""A node that is emptied for maintenance."""

from tests.cluster.system import LiveCluster
from tests.helpers.wait import wait_until

BOUND_S = 30.0


def test_a_node_that_is_drained_loses_nothing_and_works_again(cluster: LiveCluster) -> None:
    cluster.wait_healthy()
    cluster.wait_leadership()
    place = next((p for p in cluster.places("connect") if p != 0), 2)
    with cluster.load("drain-", through=3 - place) as load:
        load.wait_for(200)
        cluster.set_availability(place, "drain")
        try:
            engine = cluster.nodes.engines[place]
            wait_until(lambda: not engine.docker("ps", "--quiet").split(), 180, "the node to be empty", interval_s=1)
            wait_until(lambda: len(cluster.places("paai")) == 3, 120, "paai elsewhere", interval_s=1)
            load.wait_for(400)
            cluster.wait_healthy("paai", "connect", "kafka-operator")
        finally:
            cluster.set_availability(place, "active")
        cluster.wait_broker_back(place)
        load.wait_for(100)
    cluster.nothing_lost(load, bound_s=BOUND_S)
    assert cluster.places("gateway") == [0, 1, 2]
