"""start, stop and status, as clients of the original system use them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from backend.common.app import JsonAnswer
from backend.common.openapi import ErrorAnswer, error_responses
from backend.contract.devices import DEVICE_TYPES
from backend.generator.deps import EngineDep
from backend.generator.fleet import MAX_NUMBERED
from backend.generator.schemas import Started, StatusAnswer, Stopped

router = APIRouter(prefix="/api/v1", tags=["original"])


@router.post(
    "/start",
    response_class=JsonAnswer,
    response_model=Started,
    responses={
        208: {"model": ErrorAnswer, "description": "It runs already; nothing was changed."},
        **error_responses(s406="numDevices ≤ 0.", s503="The change could not be saved and was not made."),
    },
)
async def start(engine: EngineDep, numDevices: Annotated[int, Query(le=MAX_NUMBERED)]) -> Response:  # noqa: N803 - the wire's name
    """Replace the fleet by devices "1" … "N" with types drawn by a fixed seed, and start it."""
    if numDevices <= 0:
        return JsonAnswer({"detail": "numDevices must be greater than 0."}, status_code=406)
    if not await engine.start_numbered(numDevices):
        return JsonAnswer({"detail": "The generator is running already; stop it first."}, status_code=208)
    return JsonAnswer({"status": "running", "numDevices": numDevices})


@router.post(
    "/stop",
    response_class=JsonAnswer,
    response_model=Stopped,
    responses=error_responses(s503="The change could not be saved and was not made."),
)
async def stop(engine: EngineDep) -> Response:
    """Send nothing more. The fleet is kept."""
    await engine.stop()
    return JsonAnswer({"status": "stopped"})


@router.get("/status", response_class=JsonAnswer, response_model=StatusAnswer)
async def status(engine: EngineDep) -> Response:
    """Whether it runs, and every device."""
    devices: list[dict[str, Any]] = [{"device_id": i, "tag": DEVICE_TYPES[kind].tag} for i, kind in engine.members()]
    state = "running" if engine.fleet.running else "stopped"
    return JsonAnswer({"status": state, "numDevices": len(devices), "devices": devices})
