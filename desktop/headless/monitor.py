"""Runs the monitor in the terminal until Ctrl+C; the system is left running."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.live import Live

from desktop.headless.deploy import deploy as deploy_system
from desktop.headless.first_fleet import FirstFleet
from desktop.headless.screen import anomalies_line, plain, render
from desktop.model.refused import words
from desktop.model.services_clock import ServicesClock
from desktop.model.snapshot import LiveSnapshot, ViewRequest
from desktop.model.store import LiveStore
from desktop.services.commands import command
from desktop.workers.feeds import LiveFeeds
from stack.errors import StackError
from stack.target import Target

SPAN_S = 300.0
_SPARK_PIXELS = 300
#: How often the terminal is drawn, and how often a line is written without one.
FRAME_S = 0.5
LINE_S = 5.0
_JOIN_S = 5.0

EXIT_OK = 0
EXIT_FAILED = 1


def run(
    target: Target,
    *,
    deploy: bool,
    console: Console | None = None,
    stop: threading.Event | None = None,
    line_s: float = LINE_S,
) -> int:
    """Deploy if wanted, then show the running system until Ctrl+C or SIGTERM.

    Args:
        target: Where the system runs.
        deploy: Bring it up first.
        console: Where to write; the standard output by default.
        stop: Ends it like Ctrl+C; for callers and tests.
        line_s: Seconds between two lines where the output is no terminal.

    Returns:
        0, or 1 when the deployment failed or nothing runs.
    """
    console = console or Console()
    stop = stop or threading.Event()
    with _signals_set(stop):
        if deploy and not deploy_system(target, console, cancel=stop):
            return EXIT_FAILED
        if stop.is_set():
            return EXIT_OK
        try:
            if not deploy and not target.is_up():
                deploys = command(target, "desktop", "--headless", "--deploy")
                console.print(
                    f"Nothing runs here yet. `{deploys}` brings the system up.", highlight=False, markup=False, soft_wrap=True
                )
                return EXIT_FAILED
            where = target.plan().where
            clock = ServicesClock()
            store = LiveStore(clock=clock)
            left_out: list[str] = []
            feeds = LiveFeeds(target=target, store=store, clock=clock, report=left_out.append)
            first = FirstFleet(endpoints=target.endpoints(), fleet=feeds.fleet)
        except StackError as error:
            console.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
            return EXIT_FAILED
        feeds.start()
        threads = [threading.Thread(target=first.run, args=(stop,), name="first-fleet", daemon=True)] if deploy else []
        for thread in threads:
            thread.start()
        try:
            _show(console, where, store, feeds, lambda: [first.note, *left_out[-1:]], stop, line_s)
        finally:
            stop.set()
            for thread in threads:
                thread.join(_JOIN_S)
            feeds.stop(_JOIN_S)
    stops = command(target, "stack", "down")
    console.print(f"Left. The system keeps running; `{stops}` stops it.", highlight=False, markup=False, soft_wrap=True)
    return EXIT_OK


def _show(
    console: Console,
    where: str,
    store: LiveStore,
    feeds: LiveFeeds,
    notes: Callable[[], list[str]],
    stop: threading.Event,
    line_s: float,
) -> None:
    if not console.is_terminal:
        printed = {""}
        while not stop.wait(line_s):
            for note in notes():
                if note not in printed:
                    printed.add(note)
                    console.print(note, highlight=False, markup=False, soft_wrap=True)
            line = plain(
                services=feeds.services(),
                fleet=feeds.fleet(),
                snapshot=_frame(store),
                health=feeds.health(),
                anomalies=anomalies_line(store.predictions, store.now()),
                refused=_refused(feeds)[0],
            )
            stamp = time.strftime("%H:%M:%S")
            console.print(f"{stamp} {line}", highlight=False, markup=False, soft_wrap=True)
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(
                render(
                    where=where,
                    services=feeds.services(),
                    fleet=feeds.fleet(),
                    snapshot=_frame(store),
                    health=feeds.health(),
                    note=" ".join(filter(None, notes())),
                    anomalies=anomalies_line(store.predictions, store.now()),
                    refused=_refused(feeds),
                ),
                refresh=True,
            )
            if stop.wait(FRAME_S):
                return


def _refused(feeds: LiveFeeds) -> list[str]:
    """Both figures in one line, then the newest of each."""
    records, requests = feeds.refused.records(), feeds.refused.requests()
    return [words.line(records, requests, feeds.refused.difference), *words.recent(records, requests)]


def _frame(store: LiveStore) -> LiveSnapshot:
    now = store.now()
    return store.snapshot(ViewRequest(now - SPAN_S, now, _SPARK_PIXELS))


@contextmanager
def _signals_set(stop: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM set `stop`; what was there before comes back. Only the main thread can ask for signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
