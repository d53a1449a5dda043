"""The first fleet of a deployment from the terminal, against a generator and a paai that count what they are asked."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from desktop.headless.first_fleet import FirstFleet
from desktop.model.first_fleet import STARTER_FLEET
from desktop.model.fleet import FleetState
from stack.target import Endpoints

EMPTY = {"Thermostat": 0, "Barometer": 0, "Hygrometer": 0, "HeartRateMeter": 0}
STORED = {
    "device_id": "a",
    "sensor": "temperature",
    "first": "2026-01-01T00:00:00Z",
    "last": "2026-01-01T00:00:00Z",
    "count": 1,
}


class System:
    """Both services on one port."""

    def __init__(self) -> None:
        self.fleet: dict[str, Any] = dict(EMPTY)
        self.stored: list[dict[str, Any]] = []
        self.puts: list[dict[str, Any]] = []
        self.refuses = False
        system = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self, body: dict[str, Any], status: int = 200) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                if "devices" in self.path:
                    self._answer({"devices": system.stored, "next": None})
                else:
                    self._answer(system.fleet)

            def do_PUT(self) -> None:
                system.puts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer(system.fleet, 503 if system.refuses else 200)

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def look(self, fleet: FleetState) -> FirstFleet:
        """One look, with `fleet` as what the feeds know."""
        url = f"http://127.0.0.1:{self.server.server_address[1]}"
        first = FirstFleet(endpoints=Endpoints(url, url, "", "", url, url), fleet=lambda: fleet)
        first.run(threading.Event())
        return first


@pytest.fixture
def system() -> Iterator[System]:
    made = System()
    yield made
    made.server.shutdown()
    made.thread.join(10)
    made.server.server_close()


def test_it_is_started_once_nothing_was_ever_sent_and_said(system: System) -> None:
    first = system.look(FleetState(as_of=1.0))
    assert system.puts == [dict(STARTER_FLEET)]
    assert "first fleet of 45 devices was started" in first.note


@pytest.mark.parametrize(
    "known", [FleetState(counts={**EMPTY, "Barometer": 1}, as_of=1.0), FleetState(acknowledged=5, as_of=1.0)]
)
def test_a_fleet_that_somebody_set_is_left_alone(system: System, known: FleetState) -> None:
    assert system.look(known).note == ""
    assert system.puts == []


def test_a_fleet_set_meanwhile_is_left_alone(system: System) -> None:
    system.fleet["Hygrometer"] = 3
    assert system.look(FleetState(as_of=1.0)).note == ""
    assert system.puts == []


def test_a_fleet_emptied_on_purpose_stays_empty(system: System) -> None:
    system.stored.append(STORED)
    assert system.look(FleetState(as_of=1.0)).note == ""
    assert system.puts == []


def test_a_refusal_is_said(system: System) -> None:
    system.refuses = True
    assert system.look(FleetState(as_of=1.0)).note.startswith("No first fleet was started: The generator")


def test_leaving_ends_the_wait_for_a_generator_that_never_answers(system: System) -> None:
    stop = threading.Event()
    stop.set()
    first = FirstFleet(endpoints=Endpoints("", "", "", "", "", ""), fleet=FleetState)
    first.run(stop)
    assert first.note == ""
