"""A Docker engine's HTTP interface that records what a client creates: enough for `docker stack deploy`. It runs nothing."""

import json
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Document = dict[str, Any]

_VERSION = "1.41"


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    created: dict[str, Document]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_HEAD(self) -> None:
        self._answer(None)

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path = re.sub(r"^/v[\d.]+", "", address.path)
        if path == "/_ping":
            self._answer(None)
        elif path == "/info":
            self._answer({"ID": "x", "Swarm": {"LocalNodeState": "active", "ControlAvailable": True, "NodeID": "n"}})
        elif path == "/version":
            self._answer({"ApiVersion": _VERSION, "MinAPIVersion": "1.12", "Version": "20.10.24"})
        elif path == "/secrets":
            wanted = json.loads(parse_qs(address.query).get("filters", ["{}"])[0]).get("name", {})
            self._answer([{"ID": f"id-{name}", "Spec": {"Name": name}} for name in wanted])
        elif name := re.fullmatch(r"/secrets/(.+)", path):
            self._answer({"ID": f"id-{name[1]}", "Spec": {"Name": name[1]}})
        else:
            self._answer([])

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if urlsplit(self.path).path.endswith("/services/create"):
            self.server.created[body["Name"]] = body
        self._answer({"ID": "new"}, status=201)

    def _answer(self, document: object, *, status: int = 200) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        for name, value in (("Api-Version", _VERSION), ("Swarm", "active/manager"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def address_string(self) -> str:
        return "unix"


@contextmanager
def serving(socket: Path) -> Iterator[dict[str, Document]]:
    """Serve on a unix socket; yields the services that were created, by name."""
    with _Server(str(socket), _Handler) as server:
        server.created = {}
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.created
        finally:
            server.shutdown()
            thread.join(10)
