"""The real system for benchmarks: brought up once, with ways to quieten parts of it."""

import contextlib
import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from backend.contract.devices import DEVICE_TYPES
from backend.contract.ports import Ports
from stack.local import daemon
from stack.local.layout import Layout
from stack.local.target import LocalTarget
from tests.benchmarks.servers import CLIENT_CORE
from tests.helpers.free_ports import free_offset

_CONSUMERS = ("connect", "spark-master", "spark-worker", "spark-job", "paai", "generator", "kafka-operator")


@dataclass(frozen=True, slots=True)
class BenchSystem:
    """A running system.

    Attributes:
        target: Where it runs.
        layout: Its files.
    """

    target: LocalTarget
    layout: Layout

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return self.target.endpoints().kafka

    @property
    def mongo(self) -> str:
        """MongoDB's URI."""
        return self.target.endpoints().mongo

    def processes(self, *services: str) -> list[psutil.Process]:
        """The processes of some services, children included."""
        infos = daemon.connect(self.layout).processes()
        found = [psutil.Process(info.pid) for info in infos if info.group in services and info.pid]
        return found + [child for process in found for child in process.children(recursive=True)]

    def set_fleet(self, devices: int) -> None:
        """So many devices, a quarter of each type, one reading a second each."""
        per_type = dict.fromkeys((kind.tag for kind in DEVICE_TYPES), devices // len(DEVICE_TYPES))
        httpx.put(self._fleet, json=per_type, timeout=10, trust_env=False).raise_for_status()

    def acknowledged(self) -> int:
        """How many readings of the fleet paai has acknowledged."""
        return int(httpx.get(self._fleet, timeout=10, trust_env=False).raise_for_status().json()["acknowledged"])

    @property
    def _fleet(self) -> str:
        return f"{self.target.endpoints().generator}/api/v1/fleet"

    @contextlib.contextmanager
    def only_broker(self) -> Iterator[None]:
        """Halt what else would use the cores, and keep the broker off the measured core."""
        halted = self.processes(*_CONSUMERS)
        broker = self.processes("broker", "zookeeper", "mongodb")
        for process in halted:
            _signal(process, signal.SIGSTOP)
        for process in broker:
            _pin(process, {CLIENT_CORE})
        try:
            yield
        finally:
            for process in broker:
                _pin(process, set(range(os.cpu_count() or 1)))
            for process in halted:
                _signal(process, signal.SIGCONT)


def _signal(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):  # a short-lived child
        process.send_signal(number)


def _pin(process: psutil.Process, cores: set[int]) -> None:
    for thread in process.threads():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(thread.id, cores)


@contextlib.contextmanager
def bench_system() -> Iterator[BenchSystem]:
    """Bring the whole local target up on free ports with empty data; take it down afterwards."""
    with tempfile.TemporaryDirectory(prefix="paai-bench-") as folder:
        target = LocalTarget(data_dir=Path(folder) / "data", ports=Ports(free_offset()), reason="Benchmarks.")
        try:
            for step in target.up():
                print(f"\r{step.title}: {step.detail}"[:120].ljust(120), end="", flush=True)
            print()
            yield BenchSystem(target, Layout.of(target.data_dir))
        finally:
            for _ in target.down():
                pass
