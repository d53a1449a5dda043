"""Answers of paai, for the OpenAPI document."""

from pydantic import BaseModel, ConfigDict, Field, create_model

from backend.contract.limits import MAX_BATCH_READINGS


class RejectedItem(BaseModel):
    """A reading of a batch that was refused."""

    index: int = Field(ge=0, description="Position in the batch.")
    error: str = Field(description="Which field, why.")


class BatchAnswer(BaseModel):
    """What became of a batch."""

    accepted: int = Field(ge=1, le=MAX_BATCH_READINGS, description="Readings that Kafka has acknowledged.")
    rejected: list[RejectedItem]


class DeviceRow(BaseModel):
    """One device and sensor with stored readings."""

    device_id: str
    sensor: str
    first: str = Field(description="Time of its earliest reading, ISO 8601.")
    last: str = Field(description="Time of its latest reading, ISO 8601.")
    count: int = Field(ge=1)


class DevicesAnswer(BaseModel):
    """A page of devices."""

    devices: list[DeviceRow]
    next: str | None = Field(description="`after` of the next page; null at the end.")


class _Row(BaseModel):
    device_id: str
    sensor: str


class _Answer(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    from_: str | None = Field(alias="from", description="Beginning of the time frame, ISO 8601; null without any reading.")
    to: str = Field(description="End of the time frame, ISO 8601.")


def _answer_model(kind: str, **fields: type) -> type[BaseModel]:
    row = create_model(f"{kind}Row", __base__=_Row, **{name: (of, ...) for name, of in fields.items()})  # type: ignore[call-overload]
    answer: type[BaseModel] = create_model(f"{kind}Answer", __base__=_Answer, data=(list[row], ...))  # type: ignore[valid-type]
    return answer


#: By the last part of the address.
STATISTICS_ANSWERS: dict[str, type[BaseModel]] = {
    "average": _answer_model("Average", average=float),
    "maximum": _answer_model("Maximum", maximum=float),
    "minimum": _answer_model("Minimum", minimum=float),
    "statistics": _answer_model("Statistics", average=float, maximum=float, minimum=float, count=int),
}
