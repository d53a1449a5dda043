"""What each stage costs on this machine: CPU per reading at growing fleets, cores and memory of a small fleet."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psutil
import pymongo

from backend.contract.names import COLLECTION_MESSAGES, DATABASE
from stack.local import daemon
from tests.benchmarks.report import Row, thousands
from tests.benchmarks.system import BenchSystem

SMALL: Final = 48
FLEETS: Final = (100, 1000, 5000)
_SETTLE_S: Final = 60.0
_MEASURE_S: Final = 30.0
_WINDOW: Final = "window"
#: Their work grows with what paai acknowledges, that of the others with what is stored.
_BEFORE_KAFKA: Final = ("generator", "paai", "broker")


@dataclass(frozen=True, slots=True)
class Measured:
    """One fleet.

    Attributes:
        acknowledged_per_s, stored_per_s: Readings.
        cpu: Cores by service.
        memory: Resident bytes by service.
    """

    acknowledged_per_s: float
    stored_per_s: float
    cpu: Mapping[str, float]
    memory: Mapping[str, int]

    def cores(self) -> float:
        """Of all services together."""
        return sum(self.cpu.values())

    def gigabytes(self) -> float:
        """Resident memory of all services together; what several share counts once for each."""
        return sum(self.memory.values()) / 1e9

    def readings_per_s(self, service: str) -> float:
        """What the service's work grows with."""
        return self.acknowledged_per_s if service in _BEFORE_KAFKA else self.stored_per_s


def run(system: BenchSystem) -> list[Row]:
    """The small fleet without and with the window, then the larger ones."""
    system.set_fleet(SMALL)
    time.sleep(_SETTLE_S)
    alone = _measure(system)
    with _window(system) as window:
        time.sleep(_SETTLE_S)
        seen = _measure(system, window)
    found = {}
    for devices in FLEETS:
        system.set_fleet(devices)
        time.sleep(_SETTLE_S)
        found[devices] = _measure(system)
    system.set_fleet(0)
    return [
        _small_row(f"{SMALL} devices, no model promoted, without the window", alone, "≤ 0.45 cores, ≤ 2.4 GB"),
        _small_row(f"{SMALL} devices, no model promoted, with the window", seen, "≤ 0.6 cores, ≤ 2.8 GB"),
        _stages_row(found),
    ]


def _measure(system: BenchSystem, window: psutil.Process | None = None) -> Measured:
    with pymongo.MongoClient[dict[str, Any]](system.mongo) as client:
        raw = client[DATABASE][COLLECTION_MESSAGES]
        processes = _processes(system, window)
        began, cpu = time.monotonic(), {name: _cpu_s(its) for name, its in processes.items()}
        before = (system.acknowledged(), raw.estimated_document_count())
        time.sleep(_MEASURE_S)
        after = (system.acknowledged(), raw.estimated_document_count())
        took = time.monotonic() - began
    return Measured(
        (after[0] - before[0]) / took,
        (after[1] - before[1]) / took,
        {name: (_cpu_s(its) - cpu[name]) / took for name, its in processes.items()},
        {name: sum(_memory(process) for process in its) for name, its in processes.items()},
    )


def _processes(system: BenchSystem, window: psutil.Process | None) -> dict[str, list[psutil.Process]]:
    groups = sorted({info.group for info in daemon.connect(system.layout).processes() if info.pid})
    found = {group: system.processes(group) for group in groups}
    if window is not None:
        found[_WINDOW] = [window, *window.children(recursive=True)]
    return found


def _cpu_s(processes: list[psutil.Process]) -> float:
    """CPU so far in seconds, that of children that have ended included."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _memory(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.NoSuchProcess):
        return int(process.memory_info().rss)
    return 0


@contextlib.contextmanager
def _window(system: BenchSystem) -> Iterator[psutil.Process]:
    """The program as a user starts it, on a screen that nobody sees."""
    command = [sys.executable, "-m", "desktop", "--target", "local", "--data-dir", str(system.layout.data_dir)]
    settings = ["--settings", str(system.layout.data_dir / "bench-desktop.ini")]
    started = subprocess.Popen(
        [*command, *settings], env=os.environ | {"QT_QPA_PLATFORM": "offscreen"}, stdout=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(started.pid)
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(30)


def _small_row(what: str, found: Measured, wanted: str) -> Row:
    by_cpu = sorted(found.cpu, key=lambda name: -found.cpu[name])
    services = ", ".join(f"{name} {found.cpu[name]:.2f} ({found.memory[name] / 1e6:.0f} MB)" for name in by_cpu)
    return Row(what, f"{found.cores():.2f} cores, {found.gigabytes():.1f} GB", "", "", wanted, (f"Cores: {services}.",))


def _stages_row(found: Mapping[int, Measured]) -> Row:
    notes = []
    for devices, one in found.items():
        notes.append(
            f"{thousands(devices)} devices: {thousands(one.acknowledged_per_s)} readings/s acknowledged, "
            f"{thousands(one.stored_per_s)} stored, {one.cores():.2f} cores, {one.gigabytes():.1f} GB."
        )
    fleets = list(found)
    for service in sorted(found[fleets[0]].cpu):
        each = ", ".join(f"{_us(one.cpu[service], one.readings_per_s(service))} at {thousands(n)}" for n, one in found.items())
        growth = []
        for fewer, more in itertools.pairwise(fleets):
            a, b = found[fewer], found[more]
            added = b.readings_per_s(service) - a.readings_per_s(service)
            growth.append(_us(b.cpu[service] - a.cpu[service], added))
        notes.append(f"{service}: {each}; of each reading more {', '.join(growth)}.")
    first, last = found[fleets[0]], found[fleets[-1]]
    return Row(
        f"CPU of all services per reading, {thousands(fleets[-1])} devices ÷ {thousands(fleets[0])} devices",
        _us(last.cores(), last.stored_per_s),
        _us(first.cores(), first.stored_per_s),
        f"{last.cores() / last.stored_per_s / (first.cores() / first.stored_per_s):.2f}",
        "",
        tuple(notes),
    )


def _us(cores: float, per_s: float) -> str:
    return f"{thousands(1e6 * cores / per_s)} µs" if per_s > 0 else "no reading"
