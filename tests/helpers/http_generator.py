"""A generator that only tells its fleet, over HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FLEET = {
    "Thermostat": 3, "Barometer": 0, "Hygrometer": 0, "HeartRateMeter": 0, "interval_s": 1.0, "running": True,
    "wanted_per_s": 3.0, "sent_per_s": 3.0, "acknowledged": 1, "retried": 0, "given_up": 0, "backlog": 0, "behind_ms": 0.0,
}  # fmt: skip


class HttpGenerator(ThreadingHTTPServer):
    """Answers with its fleet.

    Attributes:
        fleet: What it answers; may be changed.
    """

    def __init__(self, **fleet: Any) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.fleet = {**FLEET, **fleet}

    @property
    def address(self) -> str:
        """``http://127.0.0.1:…``."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    """One request; `send_response` writes the Date."""

    server: HttpGenerator

    def do_GET(self) -> None:
        body = json.dumps(self.server.fleet).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def http_generator(**fleet: Any) -> Iterator[HttpGenerator]:
    """Serve until the end; `fleet` replaces parts of `FLEET`."""
    server = HttpGenerator(**fleet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
