"""The real system, started once a session on shifted ports, for every test that asks for it."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from backend.contract.ports import Ports
from stack import catalogue
from stack.errors import StackError
from stack.local import daemon, logs, processes
from stack.local.layout import Layout
from stack.local.target import LocalTarget
from stack.mongo.choose import MongoChoice
from stack.target import Endpoints
from tests.helpers.free_ports import free_offset
from tests.helpers.mongo_server import MongoServer, mongo_without_auth, stand_ins


@dataclass(frozen=True, slots=True)
class LiveSystem:
    """A running system.

    Attributes:
        target: Where it runs.
        endpoints: Its addresses.
        ports: Its ports.
        data_dir: Where its data lie.
        up_s: How long `up` took, in seconds.
    """

    target: LocalTarget
    endpoints: Endpoints
    ports: Ports
    data_dir: Path
    up_s: float

    def cli(self, *arguments: str, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run ``python -m stack`` on this system."""
        command = [sys.executable, "-m", "stack", *arguments, "--data-dir", str(self.data_dir)]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)

    def pid(self, name: str) -> int:
        """The process of a service, ``spark-job``, or of one of its replicas, ``paai:1``; it must run."""
        found = daemon.connect(Layout.of(self.data_dir)).processes()
        pid = next(process.pid for process in found if name in (process.full_name, process.group))
        assert pid, f"{name} does not run"  # a signal to process 0 would end these tests
        return pid


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the whole system to start, on a busy machine for minutes.

    Tests of the running system come last: it runs until the end, and others would have to share the machine with it.
    """
    items.sort(key=lambda item: "live_system" in getattr(item, "fixturenames", ()))
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def live_system() -> Iterator[LiveSystem]:
    """The whole local target, up; taken down afterwards, and then nothing of it may be left."""
    data_dir = Path(tempfile.mkdtemp(prefix="paai-live-"))
    ports = Ports(free_offset())
    target = LocalTarget(data_dir=data_dir, ports=ports, reason="Integration tests.")
    layout = Layout.of(data_dir)
    try:
        begun = time.monotonic()
        try:
            for _ in target.up():
                pass
        except StackError as error:
            lines = {s.name: logs.excerpt(layout, s.name, scaled=s.scalable, lines=15) for s in catalogue.SERVICES}
            pytest.fail("\n".join([f"the system did not come up: {error}", *(f"--- {n}\n{text}" for n, text in lines.items())]))
        yield LiveSystem(target, target.endpoints(), ports, data_dir, time.monotonic() - begun)
    finally:
        for _ in target.down():
            pass
        left = processes.describe(processes.marked(layout))
        shutil.rmtree(data_dir, ignore_errors=True)
        assert not left, f"still running after down: {left}"


@pytest.fixture
def client(live_system: LiveSystem) -> Iterator["MongoClient[dict[str, Any]]"]:
    """A client of the running system's MongoDB."""
    with MongoClient[dict[str, Any]](live_system.endpoints.mongo, tz_aware=True, serverSelectionTimeoutMS=5000) as mongo:
        yield mongo


@pytest.fixture(scope="module", params=stand_ins(), ids=lambda choice: choice.kind)
def stand_in(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """Each stand-in for MongoDB that this machine has, without the rest of the system."""
    choice: MongoChoice = request.param
    with mongo_without_auth(choice, tmp_path_factory.mktemp(choice.kind)) as running:
        yield running
