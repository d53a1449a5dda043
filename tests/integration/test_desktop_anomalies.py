"""What the desktop reads of predictions, notes and exports, on a real database."""

import csv
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from backend.contract import times
from backend.contract.names import COLLECTION_PREDICTIONS, DATABASE
from backend.operator.schema import SchemaKeeper, wanted_collections
from desktop.model.predictions.store import PredictionStore
from desktop.services.acknowledgements import Acknowledgements
from desktop.services.exports.anomalies import AnomaliesExport, AnomaliesExporter
from desktop.services.predictions_history import PredictionsHistory
from stack.mongo.choose import MongoChoice
from tests.helpers.mongo_server import mongo_with_auth
from tests.unit.desktop.services.test_predictions_feed import T0, document, odd

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

Client = MongoClient[dict[str, Any]]
NOW = T0 / 1e3 + 100


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    found = shutil.which("secantusd-py", path=str(Path(sys.executable).parent))
    assert found is not None, "the embedded database is not installed"
    choice = MongoChoice("secantusd-py", Path(found), "", "for a test")
    with mongo_with_auth(choice, tmp_path_factory.mktemp("mongo")) as server, server.client() as client:
        SchemaKeeper(client=client, wanted=wanted_collections()).step()
        client[DATABASE][COLLECTION_PREDICTIONS].insert_many([stored(row) for row in rows()])
        yield client


def rows() -> Iterator[dict[str, Any]]:
    for n in range(60):
        yield document(n, device="d1") if n % 20 else odd(n, device="d1")
    silence = odd(5, device="d2", value=None, expected=None, kind="dropout", severity="critical")
    yield silence | {"_id": "d2/temperature/dropout", "reason": "=cmd() Dropout: silent."}
    yield document(12, device="d2")


def stored(row: dict[str, Any]) -> dict[str, Any]:
    since = None if row["since"] is None else times.to_datetime(times.from_iso(row["since"]))
    return row | {"timestamp": times.to_datetime(times.from_iso(row["timestamp"])), "since": since}


class Desk:
    """One desktop's side of it."""

    def __init__(self, client: Client) -> None:
        self.store = PredictionStore()
        self.acknowledgements = Acknowledgements(client=client, store=self.store, clock=lambda: NOW)
        self.history = PredictionsHistory(
            client=client, store=self.store, acknowledgements=self.acknowledgements, clock=lambda: NOW
        )
        while self.history.poll():
            pass


def test_the_past_is_read_with_the_ends_of_its_silences(client: Client) -> None:
    desk = Desk(client)
    found = {e.key.device_id: e for e in desk.store.events()}
    assert (found["d1"].key.kind, found["d1"].readings) == ("stuck", 3)
    assert (found["d2"].silent, found["d2"].end_ms) == (False, T0 + 12_000)
    assert desk.store.status.past_read
    desk.store.set_focus(["d1"])
    desk.history.set_focus(["d1"])
    desk.history.poll()
    assert len(desk.store.expected("temperature", T0 / 1e3 - 10, NOW, 500)[0].t) == 60


def test_what_one_desktop_acknowledges_another_sees(client: Client) -> None:
    one, other = Desk(client), Desk(client)
    keys = [e.key for e in one.store.events()]
    one.acknowledgements.write(keys, by="anna")
    other.acknowledgements.poll()
    assert [e.acknowledged_by for e in other.store.events()] == ["anna", "anna"]
    other.acknowledgements.write(keys[:1], by="bo", undo=True)
    one.acknowledgements.poll()
    assert [e.acknowledged_by for e in one.store.events()] == ["", "anna"]
    one.acknowledgements.write(keys, by="anna", undo=True)


def test_odd_readings_are_exported_and_no_formula_with_them(client: Client, tmp_path: Path) -> None:
    job = AnomaliesExport(tmp_path / "a.csv", NOW - 3600, NOW)
    result = AnomaliesExporter(client).run(job, lambda _: None, threading.Event())
    assert result.rows == 4
    with job.path.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [(r["device_id"], r["timestamp"]) for r in written] == [
        ("d1", times.to_iso(T0)),
        ("d2", times.to_iso(T0 + 5_000)),
        ("d1", times.to_iso(T0 + 20_000)),
        ("d1", times.to_iso(T0 + 40_000)),
    ]
    assert written[1]["reason"].startswith("'=cmd()")
    assert (written[1]["value"], written[1]["severity"]) == ("", "critical")
    assert (written[0]["value"], written[0]["expected"], written[0]["event_began"]) == ("21.0", "20.0", times.to_iso(T0))
    chosen = AnomaliesExport(tmp_path / "b.csv", NOW - 3600, NOW, device_ids=("d2",))
    assert AnomaliesExporter(client).run(chosen, lambda _: None, threading.Event()).rows == 1
