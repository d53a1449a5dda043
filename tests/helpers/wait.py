"""Waiting in tests: for a condition, with a bound and a word of what it waits for."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T],
    timeout_s: float,
    message: str,
    *,
    interval_s: float = 0.05,
    error: type[Exception] = AssertionError,
) -> T:
    """Call `condition` until it gives something true, and return that.

    Args:
        error: Another one where an AssertionError is an expected failure and this wait is not what is expected to fail.

    Raises:
        AssertionError: `timeout_s` passed; says what was waited for and what `condition` gave last.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= deadline:
            raise error(f"waited {timeout_s:g} s for {message}; last seen: {result!r}")
        time.sleep(interval_s)
