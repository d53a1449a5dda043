"""Which records of `processed_messages` are readings: one rule for every reader.

The rule in words is tests/conformance/README.md, the inputs that every implementation agrees on stand beside it. `paai`'s own
lenient rule for posted readings is in `readings` and `parsing`; everything it publishes passes here.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from backend.contract import times
from backend.contract.devices import BY_SENSOR
from backend.contract.limits import FIRST_TIME_MS, MAX_DEVICE_ID_CHARS, MAX_RECORD_AHEAD_MS, MAX_RECORD_BYTES
from backend.contract.printable import is_printable
from backend.contract.refusals import REFUSED, Refused
from backend.contract.strict_json import StrictJSONError, parse

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_WIRE_TIME: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\.([0-9]{3})Z")


class TopicReading(NamedTuple):
    """A record that is a reading.

    Attributes:
        device_id: 1–128 printable characters.
        sensor: Name of a sensor in force.
        t_ms: When it was measured, milliseconds since the epoch.
        value: In the sensor's unit, within its range.
    """

    device_id: str
    sensor: str
    t_ms: int
    value: float


class RecordRule:
    """The rule with the sensors in force. Keeps nothing between calls; not tied to a thread.

    Args:
        ranges: Smallest and largest accepted value by sensor, inclusive.
        ahead_ms: How far a timestamp may be ahead of the record's arrival.
    """

    def __init__(self, ranges: Mapping[str, tuple[float, float]], *, ahead_ms: int = MAX_RECORD_AHEAD_MS) -> None:
        self.ranges, self.ahead_ms = dict(ranges), ahead_ms

    def judge(self, value: bytes | None, *, arrival_ms: int) -> TopicReading | Refused:
        """Judge one record.

        Args:
            value: The record's value; None for a tombstone.
            arrival_ms: The broker's timestamp of the record, milliseconds since the epoch.
        """
        if not value:
            return REFUSED["no_value"]
        if len(value) > MAX_RECORD_BYTES:
            return REFUSED["too_large"]
        if value.startswith(_BYTE_ORDER_MARK):
            return REFUSED["byte_order_mark"]
        try:
            fields = parse(value.decode())
        except UnicodeDecodeError:
            return REFUSED["not_utf8"]
        except StrictJSONError as error:
            return REFUSED[error.code]
        if type(fields) is not dict:
            return REFUSED["not_object"]
        return self._judge_fields(fields, arrival_ms)

    def _judge_fields(self, fields: dict[str, object], arrival_ms: int) -> TopicReading | Refused:
        device_id, sensor, timestamp, value = map(fields.get, ("device_id", "sensor", "timestamp", "value"))
        if type(device_id) is not str or not 1 <= len(device_id) <= MAX_DEVICE_ID_CHARS or not is_printable(device_id):
            return REFUSED["device_id"]
        if type(sensor) is not str or sensor not in self.ranges:
            return REFUSED["sensor"]
        t_ms = parse_wire_time(timestamp) if type(timestamp) is str else None
        if t_ms is None:
            return REFUSED["timestamp"]
        if t_ms > arrival_ms + self.ahead_ms:
            return REFUSED["future"]
        if type(value) is not float:
            return REFUSED["value"]
        minimum, maximum = self.ranges[sensor]
        if not minimum <= value <= maximum:
            return REFUSED["range"]
        return TopicReading(device_id, sensor, t_ms, value)


def parse_wire_time(text: str) -> int | None:
    """Milliseconds since the epoch of ``YYYY-MM-DDTHH:MM:SS.mmmZ``; None for any other form and for what is no real moment."""
    match = _WIRE_TIME.fullmatch(text)
    second_ms = None if match is None else _second_ms(match[1])
    return None if second_ms is None else second_ms + int(match[2])  # type: ignore[index]  # there is a match


@lru_cache(maxsize=4096)
def _second_ms(text: str) -> int | None:
    # Not `fromisoformat`: newer interpreters take 24:00:00.
    year, month, day, hour, minute, second = (
        int(text[i:j]) for i, j in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))
    )
    try:
        epoch_ms = times.from_datetime(datetime(year, month, day, hour, minute, second))  # noqa: DTZ001  # naive means UTC
    except ValueError:
        return None
    return epoch_ms if epoch_ms >= FIRST_TIME_MS else None


#: The rule that is in force.
RULE: Final = RecordRule({sensor: (device.minimum, device.maximum) for sensor, device in BY_SENSOR.items()})
judge: Final = RULE.judge
