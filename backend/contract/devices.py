"""The device types and what their sensors may say."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class DeviceType:
    """One kind of device and its sensor.

    Attributes:
        tag: Discriminator in a posted reading, e.g. ``Thermostat``.
        field: Key of the value in a posted reading.
        sensor: Name of the sensor in a DeviceMessage.
        unit: Unit of the value, for people.
        minimum: Smallest accepted value, in `unit`, inclusive.
        maximum: Largest accepted value, in `unit`, inclusive.
        id_prefix: Prefix of the ids that the generator's fleet gives.
        label: Name of the sensor for people.
        device_label: Name of the device type for people.
    """

    tag: str
    field: str
    sensor: str
    unit: str
    minimum: float
    maximum: float
    id_prefix: str
    label: str
    device_label: str


THERMOSTAT: Final = DeviceType(
    "Thermostat", "temperature", "temperature", "°C", -90.0, 200.0, "thermostat", "Temperature", "Thermostat"
)
BAROMETER: Final = DeviceType("Barometer", "pressure", "pressure", "hPa", 300.0, 1200.0, "barometer", "Pressure", "Barometer")
HYGROMETER: Final = DeviceType("Hygrometer", "humidity", "humidity", "%", 0.0, 100.0, "hygrometer", "Humidity", "Hygrometer")
HEART_RATE_METER: Final = DeviceType(
    "HeartRateMeter", "heart_rate", "heart_rate", "beats/min", 0.0, 300.0, "heartratemeter", "Heart rate", "Heart rate meter"
)

#: In the order in which every list, form and page shows them.
DEVICE_TYPES: Final[tuple[DeviceType, ...]] = (THERMOSTAT, BAROMETER, HYGROMETER, HEART_RATE_METER)
BY_TAG: Final[dict[str, DeviceType]] = {t.tag: t for t in DEVICE_TYPES}
BY_SENSOR: Final[dict[str, DeviceType]] = {t.sensor: t for t in DEVICE_TYPES}
SENSORS: Final[tuple[str, ...]] = tuple(t.sensor for t in DEVICE_TYPES)

#: The generator's sliders go this far per type.
MAX_FLEET_PER_TYPE: Final = 5000


def spoken(sensor: str) -> str:
    """A sensor's name within a sentence: ``heart rate``; that of any other series as it is."""
    return BY_SENSOR[sensor].label.lower() if sensor in BY_SENSOR else sensor
