"""Timestamps as clients send them: ISO 8601 or epoch seconds → milliseconds since the epoch → the wire's ISO 8601."""

import math
import re
from datetime import datetime
from functools import lru_cache
from typing import Final

from pydantic import TypeAdapter

from backend.contract.limits import FIRST_TIME_MS, MAX_EPOCH_SECONDS, MAX_FUTURE_S
from backend.contract.times import from_datetime, from_iso, to_iso

_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)
#: No ISO 8601 time is longer; what is longer is not looked at.
_MAX_CHARS: Final = 64
#: 0001-01-01T00:00:00Z, the first time that `datetime` knows.
_MIN_SECONDS: Final = -62_135_596_800
_NOT_A_TIME: Final = "must be an ISO 8601 time or epoch seconds"
#: Forms that ISO 8601 allows and `datetime.fromisoformat` does not know, e.g. a lower case "t" and "z".
_LENIENT: Final[TypeAdapter[datetime]] = TypeAdapter(datetime)
MAX_FUTURE_MS: Final = int(MAX_FUTURE_S * 1000)
_MILLISECONDS: Final = tuple(f".{ms:03d}Z" for ms in range(1000))


def parse_timestamp(value: object) -> int:
    """Time of a reading: as `parse_time`, not before 1583.

    Raises:
        ValueError: says why it is not taken.
    """
    epoch_ms = parse_time(value)
    if epoch_ms < FIRST_TIME_MS:
        raise ValueError(f"is before {to_iso(FIRST_TIME_MS)}, where the calendar of ISO 8601 begins")
    return epoch_ms


def parse_time(value: object) -> int:
    """Milliseconds since the epoch, truncated. A time without offset is UTC; a numeric string is a number.

    Args:
        value: As it stood in the JSON.

    Raises:
        ValueError: says why it is not taken.
    """
    kind = type(value)
    if kind is str:
        return _from_text(value)  # type: ignore[arg-type]
    if kind is int:
        _check_seconds(value)  # type: ignore[arg-type]
        return value * 1000  # type: ignore[operator]
    if kind is float:
        return _from_float(value)  # type: ignore[arg-type]
    raise ValueError(_NOT_A_TIME)


def check_not_future(epoch_ms: int, now_ms: int) -> None:
    """Refuse a time too far ahead.

    Args:
        epoch_ms: The time.
        now_ms: The server's clock.

    Raises:
        ValueError: says by how much.
    """
    ahead = epoch_ms - now_ms
    if ahead > MAX_FUTURE_MS:
        raise ValueError(
            f"is {ahead / 1000:.3f} s ahead of the server's clock ({to_iso(now_ms)}); at most {MAX_FUTURE_S:g} s is accepted"
        )


def iso_of(epoch_ms: int) -> str:
    """As `times.to_iso`, faster: the readings of a moment share their seconds."""
    return _second_text(epoch_ms // 1000) + _MILLISECONDS[epoch_ms % 1000]


@lru_cache(maxsize=4096)
def _second_text(seconds: int) -> str:
    return to_iso(seconds * 1000)[:19]


@lru_cache(maxsize=4096)
def _second_ms(text: str) -> int:
    return from_iso(text)


def _check_seconds(seconds: float) -> None:
    if seconds > MAX_EPOCH_SECONDS:
        raise ValueError("is too large for epoch seconds; it is probably in milliseconds: divide it by 1000")
    if seconds < _MIN_SECONDS:
        raise ValueError("is before the year 1")


def _from_float(seconds: float) -> int:
    if not math.isfinite(seconds):
        raise ValueError("must be finite")
    _check_seconds(seconds)
    # By way of whole microseconds: 1.001 s as a float is a little less than 1001 ms.
    return round(seconds * 1e6) // 1000


def _from_text(text: str) -> int:
    if len(text) == 24 and text[23] == "Z" and text[19] == "." and text[20:23].isdecimal() and text.isascii():
        # The wire's own form, whose seconds repeat.
        try:
            return _second_ms(text[:19]) + int(text[20:23])
        except ValueError:
            raise ValueError(_NOT_A_TIME) from None
    if len(text) > _MAX_CHARS:
        raise ValueError(_NOT_A_TIME)
    if _NUMBER.fullmatch(text):
        return _from_float(float(text)) if "." in text else parse_time(int(text))
    return _from_iso_text(text)


def _from_iso_text(text: str) -> int:
    try:
        return from_iso(text)
    except (ValueError, OverflowError):
        pass
    try:
        return from_datetime(_LENIENT.validate_python(text))
    except (ValueError, OverflowError):
        raise ValueError(_NOT_A_TIME) from None
