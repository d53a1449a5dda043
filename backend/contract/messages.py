"""DeviceMessage: the value of a record in the topic `processed_messages`, as paai writes it. Readers judge it by `records`."""

import msgspec


class DeviceMessage(msgspec.Struct, frozen=True, gc=False):
    """One validated reading.

    Attributes:
        device_id: 1–128 printable characters; the record's key.
        timestamp: When it was measured: ISO 8601, UTC, milliseconds, ``Z``.
        sensor: One of `devices.SENSORS`.
        value: Finite, in the sensor's unit.
    """

    device_id: str
    timestamp: str
    sensor: str
    value: float


_encoder = msgspec.json.Encoder()


def encode(message: DeviceMessage) -> bytes:
    """The record value: one JSON object in the order of the fields."""
    return _encoder.encode(message)
