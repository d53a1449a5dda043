"""Log lines of several services together."""

import contextlib
import json
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from stack.target import LogLine, Target, in_order

#: How soon an end is noticed.
_POLL_S: Final = 0.2


def lines_of(target: Target, services: Sequence[str], *, lines: int, follow: threading.Event | None) -> Iterator[LogLine]:
    """The last lines of each service by their times; with `follow`, then new ones as they come, until it is set.

    Raises:
        StackError: The log of one of them cannot be read.
    """
    if len(services) == 1:
        yield from target.logs(services[0], lines=lines, follow=follow)
    elif follow is None:
        yield from in_order([list(target.logs(service, lines=lines)) for service in services])
    else:
        yield from _followed(target, services, lines=lines, stop=follow)


def formatted(line: LogLine, services: Sequence[str], *, as_json: bool) -> str:
    """One line of output; among several services with the name of its own in front."""
    if as_json:
        return json.dumps({"service": line.service, "replica": line.replica, "text": line.text}, ensure_ascii=False)
    if len(services) == 1:
        return line.text
    return f"{line.service:{max(map(len, services))}} | {line.text}"


def _followed(target: Target, services: Sequence[str], *, lines: int, stop: threading.Event) -> Iterator[LogLine]:
    """A thread for each service: a log that is followed waits for its next line."""
    found: queue.SimpleQueue[LogLine] = queue.SimpleQueue()

    def work(service: str) -> None:
        for line in target.logs(service, lines=lines, follow=stop):
            found.put(line)

    with ThreadPoolExecutor(len(services), thread_name_prefix="logs") as pool:
        waiting = [pool.submit(work, service) for service in services]
        try:
            while waiting or not found.empty():
                with contextlib.suppress(queue.Empty):
                    yield found.get(timeout=_POLL_S)
                for ended in [one for one in waiting if one.done()]:
                    waiting.remove(ended)
                    ended.result()
        finally:
            stop.set()
