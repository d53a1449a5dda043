"""Questions about stored readings: average, maximum, minimum, statistics."""

import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from backend.common.app import JsonAnswer
from backend.common.openapi import error_responses
from backend.contract.devices import SENSORS
from backend.contract.limits import LAST_TIME_MS, MAX_QUERY_DEVICES
from backend.contract.readings import DeviceId
from backend.contract.times import to_iso
from backend.contract.timestamps import TIME_SCHEMA, parse_time
from backend.paai.deps import Questions
from backend.paai.schemas import STATISTICS_ANSWERS
from backend.paai.stored import Statistics

_EARLIEST_MS = -62_135_596_800_000


def _time(value: object) -> int | None:
    if value is None:
        return None
    # A frame may begin before anything could be measured and end after now; beyond the calendar it is cut.
    return min(max(parse_time(value), _EARLIEST_MS), LAST_TIME_MS)


QueryTime = Annotated[
    int | None,
    PlainValidator(_time),
    WithJsonSchema({**TIME_SCHEMA, "examples": ["2023-03-28T20:04:22Z"]}),
]


class Query(BaseModel):
    """Which readings.

    Attributes:
        from_: First moment; absent = earliest.
        to: Moment after the last; absent = now.
        device_ids: Whose; 1 to 10 000.
        sensor: Only this sensor; absent = all.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    from_: QueryTime = Field(default=None, alias="from", description="First moment; absent = earliest.")
    to: QueryTime = Field(default=None, description="Moment after the last; absent = now.")
    device_ids: list[DeviceId] = Field(min_length=1, max_length=MAX_QUERY_DEVICES, examples=[["1"]])
    sensor: Literal["temperature", "pressure", "humidity", "heart_rate"] | None = None

    @model_validator(mode="after")
    def _check_order(self) -> "Query":
        if self.from_ is not None and self.to is not None and self.from_ >= self.to:
            raise ValueError("`from` must be before `to`")
        return self


Row = Callable[[Statistics], dict[str, Any]]
_ROWS: dict[str, Row] = {
    "average": lambda row: {"average": row.average},
    "maximum": lambda row: {"maximum": row.maximum},
    "minimum": lambda row: {"minimum": row.minimum},
    "statistics": lambda row: {
        "average": row.average,
        "maximum": row.maximum,
        "minimum": row.minimum,
        "count": row.count,
    },
}


def queries_router(questions: Questions) -> APIRouter:
    """The four calls."""
    router = APIRouter(tags=["queries"])

    def endpoint(kind: str, make_row: Row) -> Callable[[Query], Awaitable[JsonAnswer]]:
        async def answer(query: Query) -> JsonAnswer:
            return await questions.ask(kind, lambda: _answer(questions, query, make_row))

        return answer

    for kind, make_row in _ROWS.items():
        router.add_api_route(
            f"/api/v1/{kind}",
            endpoint(kind, make_row),
            methods=["POST"],
            response_class=JsonAnswer,
            response_model=STATISTICS_ANSWERS[kind],
            name=kind,
            summary=f"{kind.capitalize()} of stored readings",
            description="Exact, over the stored raw readings with from ≤ timestamp < to; one row per device and sensor, "
            "sorted; a device without data is absent.",
            responses=error_responses(s503="MongoDB does not respond; repeat it after `Retry-After` seconds."),
        )
    return router


async def _answer(questions: Questions, query: Query, make_row: Row) -> JsonAnswer:
    to_ms = query.to if query.to is not None else time.time_ns() // 1_000_000
    sensors = SENSORS if query.sensor is None else (query.sensor,)
    rows: list[Statistics] = []
    if query.from_ is None or query.from_ < to_ms:
        rows = await questions.history.statistics(query.device_ids, sensors, from_ms=query.from_, to_ms=to_ms)
    from_ms = query.from_ if query.from_ is not None else min((row.first_ms for row in rows), default=None)
    return JsonAnswer(
        {
            "from": None if from_ms is None else to_iso(from_ms),
            "to": to_iso(to_ms),
            "data": [{"device_id": row.device_id, "sensor": row.sensor, **make_row(row)} for row in rows],
        }
    )
