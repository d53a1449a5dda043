"""Processes of one system, found by the marker in their environment; measured, and ended when nobody else can."""

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from stack.local.layout import MARKER, Layout

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a service's processes use.

    Attributes:
        memory_bytes: Resident memory.
        cpu_percent: Of one core since the previous measurement; None at the first.
    """

    memory_bytes: int
    cpu_percent: float | None


def marked(layout: Layout) -> list[int]:
    """Process ids that carry this data directory's marker, the caller's own left out."""
    wanted = f"{MARKER}={layout.data_dir}".encode()
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:  # gone meanwhile, or another user's
            continue
        if wanted in environment.split(b"\0") and _is_running(int(entry.name)):
            found.append(int(entry.name))
    return found


def end(layout: Layout, *, grace_s: float = 8.0) -> int:
    """End every marked process: first politely, after `grace_s` by force. How many there were."""
    first = marked(layout)
    _signal(first, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while marked(layout) and time.monotonic() < deadline:
        time.sleep(0.1)
    # A service may have started another while it was asked to leave: look again until there is none.
    for _ in range(20):
        left = marked(layout)
        if not left:
            break
        _signal(left, signal.SIGKILL)
        time.sleep(0.1)
    return len(first)


def describe(pids: Iterable[int]) -> str:
    """ "java (123), python (124)" """
    names = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            names.append(f"{psutil.Process(pid).name()} ({pid})")
    return ", ".join(names)


class UsageMeter:
    """Memory and processor use of processes with their children. Keeps the previous times, so that a share can be told."""

    def __init__(self) -> None:
        self._before: dict[tuple[int, float], tuple[float, float]] = {}

    def measure(self, pids: Iterable[int]) -> Usage | None:
        """Sum over `pids` and all their children; None when none is there."""
        memory, share, known, seen = 0, 0.0, False, False
        for process in _with_children(pids):
            try:
                with process.oneshot():
                    key = (process.pid, process.create_time())
                    times = process.cpu_times()
                    memory += process.memory_info().rss
            except psutil.Error:
                continue
            seen = True
            now, used = time.monotonic(), times.user + times.system
            if (before := self._before.get(key)) and now > before[0]:
                known = True
                share += 100.0 * (used - before[1]) / (now - before[0])
            self._before[key] = (now, used)
        return Usage(memory, round(share, 1) if known else None) if seen else None


def _with_children(pids: Iterable[int]) -> list[psutil.Process]:
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        try:
            parent = psutil.Process(pid)
            for process in (parent, *parent.children(recursive=True)):
                found[process.pid] = process
        except psutil.Error:
            continue
    return list(found.values())


def _is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
