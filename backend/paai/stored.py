"""What is known of stored readings, as values: statistics, devices, pages of them and their cursors."""

import base64
import binascii
import json
from dataclasses import dataclass

from backend.common.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of one device and sensor.

    Attributes:
        device_id, sensor: Whose.
        average, maximum, minimum: Over the readings asked for.
        count: How many those are.
        first_ms: Time of the earliest of them.
    """

    device_id: str
    sensor: str
    average: float
    maximum: float
    minimum: float
    count: int
    first_ms: int


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """One device and sensor of which readings are stored.

    Attributes:
        device_id, sensor: Which.
        first_ms, last_ms: Times of its earliest and latest reading.
        count: Number of its readings.
    """

    device_id: str
    sensor: str
    first_ms: int
    last_ms: int
    count: int


@dataclass(frozen=True, slots=True)
class DevicePage:
    """Some devices, in the order of the index, and where the next page begins.

    Attributes:
        devices: At most as many as asked for.
        next: Cursor of the next page, None at the end.
    """

    devices: list[StoredDevice]
    next: str | None


def encode_cursor(device_id: str, sensor: str) -> str:
    """The cursor after this row."""
    return base64.urlsafe_b64encode(json.dumps([device_id, sensor]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[str, str]:
    """Device and sensor of the row that the cursor stands behind.

    Raises:
        InvalidInputError: it was not made by `encode_cursor`.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        device_id, sensor = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if isinstance(device_id, str) and isinstance(sensor, str):
            device_id.encode()
            return device_id, sensor
    except (ValueError, TypeError, binascii.Error, RecursionError):
        pass
    raise InvalidInputError(
        [{"type": "value_error", "loc": ["query", "after"], "msg": "must be the `next` of an earlier page"}]
    )
