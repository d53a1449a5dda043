"""The images' health checks: `python3 -I -S probe.py KIND [ARGUMENT]` exits 0 when the service is well, else 1 with the reason.
A healthy service's note is printed too: the engine keeps the output of a container's last checks.

A file of its own, run without site packages: it is started anew every few seconds in every container.

    http URL            GET answers 200
    zookeeper PORT      the four letters "ruok"
    broker PORT         an ApiVersions request
    mongo PORT          the command ping
    state FILE          the service's own state file is young and says ok
"""

import json
import os
import socket
import struct
import sys
import time
from urllib.parse import urlsplit

#: Below the checks' own timeout, so that the reason is seen.
TIMEOUT_S = 4.0
#: Services write their state file at least every 10 s.
STATE_MAX_AGE_S = 30.0
#: How long brokers may take to find a quorum.
QUORUM_S = 300.0
CONTROLLER_PORT = "9093"

#: OP_MSG with the document {"ping": 1, "$db": "admin"}.
_PING = bytes.fromhex("1e0000001070696e670001000000") + b"\x02$db\x00\x06\x00\x00\x00admin\x00\x00"


class Note(str):
    """What a healthy service reports about itself."""

    __slots__ = ()


def probe_http(url: str) -> str:
    """Reason why it is not well, or empty; so the others."""
    import http.client  # takes longer to import than all the rest

    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", parts.path or "/")
        status = connection.getresponse().status
    except http.client.HTTPException as error:
        return f"does not speak HTTP: {type(error).__name__}"
    return "" if status == 200 else f"{parts.path} answers {status}"


def probe_zookeeper(port: str) -> str:
    with _connect(port) as connection:
        connection.sendall(b"ruok")
        answer = connection.recv(100)
    return "" if answer == b"imok" else f"answers {answer!r} to ruok"


def probe_broker(port: str) -> str:
    try:
        return _api_versions(port)
    except OSError:
        # Brokers that are voters too serve once they have a quorum, and find one another only while they count as healthy.
        if "PAAI_NODE_ID" in os.environ and _age_s() < QUORUM_S:
            _connect(CONTROLLER_PORT).close()
            return ""
        raise


def _api_versions(port: str) -> str:
    client = b"probe"
    body = struct.pack(">hhih", 18, 0, 1, len(client)) + client
    with _connect(port) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        answer = connection.recv(10)
    if len(answer) < 10:
        return "the broker closed the connection"
    error = struct.unpack(">iih", answer)[2]
    return "" if error == 0 else f"the broker answers with error {error}"


def probe_mongo(port: str) -> str:
    message = struct.pack("<iiiiIB", 21 + len(_PING), 1, 0, 2013, 0, 0) + _PING
    with _connect(port) as connection:
        connection.sendall(message)
        answer = connection.recv(65536)
    at = answer.find(b"\x01ok\x00")
    good = at >= 0 and struct.unpack_from("<d", answer, at + 4)[0] == 1.0
    return "" if good else "does not answer ping as MongoDB does"


def probe_state(path: str) -> str:
    with open(path, encoding="utf-8") as handle:  # noqa: PTH123  # pathlib takes longer to import than all of this takes
        state = json.load(handle)
    if state["ok"] is not True:
        return str(state["message"]) or "reports that it is not healthy"
    age_s = abs(time.time() - float(state["at"]))
    return Note(state.get("message", "")) if age_s < STATE_MAX_AGE_S else f"has not reported for {age_s:.0f} s"


PROBES = {
    "http": probe_http,
    "zookeeper": probe_zookeeper,
    "broker": probe_broker,
    "mongo": probe_mongo,
    "state": probe_state,
}


def _age_s() -> float:
    """Since the container's first process was started."""
    with open("/proc/1/stat") as handle:  # noqa: PTH123
        started = int(handle.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    with open("/proc/uptime") as handle:  # noqa: PTH123
        return float(handle.read().split()[0]) - started


def _connect(port: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(port)), timeout=TIMEOUT_S)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] not in PROBES:
        sys.stdout.write(f"usage: probe {'|'.join(PROBES)} ARGUMENT\n")
        return 1
    try:
        reason = PROBES[arguments[0]](arguments[1])
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError, struct.error) as error:
        reason = f"{type(error).__name__}: {error}"
    if reason:
        sys.stdout.write(f"{reason[:300]}\n")
    return 1 if reason and not isinstance(reason, Note) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
