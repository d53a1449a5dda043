"""`POST /api/v1/predict`."""

import asyncio

from fastapi import APIRouter

from backend.common.app import JsonAnswer
from backend.common.openapi import error_responses
from backend.predictor.schemas import PredictAnswer, PredictIn
from backend.predictor.scorer import Readings, predictions
from backend.predictor.serving import Serving

#: Requests that are computed at the same time; each holds one core.
_AT_ONCE = 2


def predict_router(serving: Serving) -> APIRouter:
    """The call that scores."""
    router = APIRouter(tags=["predictions"])
    slots = asyncio.Semaphore(_AT_ONCE)

    @router.post(
        "/api/v1/predict",
        response_class=JsonAnswer,
        response_model=PredictAnswer,
        summary="Expected value, band and verdict of each reading",
        responses=error_responses(s409="No model is promoted."),
    )
    async def predict(body: PredictIn) -> JsonAnswer:
        """Readings of any devices, the oldest first; about fifty before the one that matters let it be judged well."""
        bundle = serving.bundle()
        rows = body.readings
        readings = Readings(
            [r.device_id for r in rows], [r.sensor for r in rows], [r.timestamp for r in rows], [r.value for r in rows]
        )
        async with slots:
            result = await asyncio.to_thread(predictions, bundle, readings)
        return JsonAnswer({"model": bundle.version, "predictions": result})

    return router
