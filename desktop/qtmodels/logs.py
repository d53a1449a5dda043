"""The tail of one service's log, followed off the GUI thread and handed over in batches."""

import re
import threading
from collections import deque
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.model.notifications import describe
from desktop.qtmodels.tasks import RunTask
from stack.target import LogLine, Target

#: Lines kept; older ones stay in the service's own log file.
KEEP: Final = 5000
FIRST: Final = 500
FLUSH_MS: Final = 100


class LogTail(QObject):
    """Follows one service at a time. Lives on the GUI thread.

    Signals:
        appended(list[LogLine]): new lines, oldest first, at most ten times a second.
        restarted(): another service, or the same from its beginning; what was shown is void.
        failed(str): the log cannot be read; a sentence.
    """

    appended = Signal(object)
    restarted = Signal()
    failed = Signal(str)

    def __init__(self, *, target: Target, run_task: RunTask, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._target = target
        self._run_task = run_task
        self._stop: threading.Event | None = None
        self._incoming: deque[LogLine] = deque(maxlen=KEEP)
        self.service: str | None = None
        self.lines: deque[LogLine] = deque(maxlen=KEEP)
        self._timer = QTimer(self)
        self._timer.setInterval(FLUSH_MS)
        self._timer.timeout.connect(self._flush)

    def follow(self, service: str) -> None:
        """Show `service` from now on."""
        self.stop()
        self.service = service
        self.lines.clear()
        self.restarted.emit()
        stop = self._stop = threading.Event()
        incoming = self._incoming = deque(maxlen=KEEP)
        target = self._target

        def work() -> None:
            for line in target.logs(service, lines=FIRST, follow=stop):
                incoming.append(line)
                if stop.is_set():
                    return

        def failed(error: Exception) -> None:
            if stop is self._stop:
                self._flush()
                self.failed.emit(f"The log of {service} cannot be read: {describe(error)}")

        self._timer.start()
        self._run_task(work, lambda _: self._flush() if stop is self._stop else None, failed)

    def stop(self) -> None:
        """Follow nothing; the worker ends at its next look at the event."""
        self._timer.stop()
        self.service = None
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    def _flush(self) -> None:
        batch: list[LogLine] = []
        while self._incoming:
            batch.append(self._incoming.popleft())
        if batch:
            self.lines.extend(batch)
            self.appended.emit(batch)


def matcher(pattern: str, *, regex: bool) -> re.Pattern[str]:
    """What lines must contain, without regard to case.

    Raises:
        ValueError: `pattern` is not a regular expression; the message says where.
    """
    try:
        return re.compile(pattern if regex else re.escape(pattern), re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"Not a regular expression: {error}.") from error
