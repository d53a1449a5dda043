"""A fleet that was made smaller leaves no open dropouts: the generator's answer reaches what is known of anomalies."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from desktop.model.predictions.record import Grade, Prediction
from desktop.model.store import LiveStore
from desktop.workers.feeds import LiveFeeds
from tests.helpers.fake_target import FakeTarget
from tests.helpers.wait import wait_until

FLEET = {
    "Thermostat": 1_300, "Barometer": 0, "Hygrometer": 0, "HeartRateMeter": 0, "interval_s": 1.0, "running": True,
    "wanted_per_s": 3.0, "sent_per_s": 3.0, "acknowledged": 1, "retried": 0, "given_up": 0, "backlog": 0, "behind_ms": 0.0,
}  # fmt: skip


class Generator(ThreadingHTTPServer):
    """Answers with its fleet."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.fleet = dict(FLEET)


class Answers(BaseHTTPRequestHandler):
    """One request to the generator."""

    server: Generator

    def do_GET(self) -> None:
        body = json.dumps(self.server.fleet).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def generator() -> Iterator[Generator]:
    server = Generator()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def silence(n: int) -> Prediction:
    return Prediction(
        id=f"thermostat-{n:05d}/temperature/1/dropout",
        device_id=f"thermostat-{n:05d}",
        sensor="temperature",
        t_ms=1_000,
        value=float("nan"),
        score=1.0,
        anomaly=True,
        reason="Dropout.",
        kind="dropout",
        grade=Grade.CRITICAL,
        since_ms=1_000,
    )


def test_a_slider_from_1300_to_20_leaves_no_open_dropouts(generator: Generator) -> None:
    target = FakeTarget(up=True)
    address = f"http://127.0.0.1:{generator.server_address[1]}"
    target.given = replace(target.endpoints(), generator=address, kafka="127.0.0.1:9", mongo="mongodb://127.0.0.1:9/")
    store = LiveStore()
    feeds = LiveFeeds(target=target, store=store)
    feeds.start()
    try:
        wait_until(lambda: feeds.fleet().counts["Thermostat"] == 1_300, 10, "the fleet")
        generator.fleet["Thermostat"] = 20
        wait_until(lambda: feeds.fleet().counts["Thermostat"] == 20, 10, "the smaller fleet")
        store.predictions.ingest([silence(n) for n in range(20, 1_301)])
        wait_until(lambda: len(store.predictions.events()) == 1, 10, "the silences of the fleet to go")
        assert [e.key.device_id for e in store.predictions.events()] == ["thermostat-00020"]
    finally:
        feeds.stop(5.0)
