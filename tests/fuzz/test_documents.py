"""Whatever somebody stores: on a real stand-in for MongoDB each reader gives the good documents and raises nothing."""

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from bson import ObjectId
from bson.errors import BSONError
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract.devices import SENSORS
from backend.contract.documents import DamagedError, LeftOut
from backend.contract.names import (
    COLLECTION_ACKNOWLEDGEMENTS,
    COLLECTION_AGGREGATES,
    COLLECTION_MESSAGES,
    COLLECTION_PREDICTIONS,
    COLLECTION_PROGRESS,
    DATABASE,
)
from backend.contract.times import from_datetime
from backend.operator.retention import RetentionKeeper
from backend.paai.history import MongoHistory
from backend.paai.listing import GroupedListing, SteppingListing
from backend.predictor.training.source import MongoSource
from desktop.model.predictions.store import PredictionStore
from desktop.model.snapshot import ViewRequest
from desktop.model.store import LiveStore
from desktop.services.acknowledgements import Acknowledgements
from desktop.services.exports.anomalies import AnomaliesExport, AnomaliesExporter
from desktop.services.exports.stored import AggregatesExport, AggregatesExporter, RawExport, RawExporter
from desktop.services.job_progress import read_progress
from desktop.services.mongo import open_client
from desktop.services.predictions_feed import decode_predictions, stored_prediction
from desktop.services.predictions_history import PredictionsHistory
from desktop.services.scoring_progress import read_scoring
from desktop.services.stored_windows import stored_window
from desktop.services.windows_feed import WindowsFeed
from tests.fuzz.profile import EXAMPLES
from tests.helpers import documents as docs
from tests.helpers.mongo_server import mongo_without_auth, stand_ins

Client = MongoClient[dict[str, Any]]
NOW = docs.AT.timestamp() + 12
#: Each example is a dozen calls to a server.
SLOW = settings(max_examples=max(3, EXAMPLES // 5))

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    # The Rust build where there is one: it stores what the Python build refuses.
    choice = stand_ins()[-1]
    with (
        tempfile.TemporaryDirectory() as folder,
        mongo_without_auth(choice, Path(folder)) as server,
        open_client(server.uri) as opened,
    ):
        yield opened


def several(good: docs.Document) -> st.SearchStrategy[list[docs.Document]]:
    return st.lists(docs.mutations(good), max_size=8)


def put(client: Client, collection: str, rows: Iterable[docs.Document]) -> None:
    """Replace what the collection holds; what the server refuses is no stored document."""
    client[DATABASE][collection].delete_many({})
    for n, row in enumerate(rows):
        try:
            of_raw = collection == COLLECTION_MESSAGES and n % 2
            client[DATABASE][collection].insert_one({**row, "_id": ObjectId() if of_raw else f"{n}"})
        except (PyMongoError, BSONError, OverflowError, ValueError, TypeError, UnicodeError):
            continue


# Without a server: what each reader makes of one document

READERS: list[tuple[Callable[[Any], object], docs.Document]] = [
    (stored_window, docs.window()),
    (stored_prediction, docs.prediction()),
    (read_progress, docs.progress()),
    (read_scoring, docs.progress("predict")),
]


@pytest.mark.parametrize(("read", "good"), READERS, ids=lambda value: getattr(value, "__name__", ""))
@given(data=st.data())
def test_a_document_is_read_or_damaged(read: Callable[[Any], object], good: docs.Document, data: st.DataObject) -> None:
    try:
        read(data.draw(docs.mutations(good)))
    except DamagedError as error:
        assert 0 < len(str(error)) < 300  # noqa: PT017 - most mutations are harmless


@given(value=st.one_of(st.binary(max_size=60), st.none(), docs.mutations(docs.prediction())))
def test_records_of_the_topic_predictions(value: Any) -> None:
    good = msgspec.json.encode(docs.prediction("good") | {"timestamp": "2026-11-28T12:00:00.000Z", "since": None})
    if isinstance(value, dict):
        try:
            value = msgspec.json.encode(value, enc_hook=str)
        except (TypeError, ValueError, OverflowError, UnicodeError):
            return
    batch = decode_predictions([good, value], live=True, interest=PredictionStore().interest)
    assert batch.predictions[0].device_id == "good" or batch.predictions[-1].device_id == "good"
    assert batch.malformed <= 1
    store = PredictionStore()
    store.ingest(batch.predictions)
    store.events()


# On a server


@SLOW
@given(rows=several(docs.window()))
def test_live_windows(client: Client, rows: list[docs.Document]) -> None:
    put(client, COLLECTION_AGGREGATES, [*rows, docs.window("good", avg=20.0)])
    store = LiveStore(clock=lambda: NOW)
    store.set_focus(("good", "d-1"))
    feed = WindowsFeed(client=client, sink=store, clock=lambda: NOW, left_out=LeftOut())
    feed.set_focus(("good", "d-1"))
    feed.poll()
    steps = store.snapshot(ViewRequest(NOW - 60, NOW, 300)).views["temperature"].steps
    assert docs.AT.timestamp() in steps.start.tolist()
    assert np.isfinite(steps.avg).all()


@SLOW
@given(rows=several(docs.reading()), predictions=several(docs.prediction()), windows=several(docs.window()))
def test_exports(
    client: Client, rows: list[docs.Document], predictions: list[docs.Document], windows: list[docs.Document]
) -> None:
    put(client, COLLECTION_MESSAGES, [*rows, docs.reading("good")])
    put(client, COLLECTION_AGGREGATES, [*windows, docs.window("good")])
    put(client, COLLECTION_PREDICTIONS, [*predictions, docs.prediction("good")])
    with tempfile.TemporaryDirectory() as folder:
        jobs: list[tuple[Any, Any]] = [
            (RawExporter(client), RawExport(Path(folder) / "raw.csv", None, NOW)),
            (AggregatesExporter(client), AggregatesExport(Path(folder) / "windows.csv", None, NOW)),
            (AnomaliesExporter(client), AnomaliesExport(Path(folder) / "anomalies.csv", None, NOW)),
        ]
        for exporter, job in jobs:
            exporter.run(job, lambda _: None, threading.Event())
            assert "good" in job.path.read_text("utf-8"), job


@SLOW
@given(
    predictions=several(docs.prediction()),
    acknowledgements=several(docs.acknowledgement("")),
    progress=docs.mutations(docs.progress("predict")),
)
def test_anomalies(
    client: Client, predictions: list[docs.Document], acknowledgements: list[docs.Document], progress: docs.Document
) -> None:
    put(client, COLLECTION_PREDICTIONS, [*predictions, docs.prediction("good")])
    put(client, COLLECTION_ACKNOWLEDGEMENTS, acknowledgements)
    put(client, COLLECTION_PROGRESS, [progress])
    store, left_out = PredictionStore(), LeftOut()
    history = PredictionsHistory(
        client=client,
        store=store,
        acknowledgements=Acknowledgements(client=client, store=store, clock=lambda: NOW, left_out=left_out),
        clock=lambda: NOW,
        left_out=left_out,
    )
    history.set_focus(("good", "d-1"))
    while history.poll():
        continue
    assert "good" in {event.key.device_id for event in store.events()}


@SLOW
@given(rows=several(docs.reading()))
async def test_answers_of_paai(client: Client, rows: list[docs.Document]) -> None:
    put(client, COLLECTION_MESSAGES, [*rows, docs.reading("good", value=20.0)])
    host, port = client.address or ("", 0)
    history = MongoHistory(uri=f"mongodb://{host}:{port}/", select_timeout_s=10, query_timeout_s=60)
    try:
        to_ms = from_datetime(docs.AT + timedelta(days=1))
        found = await history.statistics(["good", "d-1"], SENSORS, from_ms=None, to_ms=to_ms)
        assert [(row.average, row.count) for row in found if row.device_id == "good"] == [(20.0, 1)]
        for kind in (GroupedListing, SteppingListing):
            history.use_listing(kind)
            page = await history.devices(sensors=SENSORS, prefix="", limit=1000, after=None)
            assert "good" in {row.device_id for row in page.devices}
    finally:
        await history.close()


@SLOW
@given(rows=several(docs.reading()))
def test_training_and_retention(client: Client, rows: list[docs.Document]) -> None:
    put(client, COLLECTION_MESSAGES, [*rows, docs.reading("good")])
    source = MongoSource(client, from_ms=None, to_ms=None)
    devices = source.devices("temperature")
    assert devices["good"] == 1
    for device_id in devices:
        _, values = source.readings(device_id, "temperature", 100)
        assert np.isfinite(values).all()
    for raw_bytes in (10**9, 1):
        keeper = RetentionKeeper(
            client=client,
            raw_hours=24,
            raw_bytes=raw_bytes,
            aggregate_days=30,
            slice_documents=3,
            now=lambda: docs.AT,
            pause=lambda _: False,
        )
        keeper.step()
