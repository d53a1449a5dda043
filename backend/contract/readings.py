"""Readings as clients post them: the models say what is accepted, make the schema and every error text.

ReadingsError               base: a list of field errors under `errors`
├── InvalidReadingError     one reading breaks the contract
└── InvalidBatchError       not a JSON array of 1 … 10 000 readings
"""

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from backend.contract.devices import BAROMETER, HEART_RATE_METER, HYGROMETER, THERMOSTAT
from backend.contract.error_texts import message_of
from backend.contract.limits import FIRST_TIME_MS, MAX_DEVICE_ID_CHARS, MAX_EPOCH_SECONDS, MAX_FUTURE_S
from backend.contract.printable import is_printable
from backend.contract.timestamps import parse_timestamp

#: {"type", "loc", "msg"} and what pydantic adds; `loc` starts with the field's name.
FieldError = dict[str, Any]


class ReadingsError(Exception):
    """Input that breaks the contract.

    Attributes:
        errors: Which field and why, at least one.
    """

    def __init__(self, errors: list[FieldError]) -> None:
        self.errors = errors
        super().__init__(describe(errors))


class InvalidReadingError(ReadingsError):
    """One reading breaks the contract."""


class InvalidBatchError(ReadingsError):
    """The body as a whole is not a batch."""


def describe(errors: Iterable[FieldError]) -> str:
    """One line for people, e.g. ``temperature: Input should be less than or equal to 200``."""
    parts = []
    for error in errors:
        where = ".".join(str(part)[:64] for part in error["loc"])
        message = message_of(error)[:300]
        parts.append(f"{where}: {message}" if where else message)
    return "; ".join(parts)


def _device_id(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        if value.bit_length() > 4 * MAX_DEVICE_ID_CHARS:
            raise ValueError(f"must have 1 to {MAX_DEVICE_ID_CHARS} characters, this integer has more")
        value = str(value)
    if not isinstance(value, str):
        raise ValueError("must be a string or an integer")
    if not 1 <= len(value) <= MAX_DEVICE_ID_CHARS:
        raise ValueError(f"must have 1 to {MAX_DEVICE_ID_CHARS} characters, not {len(value)}")
    if not is_printable(value):
        raise ValueError(NOT_PRINTABLE)
    return value


NOT_PRINTABLE: Final = "must consist of printable characters"


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number, not a boolean")
    return value


DeviceId = Annotated[
    str,
    PlainValidator(_device_id),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "minLength": 1, "maxLength": MAX_DEVICE_ID_CHARS}, {"type": "integer"}],
            "description": "1 to 128 printable characters; an integer becomes its decimal string.",
            "examples": ["1"],
        }
    ),
]
Timestamp = Annotated[
    int,
    PlainValidator(parse_timestamp),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "number", "minimum": FIRST_TIME_MS // 1000, "maximum": MAX_EPOCH_SECONDS}],
            "description": "When it was measured: ISO 8601 with offset or Z (without = UTC), or epoch seconds, as a number or "
            "a string; a string of 8 digits is a day. Truncated to milliseconds. "
            f"At most {MAX_FUTURE_S:g} s ahead of the server's clock.",
            "examples": ["2023-03-28T20:04:22.000Z", 1680033862],
        }
    ),
]
_Number = Annotated[float, BeforeValidator(_no_boolean)]


class _Reading(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    device_id: DeviceId
    timestamp: Timestamp


class ThermostatReading(_Reading):
    """A temperature."""

    tag: Literal["Thermostat"]
    temperature: _Number = Field(
        ge=THERMOSTAT.minimum, le=THERMOSTAT.maximum, allow_inf_nan=False, description="°C", examples=[25.2]
    )


class BarometerReading(_Reading):
    """An air pressure."""

    tag: Literal["Barometer"]
    pressure: _Number = Field(
        ge=BAROMETER.minimum, le=BAROMETER.maximum, allow_inf_nan=False, description="hPa", examples=[1013.2]
    )


class HygrometerReading(_Reading):
    """A relative humidity."""

    tag: Literal["Hygrometer"]
    humidity: _Number = Field(
        ge=HYGROMETER.minimum, le=HYGROMETER.maximum, allow_inf_nan=False, description="%", examples=[45.5]
    )


class HeartRateMeterReading(_Reading):
    """A heart rate."""

    tag: Literal["HeartRateMeter"]
    heart_rate: _Number = Field(
        ge=HEART_RATE_METER.minimum, le=HEART_RATE_METER.maximum, allow_inf_nan=False, description="beats/min", examples=[72.0]
    )


Reading = Annotated[
    ThermostatReading | BarometerReading | HygrometerReading | HeartRateMeterReading, Field(discriminator="tag")
]
