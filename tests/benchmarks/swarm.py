"""The Swarm stack beside the local target: ``python -m tests.benchmarks.swarm [--write]``; needs root and Docker's engine.

Prints besides what each service takes: image, its size, memory in use, time until it was well. `PAAI_TEST_DOCKER_HOST` takes an
engine that is there already.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pymongo
from pymongo.errors import PyMongoError

from backend.contract.names import COLLECTION_AGGREGATES, DATABASE
from backend.contract.ports import Ports
from stack.errors import StackError
from stack.local.target import LocalTarget
from stack.swarm.docker import DockerEngine
from stack.swarm.site import Site
from stack.swarm.store import CredentialStore
from stack.swarm.target import SwarmTarget
from stack.target import StepState, Target
from tests.benchmarks.ingest import spread
from tests.benchmarks.pairs import measure_pairs
from tests.benchmarks.report import Row, thousands, write
from tests.benchmarks.servers import post
from tests.helpers import docker_engine
from tests.helpers.free_ports import free_offset
from tests.swarm.system import LiveSwarm

_SECONDS, _PAIRS, _CONNECTIONS, _BATCH = 6.0, 5, 64, 1000
_FIRST_S = 600.0


@dataclass(frozen=True, slots=True)
class Start:
    """One `up` from nothing.

    Attributes:
        aggregate_s: From its begin to the first aggregate in MongoDB, in seconds.
        well_s: Service → seconds from its begin until the service was well.
    """

    aggregate_s: float
    well_s: dict[str, float]


def run(host: str) -> tuple[list[Row], list[str]]:
    """The rows of the report, and the lines of the table of services."""
    with tempfile.TemporaryDirectory(prefix="paai-bench-") as folder:
        here = LocalTarget(data_dir=Path(folder) / "local", ports=Ports(free_offset()), reason="Benchmarks.")
        with _taken_down(here):
            local = _start(here)
        engine = DockerEngine(host=host)
        site = Site(engine=engine, ports=Ports(free_offset()), folder=Path(folder), store=CredentialStore(Path(folder)))
        target = SwarmTarget(site, reason="Benchmarks.")
        with _taken_down(target):
            for step in target.build():
                _say(f"{step.title}: {step.detail}")
            swarm = _start(target)
            live = LiveSwarm(target, host, swarm.aggregate_s)
            table = _services(live, swarm)
            rows = [_first(local, swarm), _gateway(live, "single"), _gateway(live, "batch")]
    return rows, table


@contextlib.contextmanager
def _taken_down(target: Target) -> Iterator[None]:
    try:
        yield
    finally:
        for step in target.down(purge=True):
            _say(f"{step.title}: {step.detail}")


def _start(target: Target) -> Start:
    """Bring it up with a fleet of 40 from the moment that the generator answers."""
    begun, well, found = time.monotonic(), dict[str, float](), list[float]()
    watch = threading.Thread(target=lambda: found.append(_first_aggregate(target, begun)), name="first-aggregate", daemon=True)
    watch.start()
    for step in target.up():
        if step.state is StepState.DONE and step.service:
            well.setdefault(step.service, time.monotonic() - begun)
        _say(f"{step.title}: {step.detail}")
    watch.join(_FIRST_S)
    if not found:
        raise SystemExit("There was no aggregate in ten minutes.")
    return Start(found[0], well)


def _first_aggregate(target: Target, begun: float) -> float:
    fleet = dict.fromkeys(("Thermostat", "Barometer", "Hygrometer", "HeartRateMeter"), 10)
    _until(lambda: _put_fleet(target, fleet))
    _until(lambda: _has_aggregates(target))
    return time.monotonic() - begun


def _put_fleet(target: Target, fleet: dict[str, int]) -> bool:
    with contextlib.suppress(httpx.HTTPError, StackError):  # it is not there yet
        endpoints = target.endpoints()
        headers = {"Authorization": f"Bearer {endpoints.token}"} if endpoints.token else {}
        answer = httpx.put(f"{endpoints.generator}/api/v1/fleet", json=fleet, headers=headers, timeout=3, trust_env=False)
        return answer.status_code == httpx.codes.OK
    return False


def _has_aggregates(target: Target) -> bool:
    uri = target.endpoints().mongo
    with contextlib.suppress(PyMongoError), pymongo.MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=2000) as client:
        return client[DATABASE][COLLECTION_AGGREGATES].find_one() is not None
    return False


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _FIRST_S
    while time.monotonic() < deadline and not condition():
        time.sleep(1.0)


def _first(local: Start, swarm: Start) -> Row:
    return Row(
        "from `up` to the first aggregate in MongoDB, Swarm stack ÷ local target, images built, no data yet",
        f"{swarm.aggregate_s:.0f} s",
        f"{local.aggregate_s:.0f} s",
        f"{swarm.aggregate_s / local.aggregate_s:.2f}",
        "≤ 1.5",
        (
            "One start of each; a fleet of 40 is set as soon as the generator answers.",
            "The local target starts prediction last; a Swarm starts all tasks at once, on two cores.",
        ),
    )


def _gateway(live: LiveSwarm, body: str) -> Row:
    """The same load through the gateway and straight to one replica, by its address on this host's bridge."""
    token = live.endpoints.token or ""
    address = _bridge_address(int(live.inspected("inspect", live.containers("paai")[0], "--format", "{{json .State.Pid}}")))

    def measured(where: str) -> float:
        connections = _CONNECTIONS if body == "single" else 8
        answered = post(where, body=body, connections=connections, seconds=_SECONDS, token=token)
        if answered["failed"]:
            raise SystemExit(f"{where}: {answered['failed']:.0f} requests failed")
        return answered["per_s"] * (1 if body == "single" else _BATCH)

    ratio = measure_pairs(lambda: measured(live.endpoints.paai), lambda: measured(f"http://{address}:8000"), pairs=_PAIRS)
    unit = "req/s" if body == "single" else "readings/s"
    return Row(
        f"{body} POST through the gateway (three replicas) ÷ straight to one replica",
        f"{thousands(ratio.ours)} {unit}",
        f"{thousands(ratio.reference)} {unit}",
        spread(ratio),
        "≥ 0.7",
        (
            f"wrk on the same machine as the whole stack; {_PAIRS} pairs of {_SECONDS:g} s.",
            *(() if body == "batch" else ("With one reading a request the gateway's own work takes CPU from the replicas.",)),
        ),
    )


def _bridge_address(pid: int) -> str:
    """The container's address in the network that Swarm keeps for the way out: no network of `docker inspect`."""
    inside = ["nsenter", "--net", "--target", str(pid), "ip", "-json", "-4"]

    def told(*words: str) -> Any:
        return json.loads(subprocess.run([*inside, *words], capture_output=True, check=True, timeout=20).stdout)

    way_out = told("route", "show", "default")[0]["dev"]
    return next(str(link["addr_info"][0]["local"]) for link in told("address") if link["ifname"] == way_out)


def _services(live: LiveSwarm, start: Start) -> list[str]:
    images: dict[str, str] = {}
    for line in live.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}} {{.Size}}").splitlines():
        name, size = line.split(" ", 1)
        images[name] = size
    composition = live.site.composition()
    lines = ["| service | image | size | MiB in use | well after |", "| --- | --- | ---: | ---: | ---: |"]
    for row in live.target.status():
        image = composition.images.get(row.service, "")
        if row.service == "mongodb":
            image = live.site.mongo_image()[0]
        memory = "" if row.memory_bytes is None else f"{row.memory_bytes / 2**20:.0f}"
        replicas = f" ×{row.wanted}" if row.wanted > 1 else ""
        after = f"{start.well_s[row.service]:.0f} s" if row.service in start.well_s else ""
        lines.append(f"| {row.service}{replicas} | {image.split(':')[0]} | {images.get(image, '')} | {memory} | {after} |")
    return lines


def _say(text: str) -> None:
    print(f"\r{text}"[:120].ljust(120), end="", flush=True, file=sys.stderr)


@contextlib.contextmanager
def _engine() -> Iterator[str]:
    if host := os.environ.get("PAAI_TEST_DOCKER_HOST"):
        yield host
        return
    folder = Path(tempfile.mkdtemp(prefix="paai-e-"))
    try:
        yield docker_engine.start(folder).host
    finally:
        docker_engine.stop(folder)


def main(arguments: list[str]) -> None:
    """Measure, print, and with ``--write`` put the rows into docs/benchmarks.md."""
    with _engine() as host:
        rows, table = run(host)
    for row in rows:
        print(f"{row.what}: {row.ours} / {row.reference} = {row.ratio} (wanted {row.wanted})", flush=True)
    print(*table, sep="\n")
    if "--write" in arguments:
        write({"swarm": rows})


if __name__ == "__main__":
    main(sys.argv[1:])
