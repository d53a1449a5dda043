"""Log lines of a service, all replicas merged, as `stack.target.LogLine`s."""

import re
import threading
from collections.abc import Iterable, Iterator
from typing import Final

from stack.swarm.engine import Engine
from stack.target import LogLine

MAX_LINE: Final = 4000

#: ``2026-11-24T05:30:00.123456789Z paai_paai.2.k3j…@node    | text``; a global service has no number (0, or its node's id).
_LINE: Final = re.compile(r"(?P<time>\S+Z) [^\s@]+?\.(?P<slot>\w+)\.\w+@\S+\s*\| ?(?P<text>.*)")


def read(engine: Engine, stack: str, service: str, *, lines: int) -> Iterator[LogLine]:
    """The last lines, in the order of their times."""
    if lines > 0:
        found = parsed(engine.logs(f"{stack}_{service}", lines=lines), service)
        for _, line in sorted(found, key=lambda pair: pair[0])[-lines:]:
            yield line


def follow(engine: Engine, stack: str, service: str, *, lines: int, stop: threading.Event) -> Iterator[LogLine]:
    """The last lines, then new ones as they come."""
    for line in engine.follow_logs(f"{stack}_{service}", lines=lines, stop=stop):
        for _, found in parsed([line], service):
            yield found


def excerpt(engine: Engine, reference: str, *, lines: int = 5) -> str:
    """The last few lines of a service or task for an error message; empty where there are none."""
    found = sorted(parsed(engine.logs(reference, lines=lines), ""), key=lambda pair: pair[0])[-lines:]
    return "\n".join(f"  {line.text[:300]}" for _, line in found)


def parsed(raw: Iterable[str], service: str) -> Iterator[tuple[str, LogLine]]:
    """Time and line. What the client itself has to say passes as a line without a time."""
    for text in raw:
        if (found := _LINE.fullmatch(text)) is None:
            yield "", LogLine(service, 0, text[:MAX_LINE])
            continue
        slot = found["slot"]
        # The swarm counts from 1, and 0 stands for a service with one replica a node.
        replica = max(int(slot) - 1, 0) if slot.isdecimal() else 0
        yield found["time"], LogLine(service, replica, found["text"][:MAX_LINE])
