"""Bodies of the generator's interface."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.contract.devices import MAX_FLEET_PER_TYPE
from backend.generator.engine import FleetView
from backend.generator.faultplan import FaultKind
from backend.generator.fleet import MAX_INTERVAL_S, MIN_INTERVAL_S

Count = Annotated[int, Field(ge=0, le=MAX_FLEET_PER_TYPE, strict=True)]
Interval = Annotated[float, Field(ge=MIN_INTERVAL_S, le=MAX_INTERVAL_S, allow_inf_nan=False, strict=True)]


class FleetBody(BaseModel):
    """Wanted devices by type; a type that is absent stays as it is."""

    model_config = ConfigDict(extra="forbid")

    thermostat: Count | None = Field(default=None, alias="Thermostat")
    barometer: Count | None = Field(default=None, alias="Barometer")
    hygrometer: Count | None = Field(default=None, alias="Hygrometer")
    heart_rate_meter: Count | None = Field(default=None, alias="HeartRateMeter")
    interval_s: Interval | None = None

    def counts(self) -> dict[str, int]:
        """The types that are named, by tag."""
        named: dict[str, int] = self.model_dump(by_alias=True, exclude={"interval_s"}, exclude_none=True)
        return named


class FleetAnswer(BaseModel):
    """The fleet and how sending goes."""

    model_config = ConfigDict(populate_by_name=True)

    thermostat: int = Field(ge=0, alias="Thermostat")
    barometer: int = Field(ge=0, alias="Barometer")
    hygrometer: int = Field(ge=0, alias="Hygrometer")
    heart_rate_meter: int = Field(ge=0, alias="HeartRateMeter")
    interval_s: float = Field(description="Between two readings of one device.")
    running: bool
    wanted_per_s: float
    sent_per_s: float
    acknowledged: int = Field(ge=0)
    retried: int = Field(ge=0)
    given_up: int = Field(ge=0, description="Readings that were dropped.")
    backlog: int = Field(ge=0, description="Readings that wait.")
    behind_ms: float = Field(ge=0, description="How late the oldest waiting reading is.")


class Started(BaseModel):
    """The fleet that was started."""

    status: Literal["running"]
    num_devices: int = Field(alias="numDevices", ge=1)


class Stopped(BaseModel):
    """The generator sends nothing."""

    status: Literal["stopped"]


class DeviceEntry(BaseModel):
    """One device of the fleet."""

    device_id: str
    tag: str


class StatusAnswer(BaseModel):
    """Whether it runs, and every device."""

    status: Literal["running", "stopped"]
    num_devices: int = Field(alias="numDevices", ge=0)
    devices: list[DeviceEntry]


class FaultEntry(BaseModel):
    """One injected fault."""

    n: int = Field(ge=1)
    device_id: str
    sensor: str
    kind: FaultKind
    start: str = Field(description="ISO 8601.")
    end: str = Field(description="ISO 8601.")
    magnitude: float


class FaultLogAnswer(BaseModel):
    """Faults that were injected, oldest first."""

    events: list[FaultEntry]
    next: int = Field(ge=0, description="`after` of the next question.")


def fleet_answer(view: FleetView) -> dict[str, object]:
    """As the contract writes it."""
    return {
        **view.devices,
        "interval_s": view.interval_s,
        "running": view.running,
        "wanted_per_s": view.wanted_per_s,
        "sent_per_s": view.sent_per_s,
        "acknowledged": view.acknowledged,
        "retried": view.retried,
        "given_up": view.given_up,
        "backlog": view.backlog,
        "behind_ms": view.behind_ms,
    }
