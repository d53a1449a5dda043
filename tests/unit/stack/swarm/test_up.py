"""`up`: what is deployed, what it waits for, and why it fails, in words."""

import threading
from dataclasses import replace

import pytest
import yaml

from stack.catalogue import BY_NAME
from stack.errors import CancelledError, PreflightError, SecretsError, StepFailedError, WaitTimeoutError
from stack.swarm import judge, up
from stack.swarm.site import Site
from stack.swarm.state import Service, Task, Update
from stack.swarm.target import SwarmTarget
from stack.target import Check, Step, StepState
from tests.helpers.fake_engine import FakeEngine, task


def run(site: Site, cancel: threading.Event | None = None) -> list[Step]:
    return list(up.Up(site, preflight=list[Check], cancel=cancel).run())


def fails(site: Site, kind: type[StepFailedError] = StepFailedError) -> tuple[StepFailedError, list[Step]]:
    steps: list[Step] = []
    with pytest.raises(kind) as caught:
        steps.extend(up.Up(site, preflight=list[Check], cancel=None).run())
    return caught.value, steps


def test_every_service_is_a_step_and_all_end_well(site: Site, engine: FakeEngine) -> None:
    steps = run(site)
    last = {step.key: step for step in steps}
    assert list(last)[:3] == ["prepare", "secrets", "deploy"]
    assert list(last)[-1] == "canary"
    assert {"zookeeper", "paai", "gateway", "pages"} <= set(last)
    assert {step.state for step in last.values()} == {StepState.DONE}
    assert last["paai"].detail == "3 replicas are healthy."
    assert sorted(engine.kept) == sorted(
        f"paai-4000_{name}_v1"
        for name in ("token", "admin_token", "model_key", "mongo_keyfile", "mongo_root", "mongo_sink", "mongo_spark",
                     "mongo_paai", "mongo_predictor", "mongo_desktop", "kafka_client", "web_login")
    )  # fmt: skip


def test_what_is_deployed_is_the_shipped_file_with_exact_images_on_top(site: Site, engine: FakeEngine) -> None:
    run(site)
    texts, variables = engine.deployed[0]
    assert texts[0] == site.files()[0].read_text("utf-8")
    generated = yaml.safe_load(texts[-1])
    assert generated["services"]["paai"] == {"image": "sha256:paai-services:latest"}
    assert variables["PAAI_STACK"] == "paai-4000"
    assert variables["PAAI_PORT_PAAI"] == "12000"
    assert variables["PAAI_TOKEN_VERSION"] == "1"
    assert variables["MONGO_IMAGE"] == "paai-mongo-lite:latest"
    secret_values = [value for value, _ in engine.kept.values()]
    assert not any(value in text for value in secret_values for text in [*texts, *variables.values()])


def test_an_image_of_a_registry_is_named_by_its_digest_there(site: Site, engine: FakeEngine) -> None:
    engine.pullable = True
    engine.pull("mongo:8.0", timeout_s=1)
    run(site)
    assert yaml.safe_load(engine.deployed[0][0][-1])["services"]["mongodb"]["image"] == "mongo@sha256:1"


def test_again_keeps_replicas_and_makes_no_secret_anew(deployed: Site, engine: FakeEngine) -> None:
    kept = dict(engine.kept)
    list(SwarmTarget(deployed).scale("paai", 5))
    run(deployed)
    assert yaml.safe_load(engine.deployed[-1][0][-1])["services"]["paai"]["deploy"] == {"replicas": 5}
    assert engine.kept == kept


def test_a_failed_check_stops_before_anything_is_deployed(site: Site, engine: FakeEngine) -> None:
    checks = [Check("Images", False, "Not built or pulled yet: paai-kafka:latest", "Type: python -m stack build")]
    steps: list[Step] = []
    with pytest.raises(PreflightError, match=r"paai-kafka:latest.*python -m stack build"):
        steps.extend(up.Up(site, preflight=lambda: checks, cancel=None).run())
    assert not engine.deployed
    assert not engine.kept


def crashing(service: Service, *, error: str, number: int = 6) -> list[Task]:
    failed = [task(service, "failed", number=n, error=error, container_id=f"c{n}", exit_code=1) for n in range(number, 0, -1)]
    return [task(service, "starting", number=number + 1), *failed]


@pytest.fixture(autouse=True)
def from_the_beginning(engine: FakeEngine) -> None:
    """The engine's clock stands where the tests' tasks begin."""
    from tests.helpers.fake_engine import START

    engine.the_info = replace(engine.the_info, system_time=START)


def test_a_service_that_crashes_is_given_up_with_its_last_lines(site: Site, engine: FakeEngine) -> None:
    engine.outcomes["connect"] = lambda s: crashing(s, error="task: non-zero exit (1)")
    newest = "paai-4000-connect-1-6"
    engine.log_lines[newest] = ["2026-11-24T05:30:09.1Z paai-4000_connect.1.xyz@box    | ERROR no topic connect-configs"]
    error, steps = fails(site)
    assert error.service == "connect"
    assert "exited with code 1" in str(error)
    assert "ERROR no topic connect-configs" in str(error)
    assert "python -m stack logs connect" in error.remedy
    assert steps[-1].key == "connect"
    assert steps[-1].state is StepState.FAILED


def test_an_image_that_is_missing_on_the_node_is_said_at_once(site: Site, engine: FakeEngine) -> None:
    engine.outcomes["broker"] = lambda s: [
        task(s, "rejected", number=1, error="No such image: paai-kafka:latest", image="paai-kafka:latest")
    ]
    error, _ = fails(site)
    assert "The image paai-kafka:latest is not on its node." in error.why
    assert "docker save" in error.remedy


def test_a_service_that_is_killed_for_memory_says_so(site: Site, engine: FakeEngine) -> None:
    engine.outcomes["spark-job"] = lambda s: [
        task(s, "failed", number=n, error="task: non-zero exit (137)", exit_code=137, container_id=f"c{n}") for n in (2, 1)
    ]
    engine.oom = {"c1", "c2"}
    error, _ = fails(site)
    assert "used more memory than its limit allows" in error.why


def test_what_finds_no_place_fails_with_the_schedulers_words(
    site: Site, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "PENDING_GRACE_S", 0.05)
    words = "no suitable node (host-mode port already in use on 1 node)"
    engine.outcomes["gateway"] = lambda s: [task(s, "pending", error=words)]
    error, _ = fails(site)
    assert words in error.why
    assert "--port-offset" in error.remedy


def test_a_rollback_is_a_failure_even_though_the_former_version_serves(deployed: Site, engine: FakeEngine) -> None:
    words = "update rolled back due to failure or early termination of task abc"
    engine.updates["paai"] = Update("rollback_completed", "now", words)
    error, _ = fails(deployed)
    assert error.service == "paai"
    assert f"rolled back ({words})" in error.why
    assert "The former version serves on." in error.why


def test_an_older_rollback_is_no_news(deployed: Site, engine: FakeEngine) -> None:
    engine.updates["paai"] = Update("rollback_completed", "long ago", "it was bad")
    fails(deployed)
    assert run(deployed)[-1].state is StepState.DONE


def test_old_tasks_that_still_run_are_no_success(site: Site, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right after a deployment the tasks of before run on, and nothing says yet that an update will come."""
    engine.outcomes["generator"] = lambda s: [task(s, current=False)]
    monkeypatch.setitem(BY_NAME, "generator", replace(BY_NAME["generator"], start_timeout_s=0.05, after=()))
    error, _ = fails(site, WaitTimeoutError)
    assert error.service == "generator"


def test_a_service_that_falls_ill_again_is_waited_for(site: Site, engine: FakeEngine) -> None:
    looks = iter(range(1000))

    def broker(service: Service) -> list[Task]:
        look = next(looks)
        return [task(service, "running" if look == 0 or look > 4 else "starting", number=look)]

    def paai(service: Service) -> list[Task]:
        state = "running" if next(looks) > 6 else "starting"
        return [task(service, state, slot=slot) for slot in (1, 2, 3)]

    engine.outcomes |= {"broker": broker, "paai": paai}
    states = [step.state for step in run(site) if step.key == "broker"]
    first_done = states.index(StepState.DONE)
    assert StepState.RUNNING in states[first_done:]
    assert states[-1] is StepState.DONE


def test_it_can_be_cancelled_and_run_again(site: Site, engine: FakeEngine) -> None:
    cancel = threading.Event()
    engine.outcomes["paai"] = lambda s: [task(s, "starting")]
    steps = up.Up(site, preflight=list[Check], cancel=cancel).run()
    next(step for step in steps if step.key == "paai" and step.state is StepState.RUNNING)
    cancel.set()
    with pytest.raises(CancelledError):
        list(steps)
    del engine.outcomes["paai"]
    assert run(site)[-1].state is StepState.DONE


def test_secrets_of_somebody_else_stop_it(site: Site, engine: FakeEngine) -> None:
    run(site)
    site.store.forget(site.keys(engine.info()))
    with pytest.raises(SecretsError, match=r"no copy of the credentials.*rotate all"):
        run(site)


def test_two_stacks_share_nothing(site: Site, engine: FakeEngine) -> None:
    from backend.contract.ports import Ports

    other = replace(site, ports=Ports())
    run(site)
    run(other)
    assert set(engine.services) == {"paai", "paai-4000"}
    list(SwarmTarget(other).down(purge=True))
    assert set(engine.services) == {"paai-4000"}
    assert all(name.startswith("paai-4000_") for name in [*engine.kept, *engine.volume_names, *engine.network_names])
    assert run(site)[-1].state is StepState.DONE


def test_a_step_says_what_a_healthy_service_reports(site: Site, engine: FakeEngine) -> None:
    engine.outcomes["spark-predict"] = lambda s: [task(s, container_id="c1")]
    engine.printed["c1"] = "No model promoted"
    details = {step.key: step.detail for step in run(site)}
    assert (details["spark-predict"], details["spark-job"]) == ("Healthy. No model promoted.", "Healthy.")
