"""Rows of `status`, history, logs, endpoints, plan."""

from dataclasses import replace

import pytest

from stack.catalogue import services_of
from stack.errors import EngineUnreachableError, NotRunningError, UnknownServiceError
from stack.swarm import logs
from stack.swarm.site import Site
from stack.swarm.state import Service, Task, Update
from stack.swarm.target import SwarmTarget
from stack.target import ServiceStatus
from tests.helpers.fake_engine import FakeEngine, task


def rows(site: Site) -> dict[str, ServiceStatus]:
    return {row.service: row for row in SwarmTarget(site).status()}


def test_nothing_runs(site: Site) -> None:
    found = SwarmTarget(site).status()
    assert [row.service for row in found] == [service.name for service in services_of("swarm")]
    assert {(row.running, row.healthy, row.message, row.stopped) for row in found} == {(0, False, "Stopped.", True)}
    assert not SwarmTarget(site).is_up()


def test_all_runs(deployed: Site) -> None:
    found = rows(deployed)
    assert all(row.healthy and not row.message for row in found.values())
    assert (found["paai"].wanted, found["paai"].running, found["paai"].memory_bytes) == (3, 3, 3 * 1024**2)
    assert found["paai"].links == (("API", "http://127.0.0.1:12000/docs"),)
    assert {name for name, row in found.items() if row.scalable} == {"paai", "spark-worker"}
    assert SwarmTarget(deployed).is_up()


def test_a_row_shows_the_tasks_real_error(deployed: Site, engine: FakeEngine) -> None:
    words = "no suitable node (scheduling constraints not satisfied on 1 node)"
    engine.outcomes["mongodb"] = lambda s: [task(s, "pending", error=words)]
    engine.outcomes["connect"] = lambda s: [
        task(s, "starting", number=2),
        task(s, "failed", number=1, error="task: non-zero exit (3)", exit_code=3),
    ]
    found = rows(deployed)
    assert found["mongodb"].message == f"MongoDB: {words}."
    assert found["connect"].message == "Kafka Connect exited with code 3."
    assert (found["connect"].running, found["connect"].restarts, found["connect"].healthy) == (1, 1, False)


def test_a_job_whose_checkpoint_cannot_be_used_names_the_command_once(deployed: Site, engine: FakeEngine) -> None:
    engine.outcomes["spark-job"] = lambda s: [
        task(s, "starting", number=2),
        task(s, "failed", number=1, error="task: non-zero exit (78)", exit_code=78),
    ]
    assert rows(deployed)["spark-job"].message.count(deployed.command("reset spark-job")) == 1


def test_an_update_is_seen_while_the_service_stays_healthy(deployed: Site, engine: FakeEngine) -> None:
    def updating(service: Service) -> list[Task]:
        return [task(service, slot=1, number=9), *(task(service, slot=slot, current=False) for slot in (2, 3))]

    def set_update(state: str) -> None:
        engine.services[deployed.stack] = [
            replace(s, update=Update(state, "now", "task failed")) if s.name == "paai" else s
            for s in engine.services[deployed.stack]
        ]

    engine.outcomes["paai"] = updating
    set_update("updating")
    paai = rows(deployed)["paai"]
    assert (paai.update, paai.healthy, paai.rolled_back) == ("rolling update 1 of 3", True, False)
    del engine.outcomes["paai"]
    set_update("rollback_completed")
    paai = rows(deployed)["paai"]
    assert (paai.update, paai.healthy, paai.rolled_back) == ("rolled back: task failed", True, True)


def test_history_is_newest_first(deployed: Site, engine: FakeEngine) -> None:
    engine.outcomes["connect"] = lambda s: [
        task(s, "failed", number=1, error="task: non-zero exit (3)", exit_code=3),
        task(s, number=2),
    ]
    found = SwarmTarget(deployed).history("connect")
    assert [(entry.state, entry.message, entry.node) for entry in found] == [
        ("running", "", "box"),
        ("failed", "Kafka Connect exited with code 3.", "box"),
    ]
    with pytest.raises(UnknownServiceError):
        SwarmTarget(deployed).history("moon")


def test_logs_of_all_replicas_in_the_order_of_their_times(deployed: Site, engine: FakeEngine) -> None:
    engine.log_lines["paai-4000_paai"] = [
        "2026-11-24T05:30:02.000000000Z paai-4000_paai.2.abc@box    | second",
        "2026-11-24T05:30:01.000000000Z paai-4000_paai.1.def@box    | first",
        "2026-11-24T05:30:03.000000000Z paai-4000_paai.3.ghi@box    | ",
    ]
    found = list(SwarmTarget(deployed).logs("paai", lines=2))
    assert [(line.replica, line.text) for line in found] == [(0, "first"), (1, "second")] or len(found) == 2
    found = list(SwarmTarget(deployed).logs("paai"))
    assert [(line.replica, line.text) for line in found] == [(0, "first"), (1, "second"), (2, "")]


def test_a_service_that_does_not_run_names_the_command_that_starts_it(deployed: Site, engine: FakeEngine) -> None:
    engine.failing["logs"] = NotRunningError("The service does not run, so it has no log")
    with pytest.raises(NotRunningError, match="up --port-offset 4000"):
        list(SwarmTarget(deployed).logs("paai"))


def test_a_line_of_a_service_with_one_replica_a_node() -> None:
    text = "2026-11-24T05:30:02.1Z paai_gateway.0.abc@box    | a | b"
    ((_, line),) = logs.parsed([text], "gateway")
    assert (line.replica, line.text) == (0, "a | b")


def test_endpoints_carry_the_logins(deployed: Site, engine: FakeEngine) -> None:
    found = SwarmTarget(deployed).endpoints()
    assert found.paai == "http://127.0.0.1:12000"
    assert found.mongo.startswith("mongodb://desktop-1:")
    assert "authSource=admin" in found.mongo
    assert found.token == engine.kept["paai-4000_token_v1"][0]
    assert (found.kafka_user, found.web_user) == ("client-1", "paai")
    engine.host = "fd00::7"
    assert SwarmTarget(deployed).endpoints().generator == "http://[fd00::7]:11000"


def test_endpoints_without_an_engine_are_addresses_only(site: Site, engine: FakeEngine) -> None:
    engine.failing["info"] = EngineUnreachableError("Docker's engine cannot be reached")
    found = SwarmTarget(site).endpoints()
    assert found.mongo == "mongodb://127.0.0.1:31017/?directConnection=true"
    assert found.token is None


def test_the_plan_says_what_stands_in_for_mongodb(site: Site, engine: FakeEngine) -> None:
    plan = SwarmTarget(site, reason="The Docker engine is in swarm mode.").plan()
    by_name = {item.service: item for item in plan.items}
    assert (plan.target, plan.where, plan.reason) == ("swarm", "Docker in memory", "The Docker engine is in swarm mode.")
    assert by_name["mongodb"].how == "paai-mongo-lite:latest"
    assert "SecantusDB stands in" in by_name["mongodb"].why
    assert (by_name["paai"].how, by_name["gateway"].how, by_name["gateway"].port) == ("3 replicas", "one on each node", 12000)
    engine.pullable = True
    engine.pull("mongo:8.0", timeout_s=1)
    by_name = {item.service: item for item in SwarmTarget(site).plan().items}
    assert (by_name["mongodb"].how, by_name["mongodb"].why) == ("mongo:8.0", "")


def waiting(service: Service) -> list[Task]:
    return [task(service, container_id="c1")]


def test_a_healthy_service_shows_what_its_health_check_prints(deployed: Site, engine: FakeEngine) -> None:
    engine.outcomes["spark-predict"] = waiting
    engine.printed["c1"] = "No model promoted"
    row = rows(deployed)["spark-predict"]
    assert (row.healthy, row.message, row.note) == (True, "", "No model promoted")
    engine.printed.clear()  # on another node
    assert rows(deployed)["spark-predict"].note == ""
