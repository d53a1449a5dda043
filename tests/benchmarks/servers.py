"""Single server processes on a core of their own, and a native client that keeps them busy."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.helpers.wait import wait_until

#: The measured process has the first core to itself; client and broker share the second.
SERVER_CORE, CLIENT_CORE = 0, 1
_SCRIPT = Path(__file__).parent / "post.lua"


@dataclass(frozen=True, slots=True)
class Load:
    """One run of the client.

    Attributes:
        per_s: Requests answered per second.
        failed: Answers other than 2xx, and broken connections.
        p50_ms, p99_ms: Latency.
        server_cpu, client_cpu: Share of one core, 0 … 1.
    """

    per_s: float
    failed: int
    p50_ms: float
    p99_ms: float
    server_cpu: float
    client_cpu: float


def free_port() -> int:
    """A TCP port that is free on loopback right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def server(
    command: Sequence[str], *, port: int, probe: str, environment: dict[str, str] | None = None
) -> Iterator[psutil.Process]:
    """Start one server process on its core; wait until `probe` answers 200; stop it afterwards."""
    process = subprocess.Popen(
        ["taskset", "-c", str(SERVER_CORE), *command], env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: _answers(port, probe), 30, f"the server on port {port}")
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(15)


def _answers(port: int, path: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=2).status_code < 500
    except httpx.HTTPError:
        return False


@contextlib.contextmanager
def bare_server() -> Iterator[tuple[psutil.Process, int]]:
    """The bare FastAPI + pydantic route, with the same server settings as paai."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.benchmarks.bare_app:app", "--port", str(port), "--loop", "uvloop"]
    command += ["--http", "httptools", "--no-access-log", "--log-level", "warning", "--backlog", "2048"]
    with server(command, port=port, probe="/openapi.json") as process:
        yield process, port


@contextlib.contextmanager
def paai_server(*, kafka: str, mongo: str) -> Iterator[tuple[psutil.Process, int]]:
    """One paai process."""
    port = free_port()
    environment = {"PAAI_PORT": str(port), "PAAI_KAFKA_BOOTSTRAP": kafka, "PAAI_MONGO_URI": mongo, "PAAI_LOG_LEVEL": "WARNING"}
    with server([sys.executable, "-m", "backend.paai"], port=port, probe="/readyz", environment=environment) as process:
        wait_until(lambda: httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200, 30, "paai to be ready")
        yield process, port


def load(port: int, server_process: psutil.Process, *, body: str, connections: int, seconds: float) -> Load:
    """Run wrk against one server process; `body` is "single" or "batch", see post.lua."""
    before, begun = server_process.cpu_times(), time.monotonic()
    answered = post(f"http://127.0.0.1:{port}", body=body, connections=connections, seconds=seconds, core=CLIENT_CORE)
    elapsed = time.monotonic() - begun
    after = server_process.cpu_times()
    return Load(
        per_s=answered["per_s"],
        failed=int(answered["failed"]),
        p50_ms=answered["p50_ms"],
        p99_ms=answered["p99_ms"],
        server_cpu=((after.user + after.system) - (before.user + before.system)) / elapsed,
        client_cpu=answered["client_s"] / elapsed,
    )


def post(
    address: str, *, body: str, connections: int, seconds: float, core: int | None = None, token: str = ""
) -> dict[str, float]:
    """Run wrk against an address, on one core where it is named.

    Returns:
        ``per_s`` requests answered a second, ``failed`` (answers other than 2xx, broken connections), ``p50_ms``, ``p99_ms``,
        ``client_s`` seconds of CPU.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("wrk is not installed; `make bench` installs it, or type: apt-get install wrk")
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    client = subprocess.run(
        [
            *(*pinned, wrk, "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "20s"),
            *("-s", str(_SCRIPT), address, "--", body, token),
        ],
        stdout=subprocess.PIPE,
        text=True,
        timeout=seconds + 60,
        check=True,
    )
    fields = next(line for line in client.stdout.splitlines() if line.startswith("RESULT ")).split()[1:]
    requests, duration_us, bad_status, broken, p50, p99, client_s = (float(field) for field in fields)
    return {
        "per_s": requests / (duration_us / 1e6),
        "failed": bad_status + broken,
        "p50_ms": p50 / 1000,
        "p99_ms": p99 / 1000,
        "client_s": client_s,
    }
