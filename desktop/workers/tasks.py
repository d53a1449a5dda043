"""The one way to run work off the GUI thread: a function in a pool, its result or error back on the GUI thread."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, Qt, QThread, Signal, Slot

log = logging.getLogger("desktop.tasks")

T = TypeVar("T")

#: Deployments, log tails and exports run for long and mostly wait; short calls must never queue behind them.
MAX_THREADS = 16


class Task(Generic[T]):
    """One piece of work.

    Attributes:
        cancelled: Set by `cancel`; the work may look at it and end early.
    """

    def __init__(self, on_result: Callable[[T], None], on_error: Callable[[Exception], None]) -> None:
        self.cancelled = threading.Event()
        self._on_result, self._on_error = on_result, on_error
        self._over = False

    def cancel(self) -> None:
        """No callback comes any more. GUI thread."""
        self.cancelled.set()

    @property
    def over(self) -> bool:
        """Whether its callback was called, or will never be."""
        return self._over or self.cancelled.is_set()

    def deliver(self, result: T | None, error: Exception | None) -> None:
        """Call back; only the runner calls this, on the GUI thread."""
        if self.over:
            return
        self._over = True
        if error is not None:
            self._on_error(error)
        else:
            self._on_result(result)  # type: ignore[arg-type]  # None is a result where T allows it


class TaskRunner(QObject):
    """Runs functions off the GUI thread. Lives on the GUI thread; every method is called there.

    Args:
        inline: Run everything at once on the calling thread: for tests.
    """

    #: (callable,) to be called on the GUI thread; emitted by pool threads.
    _call = Signal(object)

    def __init__(self, parent: QObject | None = None, *, inline: bool = False) -> None:
        super().__init__(parent)
        self._inline = inline
        self._pool = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="task")
        self._running: dict[Future[None], Task[Any]] = {}
        self._closed = False
        # Queued: the slot runs on this object's thread, wherever the signal is emitted.
        self._call.connect(self._called, Qt.ConnectionType.QueuedConnection)

    def run(self, func: Callable[[], T], on_result: Callable[[T], None], on_error: Callable[[Exception], None]) -> Task[T]:
        """Run `func` in the pool; exactly one of the callbacks follows on the GUI thread, unless cancelled or shut down."""
        task: Task[T] = Task(on_result, on_error)
        if self._closed:
            task.cancel()
        elif self._inline:
            task.deliver(*_outcome(func))
        else:
            future = self._pool.submit(self._work, task, func)
            self._running[future] = task
            future.add_done_callback(self._finished)
        return task

    def on_gui(self, func: Callable[[], None]) -> None:
        """Call `func` soon on the GUI thread: for progress. Any thread."""
        if self._inline and QThread.currentThread() is self.thread():
            func()
        elif not self._closed:
            self._call.emit(func)

    def shutdown(self, timeout_s: float = 5.0) -> bool:
        """Cancel all and wait for what runs, at most `timeout_s`. No callback comes afterwards. True when all ended."""
        self._closed = True
        for task in list(self._running.values()):
            task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)
        left = wait(list(self._running), timeout=timeout_s).not_done
        QCoreApplication.removePostedEvents(self)
        if left:
            log.warning("%d tasks did not end within %g s", len(left), timeout_s)
        return not left

    def _work(self, task: Task[T], func: Callable[[], T]) -> None:
        if task.cancelled.is_set():
            return
        result, error = _outcome(func)
        if not self._closed:
            self._call.emit(lambda: task.deliver(result, error))

    def _finished(self, future: "Future[None]") -> None:
        self._running.pop(future, None)

    @Slot(object)
    def _called(self, func: Callable[[], None]) -> None:
        if self._closed:
            return
        started = time.perf_counter()
        func()
        took = time.perf_counter() - started
        if took > 0.05:
            log.debug("a callback held the window for %.0f ms", took * 1000)


def _outcome(func: Callable[[], T]) -> tuple[T | None, Exception | None]:
    try:
        return func(), None
    except Exception as error:  # noqa: BLE001  handed to on_error, which shows it
        return None, error
