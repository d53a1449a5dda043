"""The event listener counts exits that nobody asked for."""

import io
from pathlib import Path

from stack.local import jsonfile, listener


def event(name: str, payload: str) -> bytes:
    return f"ver:3.0 server:s serial:1 pool:p poolserial:1 eventname:{name} len:{len(payload)}\n{payload}".encode()


def test_unexpected_exits_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "restarts.json"
    source = io.BytesIO(
        event("PROCESS_STATE_EXITED", "processname:0 groupname:paai from_state:RUNNING expected:0 pid:7")
        + event("PROCESS_STATE_EXITED", "processname:0 groupname:paai from_state:RUNNING expected:0 pid:8")
        + event("PROCESS_STATE_EXITED", "processname:spark-job groupname:spark-job from_state:RUNNING expected:1 pid:9")
        + event("PROCESS_STATE_BACKOFF", "processname:broker groupname:broker from_state:STARTING tries:1")
    )
    sink = io.BytesIO()
    listener.serve(path, source, sink)
    assert jsonfile.read(path) == {"paai:0": 2, "broker:broker": 1}
    assert sink.getvalue() == b"READY\nRESULT 2\nOK" * 4 + b"READY\n"
