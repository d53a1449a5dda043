"""`status` joins supervisord's word with the probes', and says why a service is not well."""

import pytest

from backend.contract.ports import Ports
from stack.catalogue import SERVICES, Service
from stack.local import instance, intent, jsonfile
from stack.local.layout import Layout
from stack.local.probes import Health, Prober
from stack.local.status import StatusReader
from stack.target import ServiceStatus
from tests.helpers.fake_supervisor import STARTED, FakeSupervisor


class FakeProber(Prober):
    """Everything is well unless told otherwise."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout, Ports())
        self.answers: dict[str, Health] = {}

    def probe(self, service: Service) -> Health:
        return self.answers.get(service.name, Health(True))


@pytest.fixture
def prober(layout: Layout) -> FakeProber:
    return FakeProber(layout)


def read(layout: Layout, prober: Prober, supervisor: FakeSupervisor) -> dict[str, ServiceStatus]:
    rows = StatusReader(layout, prober, Ports(), supervisor=supervisor).read()
    assert [row.service for row in rows] == [service.name for service in SERVICES]
    return {row.service: row for row in rows}


def test_all_is_stopped_without_a_supervisor(layout: Layout, prober: FakeProber, supervisor: FakeSupervisor) -> None:
    supervisor.is_running = False
    for row in read(layout, prober, supervisor).values():
        assert (row.running, row.healthy, row.message, row.stopped) == (0, False, "Stopped.", True)


def test_an_end_that_nobody_asked_for_is_told_from_down(layout: Layout, prober: FakeProber, supervisor: FakeSupervisor) -> None:
    supervisor.is_running = False
    intent.remember_up(layout)
    for row in read(layout, prober, supervisor).values():
        assert (row.message, row.stopped) == ("It ended unexpectedly; deploy it again to bring it back.", False)
    intent.remember_down(layout)
    assert all(row.stopped for row in read(layout, prober, supervisor).values())


def test_all_is_well(layout: Layout, prober: FakeProber, supervisor: FakeSupervisor) -> None:
    for name in list(supervisor.state):
        if not name.startswith("paai:") or name in {"paai:0", "paai:1", "paai:2"}:
            supervisor.start(name)
    rows = read(layout, prober, supervisor)
    assert all(row.healthy and not row.message and row.running == row.wanted for row in rows.values())
    assert rows["paai"].since == STARTED
    assert rows["paai"].scalable
    assert rows["paai"].links == (("API", "http://127.0.0.1:8000/docs"),)


def test_a_probe_that_fails_is_quoted(layout: Layout, prober: FakeProber, supervisor: FakeSupervisor) -> None:
    supervisor.start_all()
    prober.answers["broker"] = Health(False, "The broker answers with error 3.")
    row = read(layout, prober, supervisor)["broker"]
    assert (row.running, row.healthy, row.message) == (1, False, "The broker answers with error 3.")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("FATAL", "Process 1 of paai exited again and again"),
        ("BACKOFF", "is started again after a pause"),
        ("EXITED", "exited with code 3"),
    ],
)
def test_one_dead_replica_is_told(
    layout: Layout, prober: FakeProber, supervisor: FakeSupervisor, state: str, words: str
) -> None:
    supervisor.start_all()
    supervisor.set("paai:1", state, exit_code=3)
    row = read(layout, prober, supervisor)["paai"]
    assert (row.wanted, row.running, row.healthy) == (3, 2, False)
    assert words in row.message


def test_the_guided_reset_is_offered(layout: Layout, prober: FakeProber, supervisor: FakeSupervisor) -> None:
    supervisor.start_all()
    supervisor.set("spark-job:spark-job", "EXITED", exit_code=78)
    jsonfile.write(layout.state / "spark-job.json", {"ok": False, "message": "The topic was wiped.", "at": 0})
    message = read(layout, prober, supervisor)["spark-job"].message
    assert message.startswith("The topic was wiped.")
    assert message.count("python -m stack reset spark-job --data-dir") == 1


def test_restarts_of_all_replicas_are_summed(layout: Layout, prober: FakeProber, supervisor: FakeSupervisor) -> None:
    supervisor.start_all()
    jsonfile.write(layout.restarts_file, {"paai:0": 1, "paai:2": 2, "broker:broker": 1})
    rows = read(layout, prober, supervisor)
    assert (rows["paai"].restarts, rows["broker"].restarts, rows["connect"].restarts) == (3, 1, 0)


def test_wanted_follows_scale_within_its_limits(layout: Layout, prober: FakeProber, supervisor: FakeSupervisor) -> None:
    instance.remember_wanted(layout, "paai", 5)
    supervisor.start_all(paai=5)
    row = read(layout, prober, supervisor)["paai"]
    assert (row.wanted, row.running, row.healthy) == (5, 5, True)
    jsonfile.write(layout.wanted_file, {"paai": 99})
    assert instance.wanted_replicas(layout)["paai"] == 16


def test_a_healthy_service_keeps_its_note_and_an_unhealthy_one_has_none(
    layout: Layout, prober: FakeProber, supervisor: FakeSupervisor
) -> None:
    supervisor.start_all()
    prober.answers["spark-predict"] = Health(True, note="No model promoted")
    row = read(layout, prober, supervisor)["spark-predict"]
    assert (row.healthy, row.message, row.note) == (True, "", "No model promoted")
    supervisor.set("spark-predict:spark-predict", "EXITED", exit_code=1)
    assert read(layout, prober, supervisor)["spark-predict"].note == ""
