"""The real local target: status, scaling under load, restarts after kills, repair, and neighbours."""

import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import psutil
import pytest

from backend.contract.ports import Ports
from stack.catalogue import SERVICES
from stack.errors import PortInUseError
from stack.local import daemon, processes
from stack.local.layout import Layout
from stack.local.target import LocalTarget
from stack.target import ServiceStatus
from tests.helpers.free_ports import free_offset
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem

pytestmark = pytest.mark.integration


def row(live: LiveSystem, service: str) -> ServiceStatus:
    return next(row for row in live.target.status() if row.service == service)


def wait_healthy(live: LiveSystem, service: str, *, restarts: int, timeout_s: float) -> None:
    """Until the service has restarted so often and is well."""

    def is_back() -> bool:
        found = row(live, service)
        return found.healthy and found.restarts >= restarts

    wait_until(is_back, timeout_s, f"{service} to be healthy again", interval_s=0.3)


def post(live: LiveSystem, device: str) -> int:
    reading = {"tag": "Barometer", "device_id": device, "timestamp": time.time(), "pressure": 1000.0}
    try:
        return httpx.post(f"{live.endpoints.paai}/api/v1/device", json=reading, timeout=20, trust_env=False).status_code
    except httpx.HTTPError:
        return 0


def test_everything_is_healthy(live_system: LiveSystem) -> None:
    # Another test of the session may have broken something a moment ago, which the operator is still putting right.
    wait_until(lambda: all(r.healthy for r in live_system.target.status()), 60, "all to be healthy", interval_s=0.3)
    rows = live_system.target.status()
    assert [row.service for row in rows] == [service.name for service in SERVICES]
    assert {row.service: row.message for row in rows if not row.healthy} == {}
    assert all(row.running == row.wanted for row in rows)
    assert all(row.memory_bytes and row.since for row in rows)


def test_the_command_line_finds_it_by_its_directory(live_system: LiveSystem) -> None:
    answer = live_system.cli("status", "--json")
    assert answer.returncode == 0, answer.stderr
    assert all(row["healthy"] for row in json.loads(answer.stdout))
    endpoints = json.loads(live_system.cli("endpoints", "--json").stdout)
    assert endpoints["paai"] == f"http://127.0.0.1:{live_system.ports.paai}"
    assert endpoints["token"] is None
    assert httpx.get(endpoints["connect"], trust_env=False).status_code == 200
    assert httpx.get(endpoints["spark_ui"], trust_env=False).status_code == 200


def test_every_service_has_a_log_with_times(live_system: LiveSystem) -> None:
    for service in SERVICES:
        lines = list(live_system.target.logs(service.name, lines=500))
        if service.name != "mongodb":  # writes in its own format
            assert any(line.text[:2] == "20" and "T" in line.text[:20] for line in lines), service.name


def test_only_loopback_is_listened_on(live_system: LiveSystem) -> None:
    ours = set(processes.marked(Layout.of(live_system.data_dir)))
    broker = live_system.pid("broker:broker")
    found = [
        (c.pid, c.laddr) for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.pid in ours and c.laddr
    ]
    ports = {address.port for _, address in found}
    assert ports >= {live_system.ports.kafka, live_system.ports.paai, live_system.ports.kafka_jmx}
    wide = [(pid, address) for pid, address in found if address.ip not in {"127.0.0.1", "::1", "::ffff:127.0.0.1"}]
    # The broker's JVM opens one for its JMX agent, which takes connections from this machine only.
    assert [pid for pid, _ in wide] in ([], [broker]), wide


def test_a_second_up_is_quick_and_restarts_nothing(live_system: LiveSystem) -> None:
    layout = Layout.of(live_system.data_dir)
    before = {p.full_name: p.pid for p in daemon.connect(layout).processes()}
    begun = time.monotonic()
    steps = list(live_system.target.up())
    assert time.monotonic() - begun < 20
    assert steps[-1].state == "done"
    assert {p.full_name: p.pid for p in daemon.connect(layout).processes()} == before


def test_scaling_loses_no_request(live_system: LiveSystem) -> None:
    restarts = row(live_system, "paai").restarts
    stop, answers = threading.Event(), list[int]()

    def load(number: int) -> None:
        while not stop.is_set():
            answers.append(post(live_system, f"scale-{number}"))

    threads = [threading.Thread(target=load, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(answers) > 20, 30, "the load to begin")
        first = live_system.pid("paai:0")
        for replicas in (5, 2, 3):
            seen = len(answers)
            list(live_system.target.scale("paai", replicas))
            wait_until(lambda seen=seen: len(answers) > seen + 20, 30, "answers after scaling")  # type: ignore[misc]
            found = row(live_system, "paai")
            assert (found.wanted, found.running, found.healthy) == (replicas, replicas, True)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert set(answers) == {200}
    assert live_system.pid("paai:0") == first
    assert row(live_system, "paai").restarts == restarts


def test_a_killed_paai_comes_back(live_system: LiveSystem) -> None:
    before = row(live_system, "paai").restarts
    os.kill(live_system.pid("paai:1"), signal.SIGKILL)
    wait_healthy(live_system, "paai", restarts=before + 1, timeout_s=30)
    assert post(live_system, "after-kill") == 200


def test_a_killed_broker_comes_back(live_system: LiveSystem) -> None:
    before = row(live_system, "broker").restarts
    os.kill(live_system.pid("broker:broker"), signal.SIGKILL)
    wait_healthy(live_system, "broker", restarts=before + 1, timeout_s=90)
    wait_until(lambda: post(live_system, "after-kill") == 200, 60, "paai to reach the broker again", interval_s=0.5)


def test_a_killed_spark_job_comes_back_and_leaves_no_second_driver(live_system: LiveSystem) -> None:
    before = row(live_system, "spark-job").restarts
    job = live_system.pid("spark-job:spark-job")
    drivers = [child.pid for child in psutil.Process(job).children(recursive=True)]
    assert drivers
    os.kill(job, signal.SIGKILL)
    wait_healthy(live_system, "spark-job", restarts=before + 1, timeout_s=120)
    wait_until(lambda: not any(map(psutil.pid_exists, drivers)), 30, "the old Python driver to end")


def test_a_taken_port_is_named_with_its_holder(tmp_path: Path) -> None:
    ports = Ports(free_offset())
    target = LocalTarget(data_dir=tmp_path / "d", ports=ports)
    with socket.create_server(("127.0.0.1", ports.mongo)), pytest.raises(PortInUseError) as caught:
        list(target.up())
    assert caught.value.port == ports.mongo
    assert f"process {os.getpid()}" in caught.value.holder
    assert not target.is_up()


def test_a_neighbour_on_the_same_ports_is_refused(live_system: LiveSystem, tmp_path: Path) -> None:
    neighbour = LocalTarget(data_dir=tmp_path / "d", ports=live_system.ports)
    with pytest.raises(PortInUseError):
        list(neighbour.up())
    assert live_system.target.is_up()
    assert not neighbour.is_up()


def test_up_repairs_what_a_killed_supervisord_left(live_system: LiveSystem) -> None:
    layout = Layout.of(live_system.data_dir)
    os.kill(int(layout.pid_file.read_text()), signal.SIGKILL)
    wait_until(lambda: not daemon.is_running(layout), 10, "the end of supervisord")
    orphans = set(processes.marked(layout))
    assert orphans
    assert live_system.target.is_up()
    steps = list(live_system.target.up())
    assert "Ended what an earlier run had left" in next(s.detail for s in steps if s.key == "prepare" and s.state == "done")
    assert not orphans & set(processes.marked(layout))
    assert all(row.healthy for row in live_system.target.status())
