"""Requests and answers of the predictor."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from backend.contract.limits import MAX_BATCH_READINGS
from backend.contract.readings import DeviceId, Timestamp
from backend.contract.timestamps import TIME_SCHEMA, parse_time

Sensor = Literal["temperature", "pressure", "humidity", "heart_rate"]


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number, not a boolean")
    return value


def _moment(value: object) -> int | None:
    return None if value is None else parse_time(value)


Moment = Annotated[
    int | None,
    PlainValidator(_moment),
    WithJsonSchema({**TIME_SCHEMA, "examples": ["2026-01-01T00:00:00Z"]}),
]


class ReadingIn(BaseModel):
    """One reading as the topic holds it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    device_id: DeviceId
    sensor: Sensor
    timestamp: Timestamp
    value: Annotated[float, BeforeValidator(_no_boolean)] = Field(allow_inf_nan=False)


class PredictIn(BaseModel):
    """Recent readings of any devices, the oldest first."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    readings: list[ReadingIn] = Field(min_length=1, max_length=MAX_BATCH_READINGS)


class TrainIn(BaseModel):
    """What to train on; everything when empty. A field of another name would not restrict it, and is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: Moment = Field(default=None, alias="from", description="First moment; absent = earliest.")
    to: Moment = Field(default=None, description="Moment after the last; absent = now.")
    sensors: list[Sensor] | None = Field(default=None, min_length=1, description="Absent = all.")
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _check_order(self) -> "TrainIn":
        if self.from_ is not None and self.to is not None and self.from_ >= self.to:
            raise ValueError("`from` must be before `to`")
        return self

    def arguments(self) -> list[str]:
        """For the command line of the training."""
        given: list[Any] = ["--seed", self.seed, "--promote", "never"]
        for name, moment in (("--from", self.from_), ("--to", self.to)):
            if moment is not None:
                given += [f"{name}={moment / 1000:.3f}"]
        if self.sensors:
            given += ["--sensors", *self.sensors]
        return [str(part) for part in given]


class Prediction(BaseModel):
    """What was expected of one reading, and the verdict."""

    device_id: str
    sensor: str
    timestamp: str = Field(description="ISO 8601.")
    value: float
    expected: float | None
    lower: float | None
    upper: float | None
    score: float = Field(ge=0, le=1)
    anomaly: bool
    reason: str
    kind: str
    severity: str
    since: str | None = Field(description="When the anomaly began, ISO 8601.")


class PredictAnswer(BaseModel):
    """One prediction a reading, in the order given."""

    model: str
    predictions: list[Prediction]


class ModelAnswer(BaseModel):
    """One version."""

    version: str
    promoted: bool
    promoted_at: str | None
    size: int = Field(ge=0, description="Bytes.")
    sha256: str
    card: dict[str, Any]


class ModelsAnswer(BaseModel):
    """All versions, the newest first."""

    promoted: str | None
    previous: str | None = Field(description="The version that a roll back would serve.")
    models: list[ModelAnswer]
    left_out: int = Field(ge=0, description="Entries that are damaged and not listed; the log names them.")


class PromotedAnswer(BaseModel):
    """The version that is served from now on."""

    promoted: str


class DeletedAnswer(BaseModel):
    """The version that was removed."""

    deleted: str


class JobStarted(BaseModel):
    """The training that was started."""

    job: str


class JobAnswer(BaseModel):
    """How a training stands."""

    job: str
    state: Literal["running", "cancelling", "done", "failed", "cancelled"]
    progress: float
    message: str
    started: str
    ended: str | None
    result: dict[str, Any] = Field(default_factory=dict)


class JobsAnswer(BaseModel):
    """The trainings since the predictor's start, the newest first."""

    jobs: list[JobAnswer]
