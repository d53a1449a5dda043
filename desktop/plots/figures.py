"""How many decimals a sensor's values have in a chart, and texts made of them. No Qt."""

from typing import Final

from desktop.model.figures import UNKNOWN, thousands

#: Decimals of a single reading as its sensor resolves it.
DECIMALS: Final[dict[str, int]] = {"temperature": 1, "pressure": 1, "humidity": 1, "heart_rate": 0}
#: Least extent of a value axis: less is the sensor's own noise.
LEAST_EXTENT: Final[dict[str, float]] = {"temperature": 0.5, "pressure": 0.5, "humidity": 1.0, "heart_rate": 4.0}
#: `beats/min` is for sentences; a header has room for less.
SHORT_UNIT: Final[dict[str, str]] = {"heart_rate": "1/min"}


def decimals(sensor: str) -> int:
    """Of a single reading."""
    return DECIMALS.get(sensor, 2)


def value_text(sensor: str, value: float, *, more: int = 0) -> str:
    """A value without its unit; `more` decimals for averages that are compared."""
    return thousands(value, decimals(sensor) + more)


def range_text(sensor: str, low: float, high: float) -> str:
    """``18.2 – 24.9``; one dash when unknown. Spaces, since a value may be negative."""
    one, other = value_text(sensor, low), value_text(sensor, high)
    return UNKNOWN if one == UNKNOWN or other == UNKNOWN else f"{one} – {other}"


def elide_middle(text: str, keep: int) -> str:
    """At most `keep` characters, the middle left out: both the kind and the number of a device stay readable."""
    if len(text) <= keep:
        return text
    head = (keep - 1) // 2
    return f"{text[:head]}…{text[len(text) - (keep - 1 - head) :]}"
