"""The health check of containers: against a real port, on state files, and as the command that Docker runs."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from backend.common.healthcheck import check, check_url
from backend.common.state import MAX_AGE_S, write_state


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/hangs":
            self.server.release.wait(30)  # type: ignore[attr-defined]
        status = {"/healthz": 200, "/empty": 204, "/stopping": 503, "/moved": 302}.get(self.path, 404)
        self.send_response(status)
        self.end_headers()
        if status != 204:
            self.wfile.write(b'{"status":\n"stopping"}' if status == 503 else b"{}")

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.release = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.release.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def test_an_address_is_well_when_it_answers_2xx(address: str) -> None:
    assert check(f"{address}/healthz") == ""
    assert check(f"{address}/empty") == ""


@pytest.mark.parametrize(
    ("path", "says"), [("/stopping", 'answers 503: {"status": "stopping"}'), ("/moved", "answers 302"), ("/no", "answers 404")]
)
def test_other_answers_are_failures(address: str, path: str, says: str) -> None:
    assert says in check(f"{address}{path}")


def test_no_answer_is_a_failure_in_bounded_time(address: str) -> None:
    begun = time.monotonic()
    assert "does not answer" in check_url(f"{address}/hangs", timeout_s=0.2)
    assert time.monotonic() - begun < 2
    assert "does not answer" in check("http://127.0.0.1:1/healthz")
    assert "does not answer" in check("http://127.0.0.1:notaport/healthz")
    assert "no address" in check("ftp://127.0.0.1/healthz")


def test_a_state_file(tmp_path: Path) -> None:
    path = tmp_path / "spark-job.json"
    assert "has not reported yet" in check(str(path))
    write_state(path, ok=True, message="Spark is 3 s behind")
    assert check(str(path)) == ""
    write_state(path, ok=False, message="waits for Kafka")
    assert check(str(path)) == "waits for Kafka"
    write_state(path, ok=False, message="")
    assert check(str(path)) == "it is not as wanted yet"
    write_state(path, ok=True, message="", at=time.time() - MAX_AGE_S - 5)
    assert "has not reported for" in check(str(path))
    path.write_text("{", encoding="utf-8")
    assert "cannot be read" in check(str(path))


def test_the_command(address: str, tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "backend.common.healthcheck", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout.strip()

    assert run(f"{address}/healthz") == (0, "ok")
    assert run(f"{address}/no")[0] == 1
    assert run()[0] == 2
    state = tmp_path / "s.json"
    state.write_text(json.dumps({"ok": False, "message": "waits", "at": time.time()}), encoding="utf-8")
    assert run(str(state)) == (1, "waits")


def test_it_starts_without_what_services_need() -> None:
    """Docker runs it every few seconds for each container."""
    code = "import sys, backend.common.healthcheck; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True).stdout
    for heavy in ("pydantic", "fastapi", "httpx", "pymongo", "confluent_kafka", "uvicorn"):
        assert repr(heavy) not in loaded
