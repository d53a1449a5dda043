"""The feeds learn the services' time before anything is judged by it."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from desktop.model.services_clock import ServicesClock
from desktop.model.store import LiveStore
from desktop.workers.feeds import LiveFeeds
from tests.helpers.fake_target import FakeTarget

FLEET = {
    "Thermostat": 3, "Barometer": 0, "Hygrometer": 0, "HeartRateMeter": 0, "interval_s": 1.0, "running": True,
    "wanted_per_s": 3.0, "sent_per_s": 3.0, "acknowledged": 1, "retried": 0, "given_up": 0, "backlog": 0, "behind_ms": 0.0,
}  # fmt: skip


class Answers(BaseHTTPRequestHandler):
    """A generator; `send_response` writes the Date."""

    def do_GET(self) -> None:
        body = json.dumps(FLEET).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def generator() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("wrong_s", [3600.0, -3600.0])
def test_a_wrong_clock_is_known_before_the_first_judgement(generator: str, wrong_s: float) -> None:
    target = FakeTarget(up=True)
    target.given = replace(target.endpoints(), generator=generator, kafka="127.0.0.1:9", mongo="mongodb://127.0.0.1:9/")
    clock = ServicesClock(wall=lambda: time.time() + wrong_s)
    store = LiveStore(clock=clock)
    feeds = LiveFeeds(target=target, store=store, clock=clock)
    try:
        assert store.now() == pytest.approx(time.time(), abs=2.0)
        health = feeds.health()
        assert health.at == pytest.approx(time.time(), abs=2.0)
        (message,) = [m for m in health.messages if m.key == "clock-skew"]
        assert f"1 h 0 min {'ahead of' if wrong_s > 0 else 'behind'}" in message.text
        assert [m.key for m in health.messages] == ["clock-skew"], "nobody is said to be silent for an hour"
    finally:
        feeds.stop(1.0)
