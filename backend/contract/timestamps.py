"""Timestamps as clients send them: ISO 8601 or epoch seconds → milliseconds since the epoch → the wire's ISO 8601."""

import math
import re
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from pydantic import TypeAdapter

from backend.contract.figures import duration
from backend.contract.limits import FIRST_TIME_MS, LAST_TIME_MS, MAX_EPOCH_SECONDS, MAX_FUTURE_S
from backend.contract.times import from_datetime, from_iso, to_iso

_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)
#: No ISO 8601 time is longer; what is longer is not looked at.
_MAX_CHARS: Final = 64
#: 0001-01-01T00:00:00Z, the first time that `datetime` knows.
_MIN_SECONDS: Final = -62_135_596_800
_NOT_A_TIME: Final = "must be an ISO 8601 time or epoch seconds"
#: Digits only that a reader takes for a date: a year, a year with month, a day.
_DATE_LENGTHS: Final = frozenset({4, 6, 8})
_OFFSET: Final = r"(?P<offset>\s*(?:[Zz]|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?)"
#: The end of a day, written as hour 24.
_HOUR_24: Final = re.compile(rf"(?P<date>[\d-]+[Tt _])24(?P<rest>(?::?00){{0,2}}(?:[.,]0+)?{_OFFSET})", re.ASCII)
#: A leap second.
_SECOND_60: Final = re.compile(rf"(?P<minute>[\d-]+[Tt _]\d\d:?\d\d:?)60(?P<rest>(?:[.,]\d+)?{_OFFSET})", re.ASCII)
_DAY_MS: Final = 86_400_000
#: Largest absolute value of each unit that people send instead of seconds: the same moments in ms, µs and ns.
_UNITS: Final = ((1e14, "milliseconds", "1000"), (1e17, "microseconds", "1000000"), (1e20, "nanoseconds", "1000000000"))
#: Forms that ISO 8601 allows and `datetime.fromisoformat` does not know, e.g. a lower case "t" and "z".
_LENIENT: Final[TypeAdapter[datetime]] = TypeAdapter(datetime)
#: What `parse_time` takes, for schemas of optional times.
TIME_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "string"},
        {"type": "number", "minimum": _MIN_SECONDS, "maximum": MAX_EPOCH_SECONDS},
        {"type": "null"},
    ]
}
MAX_FUTURE_MS: Final = int(MAX_FUTURE_S * 1000)
_MILLISECONDS: Final = tuple(f".{ms:03d}Z" for ms in range(1000))


def parse_timestamp(value: object) -> int:
    """Time of a reading: as `parse_time`, in the years 1583 to 9999.

    Raises:
        ValueError: says why it is not taken.
    """
    epoch_ms = parse_time(value)
    if epoch_ms < FIRST_TIME_MS:
        raise ValueError(f"is before {to_iso(FIRST_TIME_MS)}, where the calendar of ISO 8601 begins")
    if epoch_ms > LAST_TIME_MS:
        raise ValueError("is after the year 9999")
    return epoch_ms


def parse_time(value: object) -> int:
    """Milliseconds since the epoch, truncated. A time without offset is UTC.

    A numeric string is epoch seconds, except one of 8 digits, which is a day (``20230328``). One of 4 or 6 digits could be
    either and is refused. Hour 24 is the next midnight; second 60 is the next second.

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
            f"is {duration(ahead / 1000)} ahead of the server's clock ({to_iso(now_ms)}): "
            f"at most {MAX_FUTURE_S:g} s is accepted"
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
    if abs(seconds) > MAX_EPOCH_SECONDS:
        for largest, unit, divisor in _UNITS:
            if abs(seconds) <= largest:
                raise ValueError(f"is out of range for epoch seconds; it is probably in {unit}: divide it by {divisor}")
    if seconds > MAX_EPOCH_SECONDS:
        raise ValueError("is too large for epoch seconds")
    if seconds < _MIN_SECONDS:
        raise ValueError("is before the year 1")


def _from_float(seconds: float) -> int:
    if not math.isfinite(seconds):
        raise ValueError("must be finite")
    _check_seconds(seconds)
    # By way of whole microseconds: 1.001 s as a float is a little less than 1001 ms.
    return round(seconds * 1e6) // 1000


def _from_text(text: str) -> int:
    if _has_wire_form(text):
        # Its seconds repeat.
        with suppress(ValueError):
            return _second_ms(text[:19]) + int(text[20:23])
    if len(text) > _MAX_CHARS:
        raise ValueError(_NOT_A_TIME)
    if len(text) in _DATE_LENGTHS and text.isascii() and text.isdigit():
        return _from_digits(text)
    if _NUMBER.fullmatch(text):
        return _from_float(float(text)) if "." in text else parse_time(int(text))
    return _from_iso_text(text)


def _has_wire_form(text: str) -> bool:
    """Whether `text` looks like ``2023-03-28T20:04:22.000Z``; digits are checked only behind the point."""
    return (
        len(text) == 24
        and text[23] == "Z"
        and text[19] == "."
        and text[10] == "T"
        and text[13] == text[16] == ":"  # else an offset could stand there
        and text[20:23].isdecimal()
        and text.isascii()
    )


def _from_digits(text: str) -> int:
    """A day as 8 digits; fewer digits are refused."""
    if len(text) < 8:
        raise ValueError("could be a date or epoch seconds; write YYYY-MM-DD, or epoch seconds as a JSON number")
    try:
        return from_iso(text)
    except ValueError:
        raise ValueError("has 8 digits and is no day YYYYMMDD; write epoch seconds as a JSON number") from None


def _from_iso_text(text: str) -> int:
    if found := _HOUR_24.fullmatch(text):
        return _from_iso_text(f"{found['date']}00{found['rest']}") + _DAY_MS
    if found := _SECOND_60.fullmatch(text):
        return _from_leap_second(found["minute"], found["rest"])
    try:
        return from_iso(text)
    except (ValueError, OverflowError):
        pass
    try:
        return from_datetime(_LENIENT.validate_python(text))
    except (ValueError, OverflowError):
        raise ValueError(_NOT_A_TIME) from None


def _from_leap_second(minute: str, rest: str) -> int:
    """The second after 23:59:59 UTC, as POSIX counts it."""
    epoch_ms = _from_iso_text(f"{minute}59{rest}") + 1000
    if epoch_ms % _DAY_MS >= 1000:
        raise ValueError("has the second 60, which exists at 23:59 UTC only")
    return epoch_ms
