"""Health checks of containers, against small servers."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bson
import pytest

from stack.container import probe


@contextmanager
def answering(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """A server that answers one request a connection; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            try:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(answer(connection.recv(65536)))
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield str(server.getsockname()[1])
        thread.join(timeout=10)


def check(kind: str, argument: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = probe.main([kind, argument])
    return code, capsys.readouterr().out.strip()


def test_zookeeper(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(lambda asked: b"imok" if asked == b"ruok" else b"?") as port:
        assert check("zookeeper", port, capsys) == (0, "")
    with answering(lambda _: b"busy") as port:
        assert check("zookeeper", port, capsys)[0] == 1


def test_broker(capsys: pytest.CaptureFixture[str]) -> None:
    def versions(error: int) -> Callable[[bytes], bytes]:
        return lambda asked: struct.pack(">iih", 6, struct.unpack(">ihhi", asked[:12])[3], error)

    with answering(versions(0)) as port:
        assert check("broker", port, capsys) == (0, "")
    with answering(versions(35)) as port:
        assert check("broker", port, capsys) == (1, "the broker answers with error 35")


def test_mongo_answers_ping_in_its_own_protocol(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(ok: float) -> Callable[[bytes], bytes]:
        def reply(asked: bytes) -> bytes:
            length, request, _, code, _, kind = struct.unpack_from("<iiiiIB", asked)
            assert (length, code, kind) == (len(asked), 2013, 0)
            assert bson.decode(asked[21:]) == {"ping": 1, "$db": "admin"}
            body = bson.encode({"ok": ok})
            return struct.pack("<iiiiIB", 21 + len(body), 2, request, 2013, 0, 0) + body

        return reply

    with answering(answer(1.0)) as port:
        assert check("mongo", port, capsys) == (0, "")
    with answering(answer(0.0)) as port:
        assert check("mongo", port, capsys)[0] == 1


def test_http(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as port:
        assert check("http", f"http://127.0.0.1:{port}/healthz", capsys) == (0, "")
    with answering(lambda _: b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n") as port:
        assert check("http", f"http://127.0.0.1:{port}/healthz", capsys) == (1, "/healthz answers 503")
    with answering(lambda _: b"gibberish\r\n") as port:
        assert check("http", f"http://127.0.0.1:{port}/healthz", capsys)[0] == 1


def test_state_file_must_be_well_and_young(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "state.json"

    def said(ok: bool, message: str, age_s: float) -> tuple[int, str]:
        file.write_text(json.dumps({"ok": ok, "message": message, "at": time.time() - age_s}), "utf-8")
        return check("state", str(file), capsys)

    assert said(True, "", 1) == (0, "")
    assert said(False, "waits for Kafka", 1) == (1, "waits for Kafka")
    assert said(True, "", 45) == (1, "has not reported for 45 s")
    file.unlink()
    assert check("state", str(file), capsys)[0] == 1


def test_nobody_there_is_a_reason_and_no_crash(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    for kind in ("zookeeper", "broker", "mongo"):
        code, reason = check(kind, port, capsys)
        assert code == 1
        assert "refused" in reason
    assert probe.main(["nothing"]) == 1


def test_a_voter_without_a_quorum_counts_as_well_for_a_while(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as closed:
        dead = str(closed.getsockname()[1])
        closed.close()
        monkeypatch.setattr(probe, "CONTROLLER_PORT", str(server.getsockname()[1]))
        monkeypatch.setattr(probe, "_age_s", lambda: 10.0)
        assert check("broker", dead, capsys)[0] == 1
        monkeypatch.setenv("PAAI_NODE_ID", "2")
        assert check("broker", dead, capsys)[0] == 0
        monkeypatch.setattr(probe, "_age_s", lambda: probe.QUORUM_S + 1)
        assert check("broker", dead, capsys)[0] == 1


def test_the_note_of_a_healthy_state_file_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"ok": True, "message": "No model promoted", "at": time.time()}), "utf-8")
    assert check("state", str(file), capsys) == (0, "No model promoted")
