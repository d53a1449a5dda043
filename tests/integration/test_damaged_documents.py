"""Damaged documents on a real stand-in for MongoDB: every reader gives the good ones and names what it leaves out."""

import csv
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract.devices import SENSORS
from backend.contract.documents import LeftOut
from backend.contract.names import (
    BUCKET_MODELS,
    COLLECTION_ACKNOWLEDGEMENTS,
    COLLECTION_AGGREGATES,
    COLLECTION_MESSAGES,
    COLLECTION_MODEL_STATE,
    COLLECTION_PREDICTIONS,
    COLLECTION_PROGRESS,
    DATABASE,
)
from backend.contract.times import from_datetime
from backend.operator.retention import RetentionKeeper
from backend.paai.history import MongoHistory
from backend.paai.listing import GroupedListing, SteppingListing
from backend.predictor.errors import ModelError
from backend.predictor.registry import Registry, RegistryUnavailableError
from backend.predictor.training.source import MongoSource
from desktop.model.predictions.store import PredictionStore
from desktop.model.readings import TimeArray, ValueArray
from desktop.model.windows import Window
from desktop.services.acknowledgements import Acknowledgements
from desktop.services.exports.anomalies import AnomaliesExport, AnomaliesExporter
from desktop.services.exports.stored import AggregatesExport, AggregatesExporter, RawExport, RawExporter
from desktop.services.focus_history import FocusHistory
from desktop.services.mongo import open_client
from desktop.services.predictions_history import PredictionsHistory
from desktop.services.scoring_progress import fetch_scoring
from desktop.services.windows_feed import WindowsFeed
from tests.helpers import documents as docs
from tests.helpers.models import KEY, bundle
from tests.helpers.mongo_server import MongoServer
from tests.helpers.wait import wait_until

pytestmark = pytest.mark.integration

Client = MongoClient[dict[str, Any]]
AT_MS = from_datetime(docs.AT)
#: Far behind every time that a document of these tests has.
TO_MS = from_datetime(docs.AT + timedelta(days=1))


@pytest.fixture
def client(stand_in: MongoServer) -> Iterator[Client]:
    """Of a stand-in, not of the running system; the database is empty."""
    with open_client(stand_in.uri) as opened:
        opened.drop_database(DATABASE)
        yield opened


def insert(client: Client, collection: str, documents: list[docs.Document]) -> int:
    """Insert one by one; the Python stand-in refuses some dates. Returns how many are stored."""
    stored = 0
    for document in documents:
        try:
            client[DATABASE][collection].insert_one({**document})
            stored += 1
        except PyMongoError as error:
            assert "out of range" in str(error), document  # noqa: PT017 - only dates may be refused
    return stored


def damaged_readings() -> list[docs.Document]:
    """Every damage, of a device that has good readings too; each `_id` differs."""
    rows = docs.damaged(docs.reading(), dates=True)
    return [{"_id": ObjectId(), **row} for row in rows] + [{"hello": "world"}, {"_id": "text"}, {"_id": {"a": 1}}]


# paai


@pytest.fixture
async def history(stand_in: MongoServer) -> AsyncIterator[MongoHistory]:
    opened = MongoHistory(uri=stand_in.uri, select_timeout_s=10, query_timeout_s=60)
    yield opened
    await opened.close()


async def test_statistics_are_those_of_the_good_readings(client: Client, history: MongoHistory) -> None:
    insert(client, COLLECTION_MESSAGES, damaged_readings())
    good = [docs.reading(at=docs.AT + timedelta(seconds=i), value=20.0 + i) for i in range(1, 4)]
    insert(client, COLLECTION_MESSAGES, [*good, docs.reading("d-2")])
    rows = await history.statistics(["d-1", "d-2", "d-3"], SENSORS, from_ms=AT_MS + 1, to_ms=TO_MS)
    # The second's damaged readings have the good time; those with a damaged time match no bound.
    assert [(r.device_id, r.sensor, r.average, r.maximum, r.minimum, r.count) for r in rows] == [
        ("d-1", "temperature", 22.0, 23.0, 21.0, 3)
    ]
    rows = await history.statistics(["d-1", "d-2"], SENSORS, from_ms=None, to_ms=TO_MS)
    assert [(r.device_id, r.count) for r in rows][-1] == ("d-2", 1)
    by_device = {r.device_id: r for r in rows}
    # Good besides the three: a value that is good as a number (−1), a date in range.
    assert by_device["d-1"].minimum == -1
    assert by_device["d-1"].maximum == 23.0
    assert history.damaged_total > 10


@pytest.mark.parametrize("device_ids", [["d-1"], [f"d-{n}" for n in range(1, 60)]], ids=["one", "many"])
async def test_statistics_leave_out_devices_that_are_lists(
    client: Client, history: MongoHistory, device_ids: list[str]
) -> None:
    """A query for an element finds its list too."""
    insert(client, COLLECTION_MESSAGES, [docs.reading("d-1"), {**docs.reading("d-1"), "device_id": ["d-1", "x"]}])
    rows = await history.statistics(device_ids, SENSORS, from_ms=None, to_ms=TO_MS)
    assert [(row.device_id, row.count) for row in rows] == [("d-1", 1)]


async def test_statistics_leave_out_values_beyond_the_range_of_their_sensor(client: Client, history: MongoHistory) -> None:
    values = [-90.0, 200.0, 10.0, 500.0, -90.001, 1e26]
    rows = [docs.reading(f"d-{d}", at=docs.AT + timedelta(seconds=i), value=v) for d in range(40) for i, v in enumerate(values)]
    client[DATABASE][COLLECTION_MESSAGES].insert_many(rows)
    for wanted in (["d-1"], [f"d-{d}" for d in range(40)]):
        found = await history.statistics(wanted, SENSORS, from_ms=None, to_ms=TO_MS)
        assert {(r.minimum, r.average, r.maximum, r.count) for r in found} == {(-90.0, 40.0, 200.0, 3)}
        assert len(found) == len(wanted)
    assert history.damaged_total == 40 * 3


@pytest.mark.parametrize("kind", [GroupedListing, SteppingListing])
async def test_the_device_list_is_that_of_the_good_readings(client: Client, history: MongoHistory, kind: type[Any]) -> None:
    insert(client, COLLECTION_MESSAGES, damaged_readings())
    insert(client, COLLECTION_MESSAGES, [docs.reading(f"good-{i}") for i in range(3)])
    history.use_listing(kind)
    page = await history.devices(sensors=SENSORS, prefix="", limit=100, after=None)
    found = {(row.device_id, row.sensor): row for row in page.devices}
    assert {("good-0", "temperature"), ("good-1", "temperature"), ("good-2", "temperature")} <= set(found)
    assert found["d-1", "temperature"].first_ms <= AT_MS <= found["d-1", "temperature"].last_ms
    assert all(isinstance(device, str) and 0 < len(device) <= 128 for device, _ in found)
    page = await history.devices(sensors=SENSORS, prefix="good-", limit=2, after=None)
    assert [row.device_id for row in page.devices] == ["good-0", "good-1"]
    assert page.next is not None
    page = await history.devices(sensors=SENSORS, prefix="good-", limit=2, after=page.next)
    assert [row.device_id for row in page.devices] == ["good-2"]


# The desktop


class WindowSink:
    """What the windows feed gives."""

    def __init__(self) -> None:
        self.windows: dict[tuple[str | None, int], Window] = {}
        self.late = -1

    def ingest_windows(self, windows: Iterable[Window]) -> None:
        for window in windows:
            self.windows[window.device_id, window.start_ms] = window

    def note_window_delay(self, seconds: float) -> None:
        assert seconds >= 0

    def note_late_rows(self, rows: int) -> None:
        self.late = rows


def identified(rows: list[docs.Document]) -> list[docs.Document]:
    """With an `_id` of its own each."""
    return [{**row, "_id": f"damaged/{n}"} for n, row in enumerate(rows)]


def feed_of(client: Client, sink: WindowSink, left_out: LeftOut) -> WindowsFeed:
    return WindowsFeed(client=client, sink=sink, clock=lambda: docs.AT.timestamp() + 12, left_out=left_out)


def test_the_live_windows_are_those_of_the_good_documents(client: Client) -> None:
    damaged = identified(docs.damaged(docs.window("d-1"), dates=True))
    insert(client, COLLECTION_AGGREGATES, [*damaged, {"hello": "world"}])
    insert(client, COLLECTION_AGGREGATES, [docs.window(f"good-{i}", avg=20.0 + i) for i in range(3)])
    insert(client, COLLECTION_PROGRESS, [docs.replaced(docs.progress(), "lag", "many")])
    said: list[str] = []
    sink, left_out = WindowSink(), LeftOut(said.append)
    feed = feed_of(client, sink, left_out)
    feed.set_focus(("d-1", "good-2"))
    for _ in range(3):
        feed.poll()
        left_out.report()
    fleet = sink.windows[None, AT_MS]
    assert 19 <= fleet.avg <= 22  # an average of −1 is no damage
    assert (fleet.low >= -90, fleet.high <= 200, fleet.count >= 30) == (True, True, True)
    assert sink.windows["good-2", AT_MS].avg == 22.0
    assert sink.late == 7
    counts = left_out.counts()
    assert counts[COLLECTION_AGGREGATES] > 50
    assert counts[COLLECTION_PROGRESS] == 1
    assert sorted(text.split(" left out: ")[0].split(" of ")[1] for text in said) == sorted(counts), "one sentence each"


def test_exports_have_the_good_documents_and_say_how_many_are_left_out(client: Client, tmp_path: Path) -> None:
    insert(client, COLLECTION_MESSAGES, [*damaged_readings(), docs.reading("good")])
    insert(client, COLLECTION_AGGREGATES, [*identified(docs.damaged(docs.window())), docs.window("good")])
    insert(client, COLLECTION_PREDICTIONS, [*identified(docs.damaged(docs.prediction())), docs.prediction("good")])
    start, end = docs.AT.timestamp() - 60, docs.AT.timestamp() + 60
    jobs: list[tuple[Any, Any]] = [
        (RawExporter(client), RawExport(tmp_path / "raw.csv", start, end)),
        (RawExporter(client), RawExport(tmp_path / "one.csv", None, end, ("good",))),
        (AggregatesExporter(client), AggregatesExport(tmp_path / "windows.csv", start, end)),
        (AggregatesExporter(client), AggregatesExport(tmp_path / "one-window.csv", start, end, ("good",))),
        (AnomaliesExporter(client), AnomaliesExport(tmp_path / "anomalies.csv", start, end)),
    ]
    for exporter, job in jobs:
        result = exporter.run(job, lambda _: None, threading.Event())
        with job.path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [row["device_id"] for row in rows].count("good") == 1, job
        assert len(rows) == result.rows
        names = () if isinstance(exporter, AnomaliesExporter) else ("value", "avg", "min", "max")
        measured = [float(row[name]) for row in rows for name in names if name in row]
        assert all(-90 <= value <= 200 for value in measured), job
        assert (result.left_out > 10) == (not job.device_ids), (job, result)


def test_anomalies_and_acknowledgements_are_those_of_the_good_documents(client: Client) -> None:
    good = docs.prediction("good")
    insert(client, COLLECTION_PREDICTIONS, [*identified(docs.damaged(docs.prediction(), dates=True)), good])
    key = f"good/temperature/spike/{AT_MS}"
    bad_keys = identified(docs.damaged(docs.acknowledgement(""), dates=True))
    insert(client, COLLECTION_ACKNOWLEDGEMENTS, [*bad_keys, docs.acknowledgement(key), {"_id": 5, "at": docs.AT}])
    for job in docs.damaged(docs.progress("predict"), dates=True):
        stored = insert(client, COLLECTION_PROGRESS, [job])
        client[DATABASE][COLLECTION_MODEL_STATE].replace_one({"_id": "promoted"}, {"version": {"odd": 1}}, upsert=True)
        store, left_out = PredictionStore(), LeftOut()
        acknowledgements = Acknowledgements(client=client, store=store, clock=docs.AT.timestamp, left_out=left_out)
        history = PredictionsHistory(
            client=client,
            store=store,
            acknowledgements=acknowledgements,
            clock=lambda: docs.AT.timestamp() + 5,
            left_out=left_out,
        )
        history.poll()
        assert (fetch_scoring(client) is not None) == (stored == 1)
        client[DATABASE][COLLECTION_PROGRESS].delete_many({})
    history.set_focus(("good", "d-1"))
    while history.poll():
        continue
    events = {event.key.device_id: event for event in store.events()}
    assert events["good"].acknowledged_by == "Ada"
    counts = left_out.counts()
    assert counts[COLLECTION_PREDICTIONS] > 50
    assert counts[COLLECTION_ACKNOWLEDGEMENTS] > 20
    assert counts[COLLECTION_MODEL_STATE] == 1


def test_the_past_of_a_focus_device_is_that_of_its_good_readings(client: Client) -> None:
    insert(client, COLLECTION_MESSAGES, [*damaged_readings(), docs.reading(at=docs.AT + timedelta(seconds=1), value=20.0)])
    got: dict[str, list[float]] = {}

    class Sink:
        def ingest_focus_history(self, device_id: str, sensor: str, t_ms: TimeArray, value: ValueArray) -> None:
            got[sensor] = value.tolist()

    said: list[str] = []
    history = FocusHistory(client=client, sink=Sink(), clock=docs.AT.timestamp, left_out=LeftOut(said.append))
    stop = threading.Event()
    thread = threading.Thread(target=history.run, args=(stop,))
    thread.start()
    try:
        history.set_focus(("d-1",))
        wait_until(lambda: said, 20, "the sentence")
    finally:
        stop.set()
        thread.join(10)
    assert 20.0 in got["temperature"]
    assert all(-90 <= value <= 200 for value in got["temperature"])
    assert len(said) == 1


# The predictor and the operator


def test_the_registry_lists_and_serves_the_good_models(client: Client) -> None:
    registry = Registry(client, key=KEY)
    assert [registry.publish(bundle(low=-float(i))) for i in (1, 2)] == ["v1", "v2"]
    registry.promote("v1")
    registry.promote("v2")
    files, state = client[DATABASE][f"{BUCKET_MODELS}.files"], client[DATABASE][COLLECTION_MODEL_STATE]
    good = files.find_one({"filename": "v1"})
    assert good is not None
    good_entry = {key: value for key, value in good.items() if key != "_id"} | {"filename": "v9"}
    shape = {**good_entry, "metadata": {"card": {"version": "v9"}, "sha256": "00"}}
    damaged = [row for row in docs.damaged(shape, dates=True) if row.get("filename") != "v2"]
    insert(client, files.name, [{**row, "_id": ObjectId()} for row in damaged])
    entries = registry.entries()
    assert {"v1", "v2"} <= {entry.version for entry in entries}
    assert [entry.version for entry in entries if entry.promoted] == ["v2"]
    assert registry.left_out.counts()[files.name] > 50
    assert registry.previous() == "v1"
    with pytest.raises(ModelError):
        registry.fetch("v9")
    for row in docs.damaged({"version": "v2", "at": docs.AT, "before": ["v1"]}, dates=True):
        try:
            state.replace_one({"_id": "promoted"}, row, upsert=True)
        except PyMongoError as error:
            assert "out of range" in str(error)  # noqa: PT017 - the Python stand-in refuses some dates
        assert registry.promoted() in (None, "v2")
        assert registry.previous() in (None, "v1")
        assert len(registry.entries()) == len(entries)
    for value in ("many", None, 1.5, True):
        state.replace_one({"_id": "counter"}, {"value": value}, upsert=True)
        version = registry.publish(bundle())
        assert registry.fetch(version).version == version
    state.replace_one({"_id": "counter"}, {"value": 1}, upsert=True)
    assert registry.publish(bundle()) not in ("v1", "v2"), "a counter that was set back takes no name twice"


def test_damaged_chunks_of_a_model_are_a_damaged_model(client: Client) -> None:
    registry = Registry(client, key=KEY)
    version = registry.publish(bundle())
    chunks, files = client[DATABASE][f"{BUCKET_MODELS}.chunks"], client[DATABASE][f"{BUCKET_MODELS}.files"]
    chunk, entry = chunks.find_one({}), files.find_one({"filename": version})
    assert chunk is not None
    assert entry is not None
    for collection, original in ((chunks, chunk), (files, entry)):
        for row in docs.damaged({k: v for k, v in original.items() if k != "_id"}):
            if row.get("filename", version) != version:
                continue
            collection.replace_one({"_id": original["_id"]}, row)
            try:
                registry.fetch(version)
            except ModelError as error:
                assert not isinstance(error, RegistryUnavailableError)  # noqa: PT017 - some damage is harmless
            registry.entries()
        collection.replace_one({"_id": original["_id"]}, original)
    assert registry.fetch(version).version == version


def test_training_takes_the_good_readings(client: Client) -> None:
    insert(client, COLLECTION_MESSAGES, [*damaged_readings(), docs.reading("good", value=19.0)])
    left_out = LeftOut()
    source = MongoSource(client, from_ms=None, to_ms=None, left_out=left_out)
    devices = source.devices("temperature")
    assert devices["good"] == 1
    times, values = source.readings("d-1", "temperature", 10_000)
    assert len(times) == len(values) > 0
    assert values.min() >= -90
    assert values.max() <= 200
    assert left_out.total() > 10


def test_retention_removes_what_is_old_beside_damaged_documents(client: Client) -> None:
    old, now = docs.AT - timedelta(days=100), docs.AT
    insert(client, COLLECTION_MESSAGES, [*damaged_readings(), {**docs.reading("old"), "_id": ObjectId.from_datetime(old)}])
    insert(client, COLLECTION_AGGREGATES, [*identified(docs.damaged(docs.window(), dates=True)), docs.window("old", at=old)])
    insert(client, COLLECTION_PREDICTIONS, identified(docs.damaged(docs.prediction(), dates=True)))
    insert(client, COLLECTION_PREDICTIONS, [docs.prediction("old", at=old)])
    keeper = RetentionKeeper(
        client=client,
        raw_hours=24,
        raw_bytes=10**9,
        aggregate_days=30,
        slice_documents=100,
        now=lambda: now,
        pause=lambda _: False,
    )
    while not keeper.step().converged:
        continue
    database = client[DATABASE]
    for name in (COLLECTION_MESSAGES, COLLECTION_AGGREGATES, COLLECTION_PREDICTIONS):
        assert database[name].find_one({"device_id": "old"}) is None, name
        assert database[name].count_documents({}) > 50, name
    surplus = RetentionKeeper(
        client=client,
        raw_hours=10 * 365 * 24,
        raw_bytes=1,
        aggregate_days=10 * 365,
        slice_documents=50,
        now=lambda: now,
        pause=lambda _: False,
    )
    wait_until(lambda: surplus.step().converged and surplus.removed > 100, 30, "the surplus to be removed", interval_s=0.01)
