"""Long-lived threads: named, told to stop by an event, joined in bounded time, started again when they fail. No Qt."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger("desktop.feeds")

_RESTART_S = 3.0


class FeedThread:
    """Runs `work(stop)` until it is told to stop.

    `work` returns when the event is set. What it raises is logged, kept in `failure` until it has run for a while again,
    and it is started anew after a few seconds.

    Args:
        name: Of the thread, e.g. ``kafka-feed``.
        work: The loop.
    """

    def __init__(self, name: str, work: Callable[[threading.Event], None], *, restart_s: float = _RESTART_S) -> None:
        self.name = name
        self._work = work
        self._restart_s = restart_s
        self._stop = threading.Event()
        self._failure = ""
        self._failed_at = 0.0
        # A daemon: a call into a library that never returns must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def failure(self) -> str:
        """One sentence on why it ended unexpectedly lately; empty normally."""
        if self._failure and time.monotonic() - self._failed_at < 10 * self._restart_s:
            return self._failure
        return ""

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def tell_to_stop(self) -> None:
        """Set the event; does not wait."""
        self._stop.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for its end; False when it did not end in time (it dies with the program then)."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._work(self._stop)
            except Exception as error:  # the last line of defence of a thread that must go on
                log.exception("%s failed", self.name)
                self._failure = f"{self.name}: {type(error).__name__}: {error}"[:300]
                self._failed_at = time.monotonic()
                self._stop.wait(self._restart_s)


def stop_all(threads: list[FeedThread], timeout_s: float) -> bool:
    """Tell all to stop, then join them within `timeout_s` together. True when all have ended."""
    for thread in threads:
        thread.tell_to_stop()
    deadline = time.monotonic() + timeout_s
    ended = [thread.join(deadline - time.monotonic()) for thread in threads]
    return all(ended)
