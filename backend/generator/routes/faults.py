"""Faults on demand and their ground truth."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from backend.common.app import JsonAnswer
from backend.common.openapi import error_responses
from backend.generator.deps import EngineDep
from backend.generator.engine import Engine
from backend.generator.faultplan import FaultPlan
from backend.generator.schemas import FaultLogAnswer

router = APIRouter(prefix="/api/v1", tags=["faults"])


def _answer(engine: Engine) -> Response:
    return JsonAnswer(engine.faults.model_dump(exclude_none=True))


@router.get("/faults", response_class=JsonAnswer, response_model=FaultPlan)
async def get_faults(engine: EngineDep) -> Response:
    """The faults that are on, as PUT takes them."""
    return _answer(engine)


@router.put(
    "/faults",
    response_class=JsonAnswer,
    response_model=FaultPlan,
    responses=error_responses(s503="The change could not be saved and was not made."),
)
async def put_faults(engine: EngineDep, body: FaultPlan) -> Response:
    """Inject these faults from now on; a kind that is absent is off."""
    await engine.set_faults(body)
    return _answer(engine)


@router.get("/faults/log", response_class=JsonAnswer, response_model=FaultLogAnswer)
async def get_log(engine: EngineDep, after: Annotated[int, Query(ge=0, lt=2**63)] = 0) -> Response:
    """Faults that were injected, numbered above `after`. Come back with `next`."""
    events = engine.events(after)
    return JsonAnswer(
        {"events": [event.wire() for event in events], "next": events[-1].n if events else engine.log.clamp(after)}
    )
