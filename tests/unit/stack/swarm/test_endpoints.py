"""Where clients find the services: on the node that runs them, where that is another than the engine's own."""

from dataclasses import replace

from stack.errors import EngineTimeoutError
from stack.swarm.site import Site
from stack.swarm.state import Node, Service, Task
from stack.swarm.target import SwarmTarget
from tests.helpers.fake_engine import FakeEngine, task


def on(node: str) -> object:
    """An outcome: the one task runs there; one that ran elsewhere before has ended."""

    def outcome(service: Service) -> list[Task]:
        return [
            replace(task(service, number=1), node_id=node),
            replace(task(service, "shutdown"), node_id="node-9"),
        ]

    return outcome


def test_on_one_node_all_are_at_the_engine(deployed: Site) -> None:
    found = SwarmTarget(deployed).endpoints()
    assert (found.generator, found.predictor) == ("http://127.0.0.1:11000", "http://127.0.0.1:12001")
    assert found.admin_token
    assert found.admin_token != found.token
    assert found.admin_token not in repr(found)


def test_what_runs_on_another_node_is_found_there(deployed: Site, engine: FakeEngine) -> None:
    engine.node_list.append(Node("node-2", "second", "10.0.0.2", True))
    for name in ("mongodb", "generator", "predictor", "pages"):
        engine.outcomes[name] = on("node-2")  # type: ignore[assignment]
    found = SwarmTarget(deployed).endpoints()
    assert found.generator == "http://10.0.0.2:11000"
    assert found.predictor == "http://10.0.0.2:12001"
    assert "@10.0.0.2:31017/" in found.mongo
    assert (found.connect, found.spark_ui) == ("http://10.0.0.2:12083", "http://10.0.0.2:12080")
    # The gateway is on every node, the engine's own among them.
    assert found.paai == "http://127.0.0.1:12000"


def test_what_does_not_run_or_cannot_be_asked_for_is_at_the_engine(deployed: Site, engine: FakeEngine) -> None:
    engine.node_list.append(Node("node-2", "second", "10.0.0.2", True))
    engine.outcomes["predictor"] = lambda service: [replace(task(service, "failed"), node_id="node-2")]
    assert SwarmTarget(deployed).endpoints().predictor == "http://127.0.0.1:12001"
    engine.outcomes["predictor"] = on("node-2")  # type: ignore[assignment]
    engine.failing["state"] = EngineTimeoutError("Docker did not answer")
    assert SwarmTarget(deployed).endpoints().predictor == "http://127.0.0.1:12001"
