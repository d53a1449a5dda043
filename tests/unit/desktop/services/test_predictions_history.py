"""Anomalies, expected values and acknowledgements from collections in memory."""

from typing import Any, cast

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract import times
from desktop.model.predictions.event import EventKey
from desktop.model.predictions.status import Stage
from desktop.model.predictions.store import PredictionStore
from desktop.services.acknowledgements import Acknowledgements
from desktop.services.errors import UnreachableError
from desktop.services.predictions_history import PAST_S, POLL_S, PredictionsHistory
from tests.helpers.fake_mongo import FakeMongo
from tests.unit.desktop.services.test_predictions_feed import T0, document, odd

NOW = T0 / 1e3 + 100


class System:
    """History and acknowledgements over collections in memory; `now` is moved by tests."""

    def __init__(self) -> None:
        self.mongo, self.store, self.now = FakeMongo(), PredictionStore(), NOW
        self.acknowledgements = self.desk(self.store)
        self.history = PredictionsHistory(
            client=self.client, store=self.store, acknowledgements=self.acknowledgements, clock=lambda: self.now
        )

    @property
    def client(self) -> MongoClient[dict[str, Any]]:
        return cast(MongoClient[dict[str, Any]], self.mongo)

    def desk(self, store: PredictionStore) -> Acknowledgements:
        return Acknowledgements(client=self.client, store=store, clock=lambda: self.now)

    def put(self, fields: dict[str, Any], *, age_s: float = 0.0) -> None:
        t_ms = times.from_iso(fields["timestamp"]) - int(age_s * 1000)
        since = times.to_datetime(t_ms) if fields["since"] is not None else None
        self.mongo["predictions"].documents.append(fields | {"timestamp": times.to_datetime(t_ms), "since": since})

    def read(self) -> int:
        """Poll until the past is read; how often."""
        polls = 1
        while self.history.poll():
            polls += 1
        return polls


def test_anomalies_of_the_last_hours_are_read_in_slices_newest_first() -> None:
    s = System()
    for n, age in enumerate((10, 3_000, 20_000, PAST_S + 5_000)):
        s.put(odd(device=f"d{n}", _id=f"d{n}"), age_s=age)
    s.put(document(device="usual"))
    assert s.history.poll()
    assert [e.key.device_id for e in s.store.events()] == [], "the slice of the future first"
    assert s.history.poll()
    assert [e.key.device_id for e in s.store.events()] == ["d0"]
    reading = s.store.status
    assert s.read() < 60
    assert not reading.past_read
    assert [e.key.device_id for e in s.store.events()] == ["d0", "d1", "d2"]
    assert s.store.status.past_read
    assert s.store.take_news() == [], "the past is no news"


def test_the_end_of_a_past_silence_is_looked_up() -> None:
    s = System()
    s.put(odd(device="d1", value=None, kind="dropout", _id="d1/x/dropout"), age_s=5_000)
    s.put(document(12, device="d1"), age_s=5_000)
    s.put(document(40, device="d1"), age_s=5_000)
    s.put(odd(device="d2", value=None, kind="dropout", _id="d2/x/dropout"), age_s=5_000)
    s.read()
    first, second = s.store.events()
    assert (first.silent, first.end_ms - first.start_ms) == (False, 12_000)
    assert second.silent


def test_expected_values_of_a_device_that_comes_into_focus() -> None:
    s = System()
    for n in range(5):
        s.put(document(n, device="d1"))
    s.store.set_focus(["d1"])
    s.history.set_focus(["d1"])
    s.history.poll()
    (expected,) = s.store.expected("temperature", NOW - 300, NOW, 500)
    assert expected.expected.tolist() == [20.0] * 5
    s.put(document(99, device="d1"))
    s.history.poll()
    assert len(s.store.expected("temperature", NOW - 300, NOW, 500)[0].t) == 5, "read once"
    s.now += 10
    s.history.poll()
    assert s.store.expected("temperature", NOW - 300, NOW + 10, 500)[0].t[-1] == T0 / 1e3 + 99, "and what came meanwhile"


def test_how_far_the_prediction_is() -> None:
    s = System()
    assert s.store.status.stage(s.now) is Stage.LOADING
    s.history.poll()
    assert s.store.status.stage(s.now) is Stage.NO_MODEL
    s.mongo["model_state"].documents.append({"_id": "promoted", "version": "v3"})
    s.now += POLL_S
    s.history.poll()
    assert s.store.status.stage(s.now) is Stage.NO_JOB
    told = {"_id": "predict", "model": "v3", "lag": 7, "updated_at": times.to_datetime(int(s.now * 1000))}
    s.mongo["job_progress"].documents.append(told)
    s.now += POLL_S
    s.history.poll()
    status = s.store.status
    assert (status.stage(s.now), status.promoted, status.scoring, status.lag) == (Stage.SCORING, "v3", "v3", 7)
    assert status.stage(s.now + 120) is Stage.NO_JOB


def test_an_outage_at_the_start_is_no_empty_list() -> None:
    s = System()
    s.mongo.down = True
    with pytest.raises(PyMongoError):
        s.history.poll()
    s.store.note(trouble="connection refused")  # as `run` does
    assert s.store.status.stage(s.now) is Stage.UNREACHABLE
    s.mongo.down = False
    s.put(odd())
    s.read()
    assert s.store.status.trouble == ""
    assert len(s.store.events()) == 1


def test_an_acknowledgement_is_seen_by_another_desktop_and_can_be_taken_back() -> None:
    s, there = System(), PredictionStore()
    other = s.desk(there)
    s.put(odd())
    s.read()
    other.poll()
    key = s.store.events()[0].key
    s.acknowledgements.write([key], by="  anna\n ")
    assert s.store.events()[0].acknowledged_by == "anna"
    assert s.mongo["anomaly_acknowledgements"].documents == [
        {"_id": key.id, "at": times.to_datetime(int(s.now * 1000)), "by": "anna"}
    ]
    other.poll()
    s.history.poll()
    assert s.store.open_count() == 0, "what was written is what is read"
    fresh = PredictionStore()
    s.desk(fresh).poll()
    s.acknowledgements.write([key], by="anna", undo=True)
    assert s.store.open_count() == 1
    assert s.mongo["anomaly_acknowledgements"].documents == []


def test_acknowledgements_are_read_only_when_they_changed() -> None:
    s = System()
    s.acknowledgements.poll()
    asked = s.mongo["anomaly_acknowledgements"].queries
    s.acknowledgements.poll()
    assert s.mongo["anomaly_acknowledgements"].queries == asked + 2, "a count and the newest, no more"
    s.now += 60
    s.acknowledgements.poll()
    assert s.mongo["anomaly_acknowledgements"].queries == asked + 5


def test_odd_acknowledgements_are_left_out() -> None:
    s = System()
    key = EventKey("a/b", "temperature", "stuck", 5)
    at = times.to_datetime(T0)
    s.mongo["anomaly_acknowledgements"].documents += [{"_id": "x", "at": at}, {"_id": key.id, "at": at, "by": "bo"}]
    s.acknowledgements.poll()
    s.put(odd(device="a/b", _id="1"))
    s.read()
    assert not s.store.events()[0].acknowledged, "another begin"


def test_an_acknowledgement_that_mongodb_does_not_take_is_none() -> None:
    s = System()
    s.put(odd())
    s.read()
    s.mongo.down = True
    with pytest.raises(UnreachableError, match="could not be noted"):
        s.acknowledgements.write([s.store.events()[0].key], by="anna")
    assert s.store.open_count() == 1
