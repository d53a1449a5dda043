"""Checks before a deployment, each with its remedy."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stack.errors import EngineUnreachableError
from stack.swarm import preflight
from stack.swarm.site import Site
from stack.swarm.state import Node
from stack.swarm.target import SwarmTarget
from stack.target import Check, StepState
from tests.helpers.fake_engine import FakeEngine


def failed(site: Site) -> list[Check]:
    return [check for check in preflight.run_checks(site) if not check.ok]


def test_all_is_well(site: Site) -> None:
    checks = preflight.run_checks(site)
    assert [check.name for check in checks] == [
        "Docker", "Swarm mode", "Overlays", "Memory", "Disk", "Clock", "Images", "Ports",
    ]  # fmt: skip
    assert all(check.ok for check in checks)


def test_no_engine_is_the_only_finding(site: Site, engine: FakeEngine) -> None:
    engine.failing["info"] = EngineUnreachableError("Docker's engine cannot be reached", why="refused.", remedy="Start it.")
    assert preflight.run_checks(site) == [Check("Docker", False, "Docker's engine cannot be reached: refused", "Start it.")]


@pytest.mark.parametrize(
    ("state", "manager", "detail", "remedy", "action"),
    [
        ("inactive", False, "Off", "docker swarm init", "swarm-init"),
        ("active", False, "worker", "docker node promote", None),
        ("locked", True, "locked", "docker swarm unlock", None),
        ("error", False, "raft", "docker info", None),
    ],
)
def test_swarm_mode(
    site: Site, engine: FakeEngine, state: str, manager: bool, detail: str, remedy: str, action: str | None
) -> None:
    engine.the_info = replace(engine.the_info, swarm=state, is_manager=manager, swarm_error="raft is lost")
    (check,) = failed(site)
    assert check.name == "Swarm mode"
    assert detail in check.detail
    assert remedy in check.remedy
    assert (check.action.key if check.action else None) == action


def test_swarm_mode_is_switched_on_at_a_click(site: Site, engine: FakeEngine) -> None:
    engine.the_info = replace(engine.the_info, swarm="inactive", is_manager=False)
    assert list(SwarmTarget(site).fix("swarm-init"))[-1].state is StepState.DONE
    assert "swarm_init 127.0.0.1" in engine.calls
    assert not failed(site)


def test_images_that_are_missing_are_named(site: Site, engine: FakeEngine) -> None:
    del engine.images["paai-spark:latest"], engine.images["paai-mongo-lite:latest"]
    (check,) = failed(site)
    assert check.detail == "Not built or pulled yet: mongo:8.0, paai-spark:latest"
    assert check.action is not None
    assert check.action.key == "build"
    assert "python -m stack build" in check.remedy


def test_images_that_are_older_than_the_sources_are_said_and_no_obstacle(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "outdated", lambda docker, images: ("services", "mongo-express-lite"))
    (check,) = [check for check in preflight.run_checks(site) if check.name == "Images"]
    assert check.ok
    assert check.detail.endswith("`python -m stack build --port-offset 4000` renews them: services")


def test_a_clock_that_differs(site: Site, engine: FakeEngine) -> None:
    engine.the_info = replace(engine.the_info, system_time=datetime.now(UTC) + timedelta(seconds=90))
    (check,) = failed(site)
    assert check.name == "Clock"
    assert "ahead of this machine's" in check.detail
    assert "NTP" in check.remedy


def test_too_little_memory(site: Site, engine: FakeEngine) -> None:
    engine.the_info = replace(engine.the_info, memory_bytes=2 * 1024**3)
    (check,) = failed(site)
    assert (check.name, check.remedy) == ("Memory", "Use a machine with 6 GiB.")


def test_a_port_that_another_stack_publishes(site: Site, engine: FakeEngine) -> None:
    engine.others = {12000: "shop_web"}
    (check,) = failed(site)
    assert check.name == "Port 12000"
    assert check.detail == "gateway needs it; service shop_web of this swarm holds it"
    assert "--port-offset" in check.remedy


def test_a_port_that_a_process_holds(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "port_is_free", lambda port, host: port != 13092)
    monkeypatch.setattr(preflight, "port_holders", lambda ports: {13092: None})
    (check,) = failed(site)
    assert check.detail == "broker needs it; a process of another user holds it"


def test_ones_own_ports_are_no_obstacle(deployed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "port_is_free", lambda port, host: False)
    assert not failed(deployed)


def test_a_cluster_wants_a_node_for_each_broker(site: Site, engine: FakeEngine) -> None:
    cluster = replace(site, overlays=("cluster",))
    engine.node_list = [replace(engine.node_list[0], labels={"paai.broker": "1"}), Node("n2", "two", "10.0.0.2", True)]
    (check,) = failed(cluster)
    assert check.detail == "No node is labelled for broker 2, 3"
    assert "docker node update --label-add paai.broker=NUMBER NODE" in check.remedy
    engine.node_list = [
        replace(node, labels={"paai.broker": str(number)})
        for number, node in enumerate([engine.node_list[0], engine.node_list[1], Node("n3", "three", "10.0.0.3", True)], 1)
    ]
    assert not failed(cluster)
    variables = cluster.variables(cluster.credentials())
    assert (variables["PAAI_BROKER_1_HOST"], variables["PAAI_BROKER_3_HOST"]) == ("127.0.0.1", "10.0.0.3")
    # A volume is one node's: what keeps state is not placed on whichever manager there is.
    assert variables["PAAI_DATA_CONSTRAINT"] == "node.labels.paai.broker == 1"
    assert SwarmTarget(cluster).endpoints().kafka == "127.0.0.1:13092,10.0.0.2:13192,10.0.0.3:13292"
