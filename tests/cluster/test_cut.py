"""A node whose cable is pulled."""

from tests.cluster.system import LiveCluster
from tests.helpers.wait import wait_until

BOUND_S = 60.0


def test_a_node_that_is_cut_off_loses_nothing_and_comes_back(cluster: LiveCluster) -> None:
    cluster.wait_healthy()
    cluster.wait_leadership()
    # Where more is lost at once; not the node with MongoDB, of which there is one.
    place = next((p for p in cluster.places("connect") if p != 0), 1)
    other = 3 - place
    with cluster.load("cut-", through=other) as load:
        load.wait_for(200)
        with cluster.nodes.network.cut_off(cluster.nodes.network.nodes[place]):
            wait_until(lambda: cluster.node_state(place) == "down", 120, "the swarm to miss the node", interval_s=1)
            # All of paai on the others, while the broker waits for its node.
            wait_until(lambda: len([p for p in cluster.places("paai") if p != place]) == 3, 120, "paai elsewhere", interval_s=1)
            load.wait_for(400)
            cluster.wait_healthy("paai", "connect", "kafka-operator")
        wait_until(lambda: cluster.node_state(place) == "ready", 120, "the node to be back", interval_s=1)
        cluster.wait_broker_back(place)
        load.wait_for(100)
    cluster.nothing_lost(load, bound_s=BOUND_S)
    assert cluster.places("gateway") == [0, 1, 2]
    # What ran there while it was away has ended: the swarm's tasks are the only containers.
    wait_until(lambda: len(cluster.containers_at(place, "paai")) == cluster.places("paai").count(place), 60, "old paai to end")
