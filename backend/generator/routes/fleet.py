"""The fleet by type: live changes and how sending goes."""

from fastapi import APIRouter
from starlette.responses import Response

from backend.common.app import JsonAnswer
from backend.common.openapi import error_responses
from backend.generator.deps import EngineDep
from backend.generator.schemas import FleetAnswer, FleetBody, fleet_answer

router = APIRouter(prefix="/api/v1", tags=["fleet"])


@router.get("/fleet", response_class=JsonAnswer, response_model=FleetAnswer)
async def get_fleet(engine: EngineDep) -> Response:
    """Devices by type, what should be sent and what is."""
    return JsonAnswer(fleet_answer(engine.view()))


@router.put(
    "/fleet",
    response_class=JsonAnswer,
    response_model=FleetAnswer,
    responses=error_responses(s503="The change could not be saved and was not made."),
)
async def put_fleet(engine: EngineDep, body: FleetBody) -> Response:
    """Let devices join and leave while the others go on. Naming a type starts the fleet; all 0 stops it."""
    interval_ms = None if body.interval_s is None else round(body.interval_s * 1000.0)
    await engine.change(body.counts(), interval_ms=interval_ms)
    return JsonAnswer(fleet_answer(engine.view()))
