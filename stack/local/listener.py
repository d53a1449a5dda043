"""Counts unexpected exits per service: an event listener that supervisord starts beside the services.

Speaks supervisord's event protocol on stdin and stdout; so nothing may be printed here.
"""

import contextlib
import sys
from pathlib import Path
from typing import BinaryIO

from stack.local import jsonfile


def parse_tokens(text: str) -> dict[str, str]:
    """``key:value key:value`` of an event's header and payload."""
    return dict(token.split(":", 1) for token in text.split())


def is_unexpected(event: str, payload: dict[str, str]) -> bool:
    """Whether the event tells of an exit that nobody asked for."""
    if event == "PROCESS_STATE_BACKOFF":  # it exited before it counted as started
        return True
    return event == "PROCESS_STATE_EXITED" and payload.get("expected") == "0"


def count(path: Path, process: str) -> None:
    """Add one for a process named ``group:name``. A full disk loses the count, not the listener."""
    counts = jsonfile.counts(path)
    with contextlib.suppress(OSError):
        jsonfile.write(path, {**counts, process: counts.get(process, 0) + 1})


def serve(path: Path, source: BinaryIO, sink: BinaryIO) -> None:
    """Answer events until supervisord closes `source`."""
    while True:
        sink.write(b"READY\n")
        sink.flush()
        line = source.readline()
        if not line:
            return
        header = parse_tokens(line.decode())
        payload = parse_tokens(source.read(int(header["len"])).decode())
        if is_unexpected(header["eventname"], payload):
            count(path, f"{payload['groupname']}:{payload['processname']}")
        sink.write(b"RESULT 2\nOK")
        sink.flush()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
