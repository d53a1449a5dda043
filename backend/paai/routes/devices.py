"""Which devices have stored readings: ``GET /api/v1/devices``."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from backend.common.app import JsonAnswer
from backend.common.openapi import error_responses
from backend.contract.devices import SENSORS
from backend.contract.times import to_iso
from backend.paai.deps import Questions
from backend.paai.schemas import DevicesAnswer
from backend.paai.stored import DevicePage

Sensor = Literal["temperature", "pressure", "humidity", "heart_rate"]


def devices_router(questions: Questions) -> APIRouter:
    """The call."""
    router = APIRouter(tags=["queries"])

    @router.get(
        "/api/v1/devices",
        response_class=JsonAnswer,
        response_model=DevicesAnswer,
        summary="Devices with stored readings",
        description="One row per device and sensor, sorted. `next` is the `after` of the next page, null at the end; a page "
        "may hold fewer rows than `limit` and still have a next one.",
        responses=error_responses(422, s503="MongoDB does not respond; repeat it after `Retry-After` seconds."),
    )
    async def devices(
        sensor: Sensor | None = None,
        prefix: Annotated[str, Query(max_length=128, description="Beginning of the device id.")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        after: Annotated[str | None, Query(max_length=2048, description="`next` of the page before.")] = None,
    ) -> JsonAnswer:
        async def answer() -> JsonAnswer:
            sensors = SENSORS if sensor is None else (sensor,)
            page = await questions.history.devices(sensors=sensors, prefix=prefix, limit=limit, after=after or None)
            return JsonAnswer(_to_answer(page))

        return await questions.ask("devices", answer)

    return router


def _to_answer(page: DevicePage) -> dict[str, Any]:
    rows = [
        {
            "device_id": device.device_id,
            "sensor": device.sensor,
            "first": to_iso(device.first_ms),
            "last": to_iso(device.last_ms),
            "count": device.count,
        }
        for device in page.devices
    ]
    return {"devices": rows, "next": page.next}
