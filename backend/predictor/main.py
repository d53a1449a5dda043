"""Builds the predictor's application: the only place that wires its parts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from pymongo import MongoClient

from backend.common.app import ServiceApp, create_service_app
from backend.common.health import Health
from backend.common.metrics import MetricDef, Metrics
from backend.contract.documents import DECODING
from backend.predictor.access import may_change
from backend.predictor.errors import ModelError
from backend.predictor.jobs import Jobs
from backend.predictor.registry import Registry
from backend.predictor.routes.models import models_router
from backend.predictor.routes.predict import predict_router
from backend.predictor.serving import Serving
from backend.predictor.settings import PredictorSettings

VERSION = "1"
SWAPS = MetricDef("predictor_model_swaps_total", "counter", "Models that were taken into service.")


def create_app(settings: PredictorSettings) -> ServiceApp:
    """The application of one process. Reaches for MongoDB only once it is started."""
    milliseconds = int(settings.mongo_timeout_s * 1000)
    client: MongoClient[dict[str, Any]] = MongoClient(
        settings.mongo_address,
        serverSelectionTimeoutMS=milliseconds,
        connectTimeoutMS=milliseconds,
        socketTimeoutMS=60_000,
        appname="predictor",
        **DECODING,
        connect=False,
    )
    return assemble(settings=settings, registry=Registry(client, key=settings.seal_key), jobs=Jobs(), on_stop=client.close)


def assemble(
    *, settings: PredictorSettings, registry: Registry, jobs: Jobs, on_stop: Callable[[], None] = lambda: None
) -> ServiceApp:
    """The application around given parts."""
    metrics = Metrics([SWAPS])
    swaps = metrics.counter(SWAPS)
    serving = Serving(registry=registry, poll_s=settings.poll_s, on_change=lambda _: swaps.inc())

    async def mongodb() -> str:
        try:
            await asyncio.to_thread(registry.promoted)
        except ModelError as error:
            return str(error)
        return ""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await serving.start()
        try:
            yield
        finally:
            await jobs.close()
            await serving.stop()
            on_stop()

    app = create_service_app(
        title="predictor",
        version=VERSION,
        description="Says what is expected of readings and which of them are odd; trains and keeps models.",
        tokens=(*settings.tokens, *settings.admin_tokens) if settings.tokens else (),
        health=Health({"mongodb": mongodb}),
        metrics=metrics,
        lifespan=lifespan,
    )
    app.include_router(predict_router(serving))
    app.include_router(
        models_router(registry=registry, serving=serving, jobs=jobs, may_change=may_change(settings.admin_tokens))
    )
    return app
