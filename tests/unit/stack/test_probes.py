"""Probes: what a healthy service answers is taken, everything else becomes one sentence."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from backend.contract.ports import Ports
from stack.catalogue import find
from stack.local import jsonfile
from stack.local.layout import Layout
from stack.local.probes import Health, Prober


@contextlib.contextmanager
def raw_server(answer: bytes, port: int) -> Iterator[list[bytes]]:
    """Answers one connection with fixed bytes; gives what it received."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", port))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            received.append(connection.recv(100))
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield received
    finally:
        thread.join(5)
        listener.close()


@contextlib.contextmanager
def http_server(pages: Mapping[str, tuple[int, object]], *ports: int) -> Iterator[None]:
    """Answers JSON pages on each of the ports."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = pages.get(self.path, (404, {}))
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    servers = [HTTPServer(("127.0.0.1", port), Handler) for port in ports]
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,)) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join(5)
            server.server_close()


@pytest.fixture
def ports() -> Ports:
    """Shifted to where the ports used here are free."""
    for offset in range(31_000, 36_000, 7):
        ports = Ports(offset)
        try:
            for port in (ports.zookeeper, ports.kafka, ports.paai, ports.spark_master_ui, ports.spark_worker_ui):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return ports
    raise AssertionError("no free ports")


@pytest.fixture
def prober(layout: Layout, ports: Ports) -> Prober:
    return Prober(layout, ports)


def test_zookeeper_says_imok(prober: Prober, ports: Ports) -> None:
    with raw_server(b"imok", ports.zookeeper) as received:
        assert prober.probe(find("zookeeper")).ok
    assert received == [b"ruok"]


def test_zookeeper_that_serves_nothing(prober: Prober, ports: Ports) -> None:
    with raw_server(b"This ZooKeeper instance is not currently serving requests", ports.zookeeper):
        health = prober.probe(find("zookeeper"))
    assert not health.ok
    assert "not currently" in health.message


@pytest.mark.parametrize(("error", "ok"), [(0, True), (35, False)])
def test_the_broker_answers_api_versions(prober: Prober, ports: Ports, error: int, ok: bool) -> None:
    answer = (10).to_bytes(4, "big") + (1).to_bytes(4, "big") + error.to_bytes(2, "big") + bytes(4)
    with raw_server(answer, ports.kafka) as received:
        assert prober.probe(find("broker")).ok is ok
    assert received[0][4:8] == b"\x00\x12\x00\x00"  # ApiVersions, version 0


def test_nothing_listens(prober: Prober, ports: Ports) -> None:
    for name in ("zookeeper", "broker", "paai", "spark-master", "mongodb"):
        health = prober.probe(find(name))
        assert not health.ok
        assert "nothing listens there" in health.message, health.message


def test_http_status_is_told(prober: Prober, ports: Ports) -> None:
    with http_server({"/healthz": (200, {})}, ports.paai):
        assert prober.probe(find("paai")).ok
    with http_server({"/healthz": (503, {})}, ports.paai):
        assert prober.probe(find("paai")).message == "paai answers 503 to /healthz."


def test_a_worker_counts_when_the_master_knows_it(prober: Prober, ports: Ports) -> None:
    known = {"/json/": (200, {"status": "ALIVE", "workers": [{"state": "ALIVE"}]})}
    unknown = {"/json/": (200, {"status": "ALIVE", "workers": []})}
    with http_server(known, ports.spark_master_ui, ports.spark_worker_ui):
        assert prober.probe(find("spark-worker")).ok
        assert prober.probe(find("spark-master")).ok
    with http_server(unknown, ports.spark_master_ui, ports.spark_worker_ui):
        assert "not registered" in prober.probe(find("spark-worker")).message


def test_something_else_on_the_port(prober: Prober, ports: Ports) -> None:
    with http_server({"/json/": (200, ["surprise"])}, ports.spark_master_ui):
        assert "not as itself" in prober.probe(find("spark-master")).message


@pytest.mark.parametrize(
    ("state", "ok", "words"),
    [
        (None, False, "has not reported yet"),
        ({"ok": True, "message": "", "at": 0.0}, True, ""),
        ({"ok": True, "message": "", "at": -31.0}, False, "has not reported for 31 s"),
        ({"ok": False, "message": "Waits for MongoDB.", "at": 0.0}, False, "Waits for MongoDB."),
    ],
)
def test_state_files(prober: Prober, layout: Layout, state: dict[str, object] | None, ok: bool, words: str) -> None:
    if state is not None:
        age = state["at"]
        assert isinstance(age, float)
        jsonfile.write(layout.state / "spark-job.json", {**state, "at": time.time() + age})
    health = prober.probe(find("spark-job"))
    assert health.ok is ok
    assert words in health.message


def test_the_message_of_a_healthy_state_file_is_a_note(prober: Prober, layout: Layout) -> None:
    jsonfile.write(layout.state / "spark-predict.json", {"ok": True, "message": "No model promoted", "at": time.time()})
    assert prober.probe(find("spark-predict")) == Health(True, note="No model promoted")


def test_all_are_asked_at_once(prober: Prober, ports: Ports) -> None:
    """Two silent services together take as long as one."""
    with socket.create_server(("127.0.0.1", ports.zookeeper)), socket.create_server(("127.0.0.1", ports.kafka)):
        begun = time.monotonic()
        answers = prober.probe_all([find("zookeeper"), find("broker")])
    assert time.monotonic() - begun < 3.5
    assert all("no answer within 2 s" in health.message for health in answers.values())
