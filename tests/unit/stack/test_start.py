"""Services start side by side, each once those it needs are healthy; every wait has an end and a reason."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from stack.board import StepBoard
from stack.catalogue import SERVICES, Service, find
from stack.errors import CancelledError, StepFailedError, WaitTimeoutError
from stack.local.probes import Health
from stack.local.rpc import ProcessInfo
from stack.local.start import Starter
from stack.target import Step, StepState
from tests.helpers.fake_supervisor import FakeSupervisor

WANTED = {service.name: service.replicas for service in SERVICES}
HEALTHY = Health(True)


def start(
    supervisor: FakeSupervisor,
    probe: Callable[[Service], Health] = lambda _: HEALTHY,
    services: tuple[Service, ...] = SERVICES,
    cancel: threading.Event | None = None,
    obstacle: str = "",
) -> list[Step]:
    board = StepBoard()
    for service in services:
        board.add(service.name, service.title, service=service.name)

    def why_down(service: Service, process: ProcessInfo) -> str:
        return f"{service.title} is {process.state}."

    starter = Starter(
        supervisor,
        probe,
        board,
        excerpt=lambda _: "  last line",
        why_down=why_down,
        command="stack {}".format,
        obstacle=lambda: obstacle,
        cancel=cancel or threading.Event(),
    )
    return list(starter.run(services, WANTED))


def test_everything_is_started_and_reported(supervisor: FakeSupervisor) -> None:
    steps = start(supervisor)
    done = [step.key for step in steps if step.state is StepState.DONE]
    assert sorted(done) == sorted(WANTED)
    started = [name for call, name in supervisor.calls if call == "start"]
    assert [name for name in started if name.startswith("paai:")] == ["paai:0", "paai:1", "paai:2"]


def test_a_service_starts_only_after_those_it_needs_are_healthy(supervisor: FakeSupervisor) -> None:
    asked: list[str] = []

    def probe(service: Service) -> Health:
        asked.append(service.name)
        # The broker needs three looks; the operator must not have been started before the third.
        if service.name == "broker" and asked.count("broker") < 3:
            assert ("start", "kafka-operator:kafka-operator") not in supervisor.calls
            return Health(False, "Not yet.")
        return HEALTHY

    start(supervisor, probe)
    assert ("start", "kafka-operator:kafka-operator") in supervisor.calls


def test_what_runs_already_is_left_alone(supervisor: FakeSupervisor) -> None:
    supervisor.start_all()
    start(supervisor)
    assert supervisor.calls == []


def test_a_wait_says_what_it_waits_for(supervisor: FakeSupervisor) -> None:
    answers = iter([Health(False, "ZooKeeper answers b'' to ruok."), HEALTHY])
    steps = start(supervisor, lambda _: next(answers), (find("zookeeper"),))
    assert "Waits: ZooKeeper answers b'' to ruok." in [step.detail for step in steps], "its name is said once"


def test_a_given_up_service_fails_with_its_last_lines(supervisor: FakeSupervisor) -> None:
    supervisor.outcome["broker"] = "FATAL"
    with pytest.raises(StepFailedError, match=r"(?s)Kafka broker did not start.*is FATAL.*last line.*logs broker") as caught:
        start(supervisor)
    assert (caught.value.step, caught.value.service) == ("broker", "broker")


def test_an_exit_that_is_being_restarted_is_no_failure(supervisor: FakeSupervisor) -> None:
    supervisor.outcome["generator"] = "EXITED"
    answers = iter([Health(False, "x."), Health(False, "x."), HEALTHY])

    def probe(_: Service) -> Health:
        answer = next(answers)
        if answer.ok:
            supervisor.set("generator:generator", "RUNNING")
        return answer

    assert start(supervisor, probe, (find("generator"),))[-1].state is StepState.DONE


def test_an_exit_that_nobody_restarts_is_a_failure(supervisor: FakeSupervisor) -> None:
    supervisor.outcome["spark-job"] = "EXITED"
    with pytest.raises(StepFailedError, match="Spark job is EXITED"):
        start(supervisor, lambda _: Health(False, "No."), (find("spark-job"),))


def test_the_wait_ends(supervisor: FakeSupervisor) -> None:
    impatient = replace(find("connect"), start_timeout_s=0.3)
    with pytest.raises(WaitTimeoutError, match=r"Connect did not start.*Nothing listens\."):
        start(supervisor, lambda _: Health(False, "Nothing listens."), (impatient,))


def test_a_replica_that_starts_over_and_over_keeps_the_step_waiting(supervisor: FakeSupervisor) -> None:
    """The others answer the probe on the shared socket; that must not hide it."""
    supervisor.start_all()
    supervisor.set("paai:1", "BACKOFF")
    with pytest.raises(WaitTimeoutError, match="2 of 3 processes run"):
        start(supervisor, services=(replace(find("paai"), start_timeout_s=0.3),))


def test_cancel_ends_the_wait(supervisor: FakeSupervisor) -> None:
    cancel = threading.Event()

    def probe(_: Service) -> Health:
        cancel.set()
        return Health(False, "No.")

    with pytest.raises(CancelledError):
        start(supervisor, probe, cancel=cancel)


def test_a_full_disk_is_named_before_what_the_service_said(supervisor: FakeSupervisor) -> None:
    supervisor.outcome["broker"] = "FATAL"
    with pytest.raises(StepFailedError, match=r"did not start: The disk of /data is full: 0 MiB free\. Kafka broker is FATAL"):
        start(supervisor, obstacle="The disk of /data is full: 0 MiB free.")


def test_a_step_says_what_a_healthy_service_reports(supervisor: FakeSupervisor) -> None:
    steps = start(supervisor, lambda _: Health(True, note="No model promoted"), (replace(find("spark-predict"), after=()),))
    assert (steps[-1].state, steps[-1].detail) == (StepState.DONE, "Healthy. No model promoted.")
