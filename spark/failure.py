"""What a failure of Spark's means, in a sentence."""

import logging
from collections.abc import Callable

from py4j.protocol import Py4JNetworkError

#: Spark's words for its own logs and for the state store.
_DAMAGE = ("Failed to read log file", "Incomplete log file", "CANNOT_LOAD_STATE_STORE", "malformed log file")

log = logging.getLogger("spark")


def is_jvm_gone(error: BaseException | None) -> bool:
    """Whether an error only says that the JVM does not answer any more."""
    while error is not None:
        if isinstance(error, Py4JNetworkError | ConnectionError):
            return True
        error = error.__cause__ or error.__context__
    return False


def is_checkpoint_damage(error: BaseException) -> bool:
    """Whether a query failed because a file of its checkpoint cannot be read: trying again helps nothing."""
    text = f"{error}\n{getattr(error, '_stackTrace', '')}"
    return any(sign in text for sign in _DAMAGE)


def reason(error: BaseException) -> str:
    """The innermost cause of an error of Spark, else its first line; at most 300 characters. The rest is a Java stack trace."""
    trace = str(getattr(error, "_stackTrace", "") or "")  # of pyspark's own exceptions; there is no public way to it
    lines = [line.removeprefix("Caused by: ").strip() for line in trace.splitlines() if line.startswith("Caused by: ")][-1:]
    lines += [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def quietly(stop: Callable[[], None]) -> None:
    """Stop what may be gone already."""
    try:
        stop()
    except Exception as error:  # noqa: BLE001  # it is gone; that is what was wanted
        log.debug("it was gone already: %s", error)
