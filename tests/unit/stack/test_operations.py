"""`scale`, `restart`, `reset` and `down` with a supervisor in memory."""

import pytest

from backend.contract.ports import Ports
from stack.errors import NotRunningError, UnknownServiceError
from stack.local import daemon, down, instance, intent, operations
from stack.local.layout import Layout
from stack.local.probes import Health, Prober
from stack.target import StepState
from tests.helpers.fake_supervisor import FakeSupervisor

PORTS = Ports()


@pytest.fixture(autouse=True)
def wired(supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The supervisor in memory in place of the real one; every probe says yes."""
    supervisor.start_all()
    monkeypatch.setattr(daemon, "connect", lambda _: supervisor)
    monkeypatch.setattr(daemon, "is_running", lambda _: supervisor.is_running)
    monkeypatch.setattr(daemon, "stop", lambda _, timeout_s: supervisor.shutdown())
    monkeypatch.setattr(Prober, "probe", lambda *_: Health(True))


def test_scaling_up_starts_only_what_is_missing(layout: Layout, supervisor: FakeSupervisor) -> None:
    steps = list(operations.scale_service(layout, PORTS, "paai", 5))
    assert supervisor.calls == [("start", "paai:3"), ("start", "paai:4")]
    assert steps[-1].state is StepState.DONE
    assert instance.wanted_replicas(layout)["paai"] == 5


def test_scaling_down_stops_only_what_is_beyond(layout: Layout, supervisor: FakeSupervisor) -> None:
    list(operations.scale_service(layout, PORTS, "paai", 1))
    assert supervisor.calls == [("stop", "paai:1"), ("stop", "paai:2")]


@pytest.mark.parametrize("replicas", [0, 17])
def test_scaling_has_its_limits(layout: Layout, supervisor: FakeSupervisor, replicas: int) -> None:
    with pytest.raises(UnknownServiceError, match="Choose 1 to 16"):
        list(operations.scale_service(layout, PORTS, "paai", replicas))
    assert supervisor.calls == []


def test_only_paai_is_scaled(layout: Layout) -> None:
    with pytest.raises(UnknownServiceError, match="MongoDB cannot be scaled"):
        list(operations.scale_service(layout, PORTS, "mongodb", 2))


def test_scaling_a_stopped_system_is_refused(layout: Layout, supervisor: FakeSupervisor) -> None:
    supervisor.is_running = False
    with pytest.raises(NotRunningError):
        list(operations.scale_service(layout, PORTS, "paai", 5))
    assert instance.wanted_replicas(layout)["paai"] == 3


def test_restart_stops_and_starts(layout: Layout, supervisor: FakeSupervisor) -> None:
    (layout.state / "spark-job.json").write_text("{}")
    list(operations.restart_service(layout, PORTS, "spark-job"))
    assert supervisor.calls == [("stop", "spark-job:spark-job"), ("start", "spark-job:spark-job")]
    assert not (layout.state / "spark-job.json").exists()  # news of the old process must not pass for the new one's


def test_restart_keeps_the_generators_fleet(layout: Layout, supervisor: FakeSupervisor) -> None:
    (layout.state / "generator.json").write_text("{}")
    list(operations.restart_service(layout, PORTS, "generator"))
    assert (layout.state / "generator.json").exists()
    assert layout.state / "generator.json" not in daemon.reports(layout)  # nor does a start of the system remove it
    assert {p.name for p in daemon.reports(layout)} == {"kafka-operator.json", "spark-job.json", "spark-predict.json"}


def test_reset_keeps_the_checkpoint_aside(layout: Layout, supervisor: FakeSupervisor) -> None:
    layout.checkpoints["spark-job"].mkdir()
    (layout.checkpoints["spark-job"] / "offsets").write_text("x")
    steps = list(operations.reset_job(layout, PORTS, "spark-job"))
    [aside] = layout.spark.glob("checkpoint-*")
    assert (aside / "offsets").read_text() == "x"
    assert not layout.checkpoints["spark-job"].exists()
    assert any(str(aside) in step.detail for step in steps)
    assert supervisor.calls[-1] == ("start", "spark-job:spark-job")


def test_each_job_has_a_checkpoint_of_its_own(layout: Layout, supervisor: FakeSupervisor) -> None:
    for folder in layout.checkpoints.values():
        folder.mkdir()
    list(operations.reset_job(layout, PORTS, "spark-predict"))
    assert [path.name for path in layout.spark.glob("predict-*")]
    assert layout.checkpoints["spark-job"].exists()
    assert supervisor.calls[-1] == ("start", "spark-predict:spark-predict")


def test_reset_of_a_stopped_system_starts_nothing(layout: Layout, supervisor: FakeSupervisor) -> None:
    supervisor.is_running = False
    layout.checkpoints["spark-job"].mkdir()
    list(operations.reset_job(layout, PORTS, "spark-job"))
    assert not layout.checkpoints["spark-job"].exists()
    assert supervisor.calls == []


def test_only_spark_jobs_are_reset(layout: Layout) -> None:
    with pytest.raises(UnknownServiceError, match=r"nothing to reset.*spark-job and spark-predict"):
        list(operations.reset_job(layout, PORTS, "broker"))


def test_down_stops_whoever_feeds_others_first(layout: Layout, supervisor: FakeSupervisor) -> None:
    intent.remember_up(layout)
    steps = list(down.Down(layout).run())
    assert not intent.should_run(layout)
    stopped = [name for call, name in supervisor.calls if call == "stop"]
    assert stopped[0] == "generator:generator"
    assert stopped.index("paai:2") < stopped.index("broker:broker") < stopped.index("zookeeper:zookeeper")
    assert supervisor.calls[-1] == ("shutdown", "")
    assert steps[-1].state is StepState.DONE


def test_down_of_a_stopped_system_is_fine(layout: Layout, supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor.is_running = False
    monkeypatch.setattr(daemon, "stop", lambda _, timeout_s: None)
    assert list(down.Down(layout).run())[-1].state is StepState.DONE
    assert not layout.instance_file.exists(), "nothing is noted of a system that never ran"
