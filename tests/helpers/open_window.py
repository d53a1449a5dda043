"""The real window with everything behind it, for pictures and measurements; with settings of its own that nobody keeps."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from desktop.app import Desktop, LiveConnection
from desktop.model.notifications import Notifications
from desktop.qtmodels.monitor import Connect
from desktop.settings import Settings
from desktop.workers.tasks import TaskRunner
from stack.target import Target


@contextlib.contextmanager
def opened(
    app: QApplication,
    target: Target,
    *,
    connect: Connect | None = None,
    theme: str = "light",
    size: tuple[int, int] = (1280, 800),
    span_s: float = 300.0,
    focus: Sequence[str] = (),
) -> Iterator[Desktop]:
    """Shows it and looks for the running system; closes everything in the end.

    Args:
        app: The application.
        target: Where the system runs.
        connect: How it is attached; None as the program does it.
        theme: "light" or "dark".
        size: Of the window, logical pixels.
        span_s: Time span of the live charts, seconds.
        focus: The focus devices.
    """
    with tempfile.TemporaryDirectory(prefix="paai-window-") as folder:
        settings = Settings(path=Path(folder) / "desktop.ini")
        settings.set_flag("window/farewell_said", True)
        settings.span_s = span_s
        settings.focus = list(focus)
        runner, notifications = TaskRunner(), Notifications()
        desktop = Desktop(
            app=app,
            target=target,
            run_task=runner.run,
            settings=settings,
            notifications=notifications,
            connect=connect
            or (lambda endpoints: LiveConnection(target=target, endpoints=endpoints, report=notifications.warning)),
            theme=theme,
        )
        desktop.window.resize(*size)
        desktop.window.show()
        desktop.monitor.start()
        try:
            yield desktop
        finally:
            desktop.window.close()
            desktop.close()
            runner.shutdown(timeout_s=5)
            desktop.window.deleteLater()


def spin(seconds: float, until: Callable[[], bool] | None = None) -> None:
    """Run the event loop until `until` holds, at most so long."""
    loop, look = QEventLoop(), QTimer()
    QTimer.singleShot(round(seconds * 1000), loop, loop.quit)
    if until is not None:
        look.timeout.connect(lambda: loop.quit() if until() else None)
        look.start(20)
    loop.exec()
    look.stop()
