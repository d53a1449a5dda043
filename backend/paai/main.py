"""Builds paai's application: the only place that wires its parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from backend.common.app import ServiceApp, create_service_app
from backend.common.health import Health
from backend.common.metrics import Metrics
from backend.paai import metric_defs
from backend.paai.deps import Questions
from backend.paai.history import History, MongoHistory
from backend.paai.producer_options import PublisherOptions
from backend.paai.publisher import Publisher
from backend.paai.refusals.log import RefusalLog
from backend.paai.refusals.store import MongoRefusals, RefusalStore
from backend.paai.routes.devices import devices_router
from backend.paai.routes.ingest import add_ingest_routes
from backend.paai.routes.queries import queries_router
from backend.paai.routes.refusals import refusals_router
from backend.paai.settings import PaaiSettings
from backend.paai.summary import DamagedReadings

VERSION = "1"


def create_app(settings: PaaiSettings) -> ServiceApp:
    """The application of one process. Reaches for Kafka and MongoDB only once it is started, in its own event loop."""
    metrics = Metrics(metric_defs.ALL)
    publisher = Publisher(
        options=PublisherOptions(
            bootstrap=settings.kafka_bootstrap,
            linger_ms=settings.linger_ms,
            ack_timeout_s=settings.ack_timeout_s,
            max_messages=settings.max_inflight_messages,
            max_bytes=settings.max_inflight_bytes,
        ),
        metrics=metrics,
    )
    history = MongoHistory(
        uri=settings.mongo_address,
        select_timeout_s=settings.mongo_timeout_s,
        query_timeout_s=settings.query_timeout_s,
        damaged=DamagedReadings(metrics.counter(metric_defs.DAMAGED)),
    )
    store = MongoRefusals(uri=settings.mongo_address, timeout_s=settings.mongo_timeout_s)
    return assemble(settings=settings, metrics=metrics, publisher=publisher, history=history, refusal_store=store)


def assemble(
    *, settings: PaaiSettings, metrics: Metrics, publisher: Publisher, history: History, refusal_store: RefusalStore
) -> ServiceApp:
    """The application around given parts, which it starts and stops with itself."""
    refusals = RefusalLog(store=refusal_store, metrics=metrics, secrets=settings.tokens)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await publisher.start()
        refusals.start()
        try:
            yield
        finally:
            await publisher.stop()
            await refusals.stop()
            await history.close()

    app = create_service_app(
        title="paai",
        version=VERSION,
        description="Takes sensors' readings and answers questions about stored ones.",
        tokens=settings.tokens,
        health=Health({"kafka": publisher.check, "mongodb": history.check}),
        metrics=metrics,
        lifespan=lifespan,
    )
    app.watch = refusals.watch
    add_ingest_routes(app, publisher, refusals)
    questions = Questions(history=history, metrics=metrics)
    app.include_router(queries_router(questions))
    app.include_router(devices_router(questions))
    app.include_router(refusals_router(refusals))
    return app
