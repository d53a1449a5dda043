"""What tests of the cluster ask of it and do to it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from backend.contract import names
from stack.errors import StackError
from stack.swarm.docker import DockerEngine
from stack.swarm.target import SwarmTarget
from stack.target import Step
from tests.helpers.docker_cluster import Cluster
from tests.helpers.docker_engine import Engine
from tests.helpers.wait import wait_until
from tests.swarm.load import Load
from tests.swarm.system import LiveSwarm

BROKERS = ("broker", "broker-2", "broker-3")

#: With the services' packages.
_PYTHON = "/opt/paai/venv/bin/python"
#: A held partition: its topic and number → who leads it, who should, who has everything, who has a copy.
_TOPICS = """
import json
from confluent_kafka.admin import AdminClient
admin = AdminClient({"bootstrap.servers": "broker:29092,broker-2:29092,broker-3:29092", "log_level": 0})
found = admin.list_topics(timeout=10)
print(json.dumps({
    f"{name}-{number}": [p.leader, p.replicas[0], sorted(p.isrs), sorted(p.replicas)]
    for name, topic in found.topics.items() for number, p in topic.partitions.items()
}))
"""


class NodeEngine(DockerEngine):
    """An engine of a test's network: asked over its socket, and elsewhere all the same."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(host=engine.host)
        self._node_address = engine.address

    @property
    def is_local(self) -> bool:
        return False

    @property
    def host(self) -> str:
        return self._node_address


@dataclass(frozen=True, slots=True)
class LiveCluster(LiveSwarm):
    """The stack, up on several nodes.

    Attributes:
        nodes: Its engines; broker n is on the n-th.
        ids: Of the nodes, in the same order.
    """

    nodes: Cluster
    ids: tuple[str, ...]

    def load(self, prefix: str, *, through: int) -> Load:
        """Readings through the gateway of one node.

        Args:
            through: Index of the node.
        """
        address = self.nodes.engines[through].address
        return Load(replace(self.endpoints, paai=f"http://{address}:{self.site.ports.paai}"), prefix)

    def places(self, service: str) -> list[int]:
        """Indices of the nodes on which tasks of a service run, as the manager knows it."""
        state = self.site.engine.state(self.site.stack)
        found = state.find(service)
        assert found is not None, service
        running = [task for task in state.tasks_of(found) if task.state == "running" and task.desired == "running"]
        return sorted(self.ids.index(task.node_id) for task in running)

    def containers_at(self, place: int, service: str) -> list[str]:
        """Ids of the containers of a service that run on one node."""
        label = f"label=com.docker.swarm.service.name={self.site.full(service)}"
        return self.nodes.engines[place].docker("ps", "--quiet", "--no-trunc", "--filter", label).split()

    def partitions(self) -> dict[str, list[Any]]:
        """All partitions of all topics as brokers tell inside the overlay; empty while none answers. See `_TOPICS`."""
        for engine in self.nodes.engines:
            place = self.nodes.engines.index(engine)
            for container in self.containers_at(place, "paai"):
                done = engine.docker("exec", container, _PYTHON, "-c", _TOPICS, check=False)
                if done:
                    found: dict[str, list[Any]] = json.loads(done)
                    return found
        return {}

    def leader(self) -> int:
        """Index of the node whose broker leads the first partition of the readings."""
        number: int = self.partitions()[f"{names.TOPIC_MESSAGES}-0"][0]
        return number - 1

    def wait_leadership(self, timeout_s: float = 180.0) -> None:
        """Until every partition is on all brokers again and led by the one that should."""

        def lacking() -> list[str]:
            found = self.partitions()
            if not found:
                return ["no broker answers"]
            return [
                f"{name}: {leader}, {isr}"
                for name, (leader, preferred, isr, copies) in found.items()
                if leader != preferred or isr != copies or copies != [1, 2, 3]
            ]

        wait_until(lambda: not lacking(), timeout_s, "all partitions on all brokers, led by the preferred", interval_s=2)

    def wait_broker_back(self, place: int) -> None:
        """Until the node's broker runs, has caught up and leads again."""
        wait_until(lambda: self.places(BROKERS[place]) == [place], 180, "its broker to be back", interval_s=1)
        self.wait_leadership()

    def nothing_lost(self, load: Load, *, bound_s: float) -> None:
        """All is well again, every acknowledged reading stored once, none repeated for longer than `bound_s`."""
        assert load.longest_gap_s < bound_s
        self.wait_healthy()
        with self.database() as database:
            load.stored_exactly_once(database)

    def node_state(self, place: int) -> str:
        """ "ready" or "down"."""
        return self.nodes.manager.docker("node", "inspect", "--format", "{{.Status.State}}", self.ids[place]).strip()

    def set_availability(self, place: int, availability: str) -> None:
        """ "active" or "drain"."""
        self.nodes.manager.docker("node", "update", "--availability", availability, self.ids[place])


def run_through(target: SwarmTarget, steps: Iterable[Step]) -> None:
    """All steps; a failure with what every service says."""
    try:
        for _ in steps:
            pass
    except StackError as error:
        rows = "\n".join(f"{row.service}: {row.running} of {row.wanted}. {row.message}" for row in target.status())
        pytest.fail(f"{error}\n{rows}")
