"""Reads the services' log files, across their rotation."""

import re
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from stack.local.layout import Layout
from stack.target import LogLine, in_order

MAX_LINE = 4000
_BLOCK = 64 * 1024
_POLL_S = 0.2


def files(layout: Layout, service: str, *, scaled: bool) -> list[tuple[int, Path]]:
    """Replica and current log file of each replica that has one."""
    if not scaled:
        return [(0, layout.log_file(service))]
    pattern = re.compile(re.escape(service) + r"-(\d+)\.log")
    found = [(int(m[1]), path) for path in layout.logs.glob(f"{service}-*.log") if (m := pattern.fullmatch(path.name))]
    return sorted(found)


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log, oldest first, continued into its rotated predecessors."""
    found: list[str] = []
    for candidate in (path, *(path.with_name(f"{path.name}.{n}") for n in range(1, 10))):
        if len(found) >= lines or not candidate.exists():
            break
        found = _tail_of_one(candidate, lines - len(found)) + found
    return found


def _tail_of_one(path: Path, lines: int) -> list[str]:
    """Reads from the end in blocks, so that a log of many megabytes costs no more than its last lines."""
    try:
        with path.open("rb") as file:
            position, data = file.seek(0, 2), b""
            while position > 0 and data.count(b"\n") <= lines:
                size = min(_BLOCK, position)
                position -= size
                file.seek(position)
                data = file.read(size) + data
    except FileNotFoundError:  # rotated away meanwhile
        return []
    return [_clean(line) for line in deque(data.splitlines(), maxlen=lines)] if lines > 0 else []


def read(layout: Layout, service: str, *, scaled: bool, lines: int) -> list[LogLine]:
    """The last `lines` lines of all replicas, merged by the time at their beginning."""
    if lines <= 0:
        return []
    found = files(layout, service, scaled=scaled)
    return in_order([LogLine(service, replica, text) for text in tail(path, lines)] for replica, path in found)[-lines:]


def follow(layout: Layout, service: str, *, scaled: bool, stop: threading.Event) -> Iterator[LogLine]:
    """New lines from now on until `stop` is set; survives rotation, and takes up replicas that appear."""
    followed = {path: _Follower(replica, path, at_end=True) for replica, path in files(layout, service, scaled=scaled)}
    while not stop.is_set():
        some = False
        for replica, path in files(layout, service, scaled=scaled):
            follower = followed.setdefault(path, _Follower(replica, path, at_end=False))
            for text in follower.new_lines():
                some = True
                yield LogLine(service, replica, text)
        if not some:
            stop.wait(_POLL_S)


class _Follower:
    """One log file; notices by its inode that another has taken its name."""

    def __init__(self, replica: int, path: Path, *, at_end: bool) -> None:
        self.replica, self._path = replica, path
        self._inode, self._position, self._rest = 0, 0, b""
        if at_end and path.exists():
            status = path.stat()
            self._inode, self._position = status.st_ino, status.st_size

    def new_lines(self) -> list[str]:
        try:
            status = self._path.stat()
            data = b""
            if self._inode and status.st_ino != self._inode:
                data = self._remainder_of_rotated()
                self._position = 0
            elif status.st_size < self._position:
                self._position = 0
            self._inode = status.st_ino
            with self._path.open("rb") as file:
                file.seek(self._position)
                fresh = file.read(4 * 1024 * 1024)
        except FileNotFoundError:
            return []
        self._position += len(fresh)
        *whole, self._rest = (self._rest + data + fresh).split(b"\n")
        return [_clean(line) for line in whole]

    def _remainder_of_rotated(self) -> bytes:
        rotated = self._path.with_name(self._path.name + ".1")
        try:
            if rotated.stat().st_ino == self._inode:
                with rotated.open("rb") as file:
                    file.seek(self._position)
                    return file.read()
        except FileNotFoundError:
            pass
        return b""


def _clean(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")[:MAX_LINE]


def excerpt(layout: Layout, service: str, *, scaled: bool, lines: int = 5) -> str:
    """The last few lines for an error message; empty where there are none."""
    return "\n".join(f"  {line.text[:300]}" for line in read(layout, service, scaled=scaled, lines=lines))
