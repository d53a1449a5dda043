"""Readings on the wire: the JSON that paai takes, cut into requests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from backend.contract.limits import MAX_BATCH_READINGS, MAX_BODY_BYTES
from backend.contract.times import to_iso


class Reading(NamedTuple):
    """One reading.

    Attributes:
        device_id: Whose.
        kind: Index of the type in DEVICE_TYPES.
        at_ms: When it was measured, epoch ms.
        value: In the sensor's unit.
    """

    device_id: str
    kind: int
    at_ms: int
    value: float


class _Thermostat(msgspec.Struct, tag_field="tag", tag="Thermostat", gc=False):
    device_id: str
    timestamp: str
    temperature: float


class _Barometer(msgspec.Struct, tag_field="tag", tag="Barometer", gc=False):
    device_id: str
    timestamp: str
    pressure: float


class _Hygrometer(msgspec.Struct, tag_field="tag", tag="Hygrometer", gc=False):
    device_id: str
    timestamp: str
    humidity: float


class _HeartRateMeter(msgspec.Struct, tag_field="tag", tag="HeartRateMeter", gc=False):
    device_id: str
    timestamp: str
    heart_rate: float


_Body = _Thermostat | _Barometer | _Hygrometer | _HeartRateMeter
#: In the order of DEVICE_TYPES.
_BODIES: Final = (_Thermostat, _Barometer, _Hygrometer, _HeartRateMeter)


@dataclass(slots=True)
class Parcel:
    """What one request carries.

    Attributes:
        body: JSON: an object where `single`, else an array.
        count: Readings in it.
        single: Whether it goes to the address for one reading.
        made_s: When it was made, steady clock.
        attempts: How often it was posted.
        dropped: It was given up while it waited to be repeated.
        last_try: It is under way and not to be repeated.
    """

    body: bytes
    count: int
    single: bool
    made_s: float
    attempts: int = 0
    dropped: bool = False
    last_try: bool = False


def parcels(
    readings: Sequence[Reading], made_s: float, *, max_readings: int = MAX_BATCH_READINGS, max_bytes: int = MAX_BODY_BYTES
) -> Iterator[Parcel]:
    """Readings that travel together, in as few requests as the limits allow."""
    times: dict[int, str] = {}
    bodies: list[_Body] = []
    for device_id, kind, at_ms, value in readings:
        iso = times.get(at_ms)
        if iso is None:
            iso = times[at_ms] = to_iso(at_ms)
        bodies.append(_BODIES[kind](device_id, iso, value))
    encoder = msgspec.json.Encoder()
    stack = [bodies[i : i + max_readings] for i in range(0, len(bodies), max_readings)][::-1]
    while stack:
        part = stack.pop()
        single = len(part) == 1
        body = encoder.encode(part[0] if single else part)
        if len(body) > max_bytes and not single:
            half = len(part) // 2
            stack += [part[half:], part[:half]]
            continue
        yield Parcel(body, len(part), single, made_s)
