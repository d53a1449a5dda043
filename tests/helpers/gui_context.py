"""A page's context for GUI tests and screenshots, with nothing behind it: frames are emitted by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtGui import QGuiApplication

from desktop.model.notifications import Notifications
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.theme import ThemeController
from desktop.settings import Settings
from desktop.views.page import PageContext

T = TypeVar("T")


def run_inline(func: Callable[[], T], on_result: Callable[[T], None], on_error: Callable[[Exception], None], /) -> None:
    """Run at once, on this thread."""
    try:
        result = func()
    except Exception as error:  # noqa: BLE001 - as the real one: whatever it is goes to on_error
        on_error(error)
    else:
        on_result(result)


def page_context(folder: Path, *, run_task: Any = run_inline, target: Any = None, theme: str = "light") -> PageContext:
    """A context whose monitor is attached to nothing; settings live in `folder`."""
    settings, notifications = Settings(path=folder / "desktop.ini"), Notifications()

    def connect(endpoints: Any) -> Any:
        raise AssertionError("this context has no system")

    monitor = Monitor(target=target, connect=connect, run_task=run_task, settings=settings, notifications=notifications)
    hints = QGuiApplication.styleHints()
    return PageContext(
        monitor=monitor,
        theme=ThemeController(hints=hints, choice=theme),
        settings=settings,
        run_task=run_task,
        notifications=notifications,
    )
