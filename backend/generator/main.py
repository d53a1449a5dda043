"""The generator's application: builds and wires its parts."""

import asyncio
import logging
import random
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import httpx
from fastapi import FastAPI

from backend.common.app import ServiceApp, create_service_app
from backend.common.health import Health
from backend.common.metrics import Metrics
from backend.generator.clock import Clock, SystemClock
from backend.generator.counters import Counters
from backend.generator.engine import Engine
from backend.generator.metrics import DEFINITIONS, Mirror
from backend.generator.routes import faults, fleet, original
from backend.generator.sender import Sender, SenderLimits
from backend.generator.settings import GeneratorSettings
from backend.generator.state import StateStore

VERSION = "1"
_CONNECT_S = 3.0

_log = logging.getLogger(__name__)

NewClient = Callable[[], httpx.AsyncClient]


def clients(settings: GeneratorSettings, transport: httpx.AsyncBaseTransport | None = None) -> NewClient:
    """Makes HTTP clients for paai, each with one connection of its own.

    Args:
        settings: Address, token and time limits.
        transport: Instead of the network.
    """
    url = str(settings.url)
    tls: ssl.SSLContext | bool = ssl.create_default_context() if url.startswith("https:") else False
    headers = {"content-type": "application/json", "user-agent": "paai-generator"}
    if settings.sent_token is not None:
        headers["authorization"] = f"Bearer {settings.sent_token.decode()}"

    def new_client() -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=url,
            headers=headers,
            timeout=httpx.Timeout(settings.request_timeout_s, connect=_CONNECT_S),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=60.0),
            trust_env=False,  # paai is a neighbour; no proxy lies between
            transport=transport,
            verify=tls,
        )

    return new_client


def create_app(
    settings: GeneratorSettings, *, clock: Clock | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> ServiceApp:
    """The application.

    Args:
        settings: Validated.
        clock: Instead of the machine's.
        transport: Instead of the network.
    """
    clock = clock or SystemClock()
    metrics, health, new_client = Metrics(DEFINITIONS), Health(), clients(settings, transport)

    async def reaches_paai() -> str:
        async with new_client() as client:
            try:
                response = await client.get("/healthz")
            except httpx.RequestError as error:
                return f"paai at {settings.url} does not answer ({type(error).__name__})."
        return "" if response.status_code == 200 else f"paai at {settings.url} answers {response.status_code}."

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        counters = Counters()
        limits = SenderLimits(settings.buffer_readings, settings.buffer_s, settings.connections)
        rng = random.Random()  # noqa: S311 - jitter
        sender = Sender(new_client=new_client, clock=clock, counters=counters, limits=limits, rng=rng)
        store, mirror = StateStore(settings.state_dir), Mirror(metrics)
        engine = Engine(clock=clock, sender=sender, counters=counters, store=store, mirror=mirror, seed=settings.seed)
        if settings.state_dir is None:
            _log.warning("PAAI_STATE_DIR is not set: the fleet is forgotten when the generator ends")
        await engine.restore()
        app.state.engine = engine
        running = asyncio.create_task(engine.run(), name="engine")
        try:
            yield
        finally:
            left = await engine.flush(settings.flush_s)
            if left:
                _log.warning("%d readings were not delivered before the end", left)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    health.add("paai", reaches_paai)
    app = create_service_app(
        title="PAAI generator",
        version=VERSION,
        description="Simulated sensors that post readings to paai.",
        tokens=settings.tokens,
        health=health,
        metrics=metrics,
        lifespan=lifespan,
    )
    for module in (original, fleet, faults):
        app.include_router(module.router)
    return app
