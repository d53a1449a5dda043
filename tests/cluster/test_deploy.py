"""The stack on three nodes: everything where it belongs, every record three times, every node a door to it."""

from dataclasses import replace

import httpx
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from backend.contract import names
from stack.errors import PreflightError
from stack.swarm import compose
from stack.swarm.target import SwarmTarget
from tests.cluster.system import BROKERS, LiveCluster


def test_every_service_is_healthy(cluster: LiveCluster) -> None:
    rows = cluster.rows()
    assert {name: row.message for name, row in rows.items() if not row.healthy} == {}
    assert set(rows) == set(compose.read(cluster.site.files(), cluster.site.variables(cluster.site.credentials())).images)


def test_without_the_overlay_it_is_not_taken_apart(cluster: LiveCluster) -> None:
    def services() -> dict[str, tuple[str, ...]]:
        return {service.name: service.volumes for service in cluster.site.engine.state(cluster.site.stack).services}

    before = services()
    assert before["broker"] == (f"{cluster.site.stack}_kafka-1",)
    for words in ((), ("consoles",)):
        target = SwarmTarget(replace(cluster.site, overlays=words))
        for steps in (target.up(), target.rotate("token")):
            with pytest.raises(PreflightError, match=r"was deployed with --overlay cluster.*broker-2, broker-3 and volumes"):
                list(steps)
    assert services() == before


def test_what_keeps_no_state_is_spread(cluster: LiveCluster) -> None:
    assert [cluster.places(name) for name in BROKERS] == [[0], [1], [2]]
    assert cluster.places("zookeeper") == []
    assert cluster.places("gateway") == [0, 1, 2]
    assert cluster.places("paai") == [0, 1, 2]
    # Executors and driver share a volume, which is one node's.
    assert cluster.places("spark-worker") == [0, 0]
    assert cluster.places("mongodb") == [0]


def test_every_record_is_kept_three_times(cluster: LiveCluster) -> None:
    cluster.wait_leadership()
    found = cluster.partitions()
    topics = {name.rpartition("-")[0] for name in found}
    assert topics >= {
        names.TOPIC_MESSAGES,
        names.TOPIC_DEAD_LETTERS,
        "__consumer_offsets",
        "connect-offsets",
        "connect-configs",
    }
    # Spread, so that none of the three does all the work.
    assert {leader for name, (leader, *_) in found.items() if name.startswith(names.TOPIC_MESSAGES)} == {1, 2, 3}


def test_every_node_is_a_door(cluster: LiveCluster) -> None:
    for engine in cluster.nodes.engines:
        url = f"http://{engine.address}:{cluster.site.ports.paai}"
        assert httpx.get(f"{url}/healthz", timeout=30, trust_env=False).status_code == 200, url
        assert httpx.get(f"{url}/api/v1/devices", timeout=30, trust_env=False).status_code == 401, url


def test_kafka_wants_a_login_on_every_node(cluster: LiveCluster) -> None:
    addresses = cluster.endpoints.kafka.split(",")
    assert [address.rpartition(":")[0] for address in addresses] == [engine.address for engine in cluster.nodes.engines]
    login: dict[str, str | int] = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": cluster.endpoints.kafka_user or "",
        "log_level": 0,
        "socket.timeout.ms": 10_000,
    }
    for address in addresses:
        right = AdminClient({"bootstrap.servers": address, **login, "sasl.password": cluster.endpoints.kafka_password or ""})
        found = right.list_topics(timeout=20)
        # It was told of the others by addresses that lead to them.
        assert sorted(f"{broker.host}:{broker.port}" for broker in found.brokers.values()) == sorted(addresses)
        wrong = AdminClient({"bootstrap.servers": address, **login, "sasl.password": "wrong"})
        with pytest.raises(KafkaException):
            wrong.list_topics(timeout=5)
