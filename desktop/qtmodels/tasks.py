"""The shape of `desktop.workers`' one way to run work, so that models and pages take it as an argument."""

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class RunTask(Protocol):
    """Runs `func` off the GUI thread and hands its result, or what it raised, to a callback on the GUI thread."""

    def __call__(
        self, func: Callable[[], T], on_result: Callable[[T], None], on_error: Callable[[Exception], None], /
    ) -> object: ...
