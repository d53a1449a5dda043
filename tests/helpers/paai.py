"""paai on fakes, as an application in this process."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from backend.common.app import ServiceApp
from backend.common.metrics import Metrics
from backend.paai import metric_defs
from backend.paai.main import assemble
from backend.paai.producer_options import PublisherOptions
from backend.paai.publisher import Publisher
from backend.paai.settings import PaaiSettings
from tests.helpers.fake_history import FakeHistory
from tests.helpers.fake_kafka import FakeProducer
from tests.helpers.fake_refusals import FakeRefusals


async def until(condition: Callable[[], bool], what: str, *, timeout_s: float = 5.0) -> None:
    """Let the loop run until `condition` holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s:g} s for {what}"
        await asyncio.sleep(0.005)


@dataclass(frozen=True, slots=True)
class FakePaai:
    """A started application.

    Attributes:
        app: The application.
        client: Talks to it; has no token.
        producer: In place of Kafka; what it delivers is in `history`.
        history: In place of MongoDB.
        publisher: The application's real publisher.
        refusals: In place of MongoDB for refused requests.
    """

    app: ServiceApp
    client: httpx.AsyncClient
    producer: FakeProducer
    history: FakeHistory
    publisher: Publisher
    refusals: FakeRefusals


@asynccontextmanager
async def running_paai(*, options: PublisherOptions | None = None, **settings: Any) -> AsyncIterator[FakePaai]:
    """paai, started, with fakes for Kafka and MongoDB."""
    history = FakeHistory()
    producer = FakeProducer(history.store)
    metrics = Metrics(metric_defs.ALL)
    publisher = Publisher(options=options or PublisherOptions("kafka.invalid:9092"), metrics=metrics, factory=producer.factory)
    refusals = FakeRefusals()
    app = assemble(
        settings=PaaiSettings(**settings), metrics=metrics, publisher=publisher, history=history, refusal_store=refusals
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://paai") as client:
        yield FakePaai(app, client, producer, history, publisher, refusals)
