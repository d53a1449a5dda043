"""Which faults are wanted: the body of `PUT /api/v1/faults` and the file given to `history --faults`."""

from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

FaultKind = Literal["spike", "drift", "stuck", "dropout", "late", "duplicate"]
FAULT_KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
Magnitude = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False, strict=True)]
Duration = Annotated[float, Field(gt=0, le=7 * 86_400, allow_inf_nan=False, strict=True)]


class Fault(BaseModel):
    """One kind of fault.

    Attributes:
        share: Part of the devices that misbehave so at any time; late, duplicate: part of the readings.
        magnitude: In units of the device's noise; drift: per minute; late: seconds. Stuck, dropout, duplicate ignore it.
        duration_s: How long one event lasts. Late ignores it; duplicate: how long after the reading its copy comes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: Share
    magnitude: Magnitude = 8.0
    duration_s: Duration = 10.0


class Spike(Fault):
    duration_s: Duration = 1.0


class Drift(Fault):
    magnitude: Magnitude = 5.0
    duration_s: Duration = 300.0


class Stuck(Fault):
    duration_s: Duration = 60.0


class Dropout(Fault):
    duration_s: Duration = 30.0


class Late(Fault):
    """Longer than an hour would hold readings back for nothing."""

    magnitude: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False, strict=True)] = 5.0


class Duplicate(Fault):
    duration_s: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False, strict=True)] = 0.5


class FaultPlan(BaseModel):
    """All faults; a kind that is absent or null is off.

    Attributes:
        seed: Which devices misbehave when; the same seed gives the same faults at the same times.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 0
    spike: Spike | None = None
    drift: Drift | None = None
    stuck: Stuck | None = None
    dropout: Dropout | None = None
    late: Late | None = None
    duplicate: Duplicate | None = None

    def of(self, kind: FaultKind) -> Fault | None:
        """The fault of that kind where it is on."""
        fault: Fault | None = getattr(self, kind)
        return fault if fault is not None and fault.share > 0 else None
