"""Bodies of the generator's interface."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from backend.contract.devices import MAX_FLEET_PER_TYPE
from backend.generator.engine import FleetView
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
