"""Readings into Kafka through one paai process, against a bare route and against bare validation."""

import json
import subprocess
import sys

import psutil

from tests.benchmarks.pairs import Ratio, measure_pairs
from tests.benchmarks.report import Row, thousands
from tests.benchmarks.servers import SERVER_CORE, Load, bare_server, load, paai_server
from tests.benchmarks.system import BenchSystem

_SECONDS, _PAIRS = 6.0, 5
_CONNECTIONS = 256
_BATCH = 1000

#: Validates the same bytes over and over on one core and prints readings per second.
_VALIDATE = f"""
import sys, time
from pydantic import TypeAdapter
from backend.contract.readings import Reading
body = sys.stdin.buffer.read()
adapter = TypeAdapter(list[Reading])
adapter.validate_json(body)
end, begun, n = time.perf_counter() + {_SECONDS}, time.perf_counter(), 0
while time.perf_counter() < end:
    adapter.validate_json(body)
    n += {_BATCH}
print(n / (time.perf_counter() - begun))
"""


def run(system: BenchSystem) -> list[Row]:
    """Single posts, then batches. The services that read the topic are halted meanwhile: only the broker works."""
    with system.only_broker():
        return [_single(system), _batch(system)]


def _single(system: BenchSystem) -> Row:
    loads: dict[str, Load] = {}

    def measured(name: str, port: int, process: psutil.Process) -> float:
        loads[name] = load(port, process, body="single", connections=_CONNECTIONS, seconds=_SECONDS)
        if loads[name].failed:
            raise SystemExit(f"{name}: {loads[name].failed} requests failed")
        return loads[name].per_s

    with bare_server() as (bare, bare_port), paai_server(kafka=system.kafka, mongo=system.mongo) as (paai, paai_port):
        ratio = measure_pairs(
            lambda: measured("paai", paai_port, paai), lambda: measured("bare", bare_port, bare), pairs=_PAIRS
        )
    ours, reference = loads["paai"], loads["bare"]
    return Row(
        "single POST to Kafka's acknowledgement, one paai process ÷ bare FastAPI + pydantic route",
        f"{thousands(ratio.ours)} req/s",
        f"{thousands(ratio.reference)} req/s",
        spread(ratio),
        "≥ 0.7",
        (
            f"wrk, {_CONNECTIONS} connections, {_PAIRS} pairs of {_SECONDS:g} s.",
            (
                f"CPU of the server process {ours.server_cpu:.0%} (paai), {reference.server_cpu:.0%} (bare); of the client "
                f"{ours.client_cpu:.0%} and {reference.client_cpu:.0%} of its core, which it shares with the broker."
            ),
            (
                f"Latency p50 {ours.p50_ms:.0f} ms, p99 {ours.p99_ms:.0f} ms (paai), {reference.p50_ms:.0f} and "
                f"{reference.p99_ms:.0f} ms (bare)."
            ),
        ),
    )


def _batch(system: BenchSystem) -> Row:
    readings = [
        {"device_id": f"bench-{i:04d}", "tag": "Thermostat", "timestamp": 1_700_000_000 + i / 1000, "temperature": 20.5}
        for i in range(_BATCH)
    ]
    body = json.dumps(readings, separators=(",", ":"))
    loads: list[Load] = []

    def validate() -> float:
        command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", _VALIDATE]
        return float(subprocess.run(command, input=body, capture_output=True, text=True, check=True, timeout=120).stdout)

    with paai_server(kafka=system.kafka, mongo=system.mongo) as (process, port):

        def ours() -> float:
            loads.append(load(port, process, body="batch", connections=8, seconds=_SECONDS))
            if loads[-1].failed:
                raise SystemExit(f"{loads[-1].failed} batches failed")
            return loads[-1].per_s * _BATCH

        ratio = measure_pairs(ours, validate, pairs=_PAIRS)
    return Row(
        f"batch POST ({_BATCH} readings), one paai process ÷ pydantic validate_json of the same bytes",
        f"{thousands(ratio.ours)} readings/s",
        f"{thousands(ratio.reference)} readings/s",
        spread(ratio),
        "≥ 0.5",
        (f"8 connections; CPU of paai {loads[-1].server_cpu:.0%}, of the client {loads[-1].client_cpu:.0%}.",),
    )


def spread(ratio: Ratio) -> str:
    return f"{ratio.median:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"
