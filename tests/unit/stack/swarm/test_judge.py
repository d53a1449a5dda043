"""A service's state from its task list."""

from dataclasses import replace
from typing import Any

import pytest

from stack.swarm.judge import judge, sentence
from stack.swarm.state import Service, Task, Update
from tests.helpers.fake_engine import task

PAAI = Service("s1", "paai", 3, "paai-services:latest")


def tasks(*states: str) -> list[Task]:
    return [task(PAAI, state, slot=slot + 1) for slot, state in enumerate(states)]


def test_all_run() -> None:
    verdict = judge(PAAI, tasks("running", "running", "running"))
    assert verdict.converged
    assert (verdict.wanted, verdict.running, verdict.alive, verdict.detail, verdict.update) == (3, 3, 3, "", "")


@pytest.mark.parametrize("state", ["starting", "preparing", "pending", "new"])
def test_one_is_on_its_way(state: str) -> None:
    verdict = judge(PAAI, tasks("running", "running", state))
    assert not verdict.converged
    assert verdict.detail.startswith("2 of 3 are healthy")


def test_one_that_is_leaving_is_waited_for() -> None:
    leaving = task(PAAI, "running", slot=4, desired="shutdown")
    assert not judge(PAAI, [*tasks("running", "running", "running"), leaving]).converged


def test_a_rolling_update_counts_what_is_new() -> None:
    service = replace(PAAI, update=Update("updating", "now", "update in progress"))
    old = [task(PAAI, slot=slot, current=False) for slot in (2, 3)]
    verdict = judge(service, [task(PAAI, slot=1), *old])
    assert not verdict.converged
    assert verdict.update == "rolling update 1 of 3"
    assert verdict.alive == 3


def test_all_new_but_the_swarm_still_watches_them() -> None:
    service = replace(PAAI, update=Update("updating", "now", ""))
    assert not judge(service, tasks("running", "running", "running")).converged


@pytest.mark.parametrize(
    ("state", "said", "rolled_back", "converged"),
    [
        ("completed", "", False, True),
        ("paused", "update stopped: bad", False, False),
        ("rollback_started", "rolling back", True, False),
        ("rollback_completed", "rolled back: bad", True, True),
    ],
)
def test_the_end_of_an_update(state: str, said: str, rolled_back: bool, converged: bool) -> None:
    verdict = judge(replace(PAAI, update=Update(state, "now", "bad")), tasks("running", "running", "running"))
    assert (verdict.update, verdict.rolled_back, verdict.converged) == (said, rolled_back, converged)


def test_one_on_each_node() -> None:
    gateway = Service("s2", "gateway", None, "paai-gateway:latest")
    both = [task(gateway, slot=0, number=n, node_id=f"node-{n}") for n in (1, 2)]
    assert judge(gateway, both).wanted == 2
    assert judge(gateway, both).converged
    assert not judge(gateway, [both[0], replace(both[1], state="starting")]).converged
    assert not judge(gateway, []).converged


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"error": "No such image: paai-spark:latest", "image": "paai-spark:latest"}, "image paai-spark:latest is missing"),
        ({"error": "task: non-zero exit (3)", "exit_code": 3}, "exited with code 3."),
        ({"error": "task: non-zero exit (137)", "exit_code": 137}, "exited with code 137 (killed)."),
        ({"error": "task: non-zero exit (137): dockerexec: unhealthy container", "exit_code": 137}, "health check failed"),
        (
            {"error": "no suitable node (insufficient resources on 1 node)"},
            "no suitable node (insufficient resources on 1 node).",
        ),
        ({"error": 'invalid mount config for type "bind": bind source path does not exist: /x'}, "does not exist: /x."),
    ],
)
def test_why_a_task_does_not_run(fields: dict[str, Any], words: str) -> None:
    assert words in sentence(task(PAAI, "failed", **fields))


def test_killed_for_memory() -> None:
    assert "memory than its limit" in sentence(task(PAAI, "failed", error="task: non-zero exit (137)", exit_code=137), oom=True)
