"""The server as a real process: inherited socket, drain on SIGTERM, readable failures, shared metrics."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.helpers.wait import wait_until

_PROGRAM = """
from backend.common.app import create_service_app
from backend.common.health import Health
from backend.common.log import set_up_logging
from backend.common.metrics import MetricDef, Metrics
from backend.common.server import run
from backend.common.settings import ServiceSettings, load_settings

settings = load_settings(ServiceSettings, service="probe")
set_up_logging(settings.log_level, service="probe")
count = MetricDef("calls_total", "counter", "Calls.")
metrics = Metrics([count])
app = create_service_app(title="probe", version="1", description="", tokens=(), health=Health(), metrics=metrics)

@app.get("/call")
async def call() -> None:
    metrics.counter(count).inc()

run(app, settings, service="probe")
"""


def start(*, pass_fds: tuple[int, ...] = (), **variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **variables, "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env=environment,
        pass_fds=pass_fds,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock


def answers(url: str) -> int | None:
    try:
        return httpx.get(url, timeout=5).status_code
    except httpx.HTTPError:
        return None


def stop(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGTERM)
    return process.communicate(timeout=20)[0]


def test_drain_then_end_with_status_0() -> None:
    with listening() as sock:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        process = start(pass_fds=(sock.fileno(),), PAAI_FD=str(sock.fileno()), PAAI_DRAIN_S="2")
        try:
            wait_until(lambda: answers(f"{url}/readyz") == 200, 20, "the server")
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            wait_until(lambda: answers(f"{url}/readyz") == 503, 5, "not ready")
            assert answers(f"{url}/call") == 200
            assert process.wait(timeout=20) == 0
            assert time.monotonic() - begun >= 2
        finally:
            process.kill()
            output = process.communicate()[0]
        assert "INFO probe: probe ended" in output
        assert "Traceback" not in output


def test_a_second_signal_ends_the_drain() -> None:
    with listening() as sock:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        process = start(pass_fds=(sock.fileno(),), PAAI_FD=str(sock.fileno()), PAAI_DRAIN_S="300")
        try:
            wait_until(lambda: answers(f"{url}/healthz") == 200, 20, "the server")
            process.send_signal(signal.SIGTERM)
            wait_until(lambda: answers(f"{url}/healthz") == 503, 5, "the drain")
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
            process.communicate()


def test_two_processes_on_one_socket_share_metrics(tmp_path: Path) -> None:
    with listening() as sock:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        variables = {"PAAI_FD": str(sock.fileno()), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics")}
        processes = [start(pass_fds=(sock.fileno(),), **variables) for _ in range(2)]
        try:
            wait_until(lambda: answers(f"{url}/healthz") == 200, 20, "a server")
            for _ in range(20):
                assert answers(f"{url}/call") == 200
            assert "calls_total 20.0" in httpx.get(f"{url}/metrics").text
        finally:
            for process in processes:
                stop(process)


def test_port_in_use_is_one_line() -> None:
    with listening() as sock:
        process = start(PAAI_PORT=str(sock.getsockname()[1]))
        output = process.communicate(timeout=20)[0]
    assert process.returncode == 1
    assert "Address already in use" in output
    assert "Traceback" not in output


def test_bad_settings_are_one_line_and_status_2() -> None:
    process = start(PAAI_PORT="many")
    output = process.communicate(timeout=20)[0]
    assert process.returncode == 2
    assert output.startswith("probe cannot start")
    assert "Traceback" not in output


def test_what_is_no_http_is_answered_in_the_contracts_form() -> None:
    with listening() as sock:
        process = start(pass_fds=(sock.fileno(),), PAAI_FD=str(sock.fileno()))
        try:
            port = sock.getsockname()[1]
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz") == 200, 60, "the server")
            for request in (
                b"nonsense\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
                b"\x16\x03\x01\x02\x00",
            ):
                with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                    connection.sendall(request)
                    received = b"".join(iter(lambda: connection.recv(65536), b""))
                head, _, body = received.partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 400 ")
                assert b"content-type: application/json" in head
                assert "not valid HTTP" in json.loads(body)["detail"]
        finally:
            process.kill()
            process.communicate()
