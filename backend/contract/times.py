"""Times on the wire: ISO 8601 in UTC with milliseconds and ``Z``; inside, integer milliseconds since the epoch."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_datetime(value: datetime) -> int:
    """Milliseconds since the epoch, truncated towards the past. A naive `value` means UTC."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return (value - _EPOCH) // timedelta(milliseconds=1)


def to_datetime(epoch_ms: int) -> datetime:
    """An aware UTC datetime."""
    return _EPOCH + timedelta(milliseconds=epoch_ms)


def to_iso(epoch_ms: int) -> str:
    """``2023-03-28T20:04:22.000Z``. Exact over the whole range of `datetime` (years 1 … 9999)."""
    return to_datetime(epoch_ms).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def from_iso(text: str) -> int:
    """Milliseconds since the epoch of an ISO 8601 time; naive means UTC.

    Raises:
        ValueError: `text` is not an ISO 8601 time.
    """
    return from_datetime(datetime.fromisoformat(text))
