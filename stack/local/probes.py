"""Asks a service whether it is well. Each probe answers within `PROBE_TIMEOUT_S` and never raises for an unwell service."""

import math
import socket
import struct
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pymongo
from pymongo.errors import NetworkTimeout, PyMongoError, ServerSelectionTimeoutError

from backend.contract.documents import DECODING
from backend.contract.ports import Ports
from stack.catalogue import HealthKind, Service, port_of
from stack.local import jsonfile
from stack.local.layout import Layout

PROBE_TIMEOUT_S: Final = 2.0

#: A state file older than this is no sign of life any more. Services write theirs at least every 10 s.
STATE_MAX_AGE_S: Final = 30.0
_MAX_MESSAGE: Final = 1_000
#: The year 5138; a larger time is damaged.
_MAX_TIME_S: Final = 1e11


@dataclass(frozen=True, slots=True)
class Health:
    """A probe's answer.

    Attributes:
        ok: Whether the service is well.
        message: Why not, one sentence; empty when it is.
        note: What a healthy service reports about itself; see `ServiceStatus.note`.
    """

    ok: bool
    message: str = ""
    note: str = ""


class Prober:
    """Probes the services of one system on loopback. Any thread may call."""

    def __init__(self, layout: Layout, ports: Ports) -> None:
        self._layout, self._ports = layout, ports

    def probe(self, service: Service) -> Health:
        """Ask one service."""
        try:
            return self._ask(service)
        except (OSError, httpx.HTTPError, PyMongoError) as error:
            return Health(False, f"{service.title} does not answer{self._where(service)} ({_brief(error)}).")
        except (ValueError, KeyError, TypeError) as error:
            return Health(False, f"{service.title} answers{self._where(service)}, but not as itself ({_brief(error)}).")

    def probe_all(self, services: Iterable[Service]) -> dict[str, Health]:
        """Ask several at the same time."""
        wanted = list(services)
        with ThreadPoolExecutor(max_workers=max(1, len(wanted)), thread_name_prefix="probe") as pool:
            return dict(zip((s.name for s in wanted), pool.map(self.probe, wanted), strict=True))

    def _where(self, service: Service) -> str:
        return f" on port {port_of(self._ports, service.ports[0])}" if service.ports else ""

    def _ask(self, service: Service) -> Health:
        if service.health is HealthKind.STATE_FILE:
            return self._state_file(service)
        port = port_of(self._ports, service.ports[0])
        match service.health:
            case HealthKind.ZOOKEEPER:
                return _zookeeper(port)
            case HealthKind.KAFKA:
                return _kafka(port)
            case HealthKind.MONGO:
                return _mongo(port)
            case HealthKind.SPARK_MASTER:
                status = _get_json(f"http://127.0.0.1:{port}/json/")["status"]
                return Health(status == "ALIVE", "" if status == "ALIVE" else f"The Spark master is {status}.")
            case HealthKind.SPARK_WORKER:
                return self._spark_worker(port)
            case _:
                return _http(service, port)

    def _spark_worker(self, port: int) -> Health:
        _get_json(f"http://127.0.0.1:{port}/json/")
        master = _get_json(f"http://127.0.0.1:{self._ports.spark_master_ui}/json/")
        alive = any(worker["state"] == "ALIVE" for worker in master["workers"])
        return Health(alive, "" if alive else "The Spark worker has not registered with the master.")

    def _state_file(self, service: Service) -> Health:
        state = jsonfile.read(self._layout.state / f"{service.name}.json")
        if not state:
            return Health(False, f"{service.title} has not reported yet.")
        message = str(state.get("message", ""))[:_MAX_MESSAGE]
        at = state.get("at")
        # A whole number may be too large for a float.
        age_s = time.time() - at if isinstance(at, int | float) and abs(at) < _MAX_TIME_S else math.inf
        if state.get("ok") is not True:
            return Health(False, message or f"{service.title} reports that it is not well.")
        if not math.isfinite(age_s):
            return Health(False, f"{service.title} has not reported when.")
        # One from the future is as old: its writer has not reported since the clock was set back.
        if abs(age_s) > STATE_MAX_AGE_S:
            return Health(False, f"{service.title} has not reported for {abs(age_s):.0f} s.")
        return Health(True, note=message)


def _zookeeper(port: int) -> Health:
    with _connect(port) as connection:
        connection.sendall(b"ruok")
        answer = connection.recv(100)
    return Health(answer == b"imok", "" if answer == b"imok" else f"ZooKeeper answers {answer!r} to ruok.")


def _kafka(port: int) -> Health:
    """ApiVersions, version 0: the first thing every client asks; answered once the broker takes requests."""
    client = b"stack"
    body = struct.pack(">hhih", 18, 0, 1, len(client)) + client
    with _connect(port) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        answer = connection.recv(10)
    if len(answer) < 10:
        return Health(False, "The broker closed the connection.")
    error: int = struct.unpack(">iih", answer)[2]
    return Health(error == 0, "" if error == 0 else f"The broker answers with error {error}.")


def _mongo(port: int) -> Health:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        "127.0.0.1",
        port,
        directConnection=True,
        serverSelectionTimeoutMS=int(PROBE_TIMEOUT_S * 800),
        socketTimeoutMS=int(PROBE_TIMEOUT_S * 1000),
        **DECODING,
    )
    with client:
        client.admin.command("ping")
    return Health(True)


def _http(service: Service, port: int) -> Health:
    answer = httpx.get(f"http://127.0.0.1:{port}{service.health_path}", timeout=PROBE_TIMEOUT_S, trust_env=False)
    if answer.status_code == httpx.codes.OK:
        return Health(True)
    return Health(False, f"{service.title} answers {answer.status_code} to {service.health_path}.")


def _get_json(url: str) -> Any:
    answer = httpx.get(url, timeout=PROBE_TIMEOUT_S, trust_env=False)
    answer.raise_for_status()
    return answer.json()


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PROBE_TIMEOUT_S)


def _brief(error: Exception) -> str:
    """The error in a few words: drivers put whole topologies into theirs."""
    if isinstance(error, ConnectionRefusedError) or "refused" in str(error).lower():
        return "nothing listens there"
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"no answer within {PROBE_TIMEOUT_S:g} s"
    if isinstance(error, ServerSelectionTimeoutError | NetworkTimeout):
        return "no answer in time"
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP status {error.response.status_code}"
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text if len(text) <= 120 else text[:117] + "…"
