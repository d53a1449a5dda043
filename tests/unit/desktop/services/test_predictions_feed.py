"""Predictions from the topic and from the collection."""

import json
import math
import threading
from typing import Any

import pytest

from backend.contract import times
from backend.contract.documents import DamagedError
from desktop.model.predictions.record import Grade
from desktop.model.predictions.store import PredictionStore
from desktop.services.kafka_feed import KafkaFeed, KafkaLogin
from desktop.services.predictions_feed import PredictionSink, decode_predictions, stored_prediction
from tests.helpers.fake_topic import FakeTopic, Message
from tests.helpers.wait import wait_until

T0 = 1_795_499_070_000


def document(n: int = 0, *, device: str = "d1", **fields: Any) -> dict[str, Any]:
    """As the job writes it to the topic."""
    t_ms = T0 + 1000 * n
    usual = {
        "_id": f"{device}/temperature/{t_ms}",
        "device_id": device,
        "sensor": "temperature",
        "timestamp": times.to_iso(t_ms),
        "value": 21.0,
        "expected": 20.0,
        "lower": 19.0,
        "upper": 21.5,
        "score": 0.1,
        "anomaly": False,
        "reason": "",
        "kind": "",
        "severity": "",
        "since": None,
        "model": "v1",
    }
    return usual | fields


def odd(n: int = 0, **fields: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "anomaly": True,
        "kind": "stuck",
        "severity": "warning",
        "since": times.to_iso(T0),
        "reason": "Stuck: it repeats.",
        "score": 0.8,
    }
    return document(n, **(given | fields))


def wire(*documents: dict[str, Any]) -> list[bytes | None]:
    return [json.dumps(d).encode() for d in documents]


def test_anomalies_of_all_and_the_rest_of_focus_devices_alone() -> None:
    store = PredictionStore()
    store.set_focus(["d2"])
    values = wire(document(), document(device="d2"), odd(device="d3"))
    batch = decode_predictions(values, live=True, interest=store.interest)
    assert [p.device_id for p in batch.predictions] == ["d2", "d3"]
    assert (batch.records, batch.malformed, batch.live) == (3, 0, True)
    usual, strange = batch.predictions
    assert (usual.expected, usual.lower, usual.upper, usual.anomaly, usual.since_ms) == (20.0, 19.0, 21.5, False, 0)
    assert (strange.grade, strange.kind, strange.since_ms, strange.model) == (Grade.WARNING, "stuck", T0, "v1")


def test_another_word_on_an_odd_reading_is_kept_and_so_is_the_end_of_a_silence() -> None:
    store = PredictionStore()
    sink = PredictionSink(store)

    def take(*documents: dict[str, Any]) -> None:
        sink.ingest(
            sink.decode([Message(0, i, value, T0) for i, value in enumerate(wire(*documents))], received=0.0, live=True)
        )

    take(odd(1), odd(2, device="d9", value=None, kind="dropout", _id="d9/temperature/dropout"))
    assert [e.silent for e in store.events()] == [False, True]
    take(document(1), document(30, device="d9"))
    (event,) = store.events()
    assert (event.key.device_id, event.silent, event.end_ms) == ("d9", False, T0 + 30_000)


def test_a_silence_and_its_end_may_come_at_once() -> None:
    """As a job publishes that catches up after a stop: the end is the first reading after it, not one that comes later."""
    silence = odd(5, _id="s", value=None, kind="dropout", device="d9")
    rest = [document(n, device="d9") for n in (30, 31, 32)]
    store = PredictionStore()
    for batch in (wire(*rest, silence), wire(document(60, device="d9"))):
        store.ingest(decode_predictions(batch, live=True, interest=store.interest).predictions)
    (event,) = store.events()
    assert (event.silent, event.end_ms) == (False, T0 + 30_000)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{",
        b"[]",
        b'{"_id": "x"}',
        b"\xff\xfe",
        json.dumps(odd(sensor="gravity")).encode(),
        json.dumps(odd(timestamp="yesterday")).encode(),
        json.dumps(odd(since="soon")).encode(),
        json.dumps(odd(device="")).encode(),
        json.dumps(odd(device="x" * 5000)).encode(),
        json.dumps(odd(score="high")).encode(),
        b"[" * 100_000,
    ],
)
def test_what_is_no_prediction_is_counted(value: bytes | None) -> None:
    batch = decode_predictions([*wire(odd()), value], live=True, interest=PredictionStore().interest)
    assert (len(batch.predictions), batch.malformed) == (1, 1)


def test_two_objects_in_one_record_do_not_stand_in_for_a_split_one() -> None:
    """As one JSON array these three values hold three predictions, and no error."""
    first, second, third = (json.dumps(odd(n)).encode() for n in range(3))
    cut = third[:-1] + b', "x": [{}', b"{}]}"
    values: list[bytes | None] = [first + b"," + second, *cut]
    assert len(json.loads(b"[" + b",".join(v or b"" for v in values) + b"]")) == len(values)
    batch = decode_predictions(values, live=True, interest=PredictionStore().interest)
    assert (batch.predictions, batch.malformed) == ([], 3)


def test_a_stored_document_says_the_same_as_that_of_the_topic() -> None:
    fields = odd(3, value=None, expected=None)
    stored = fields | {"timestamp": times.to_datetime(T0 + 3000), "since": times.to_datetime(T0)}
    (from_topic,) = decode_predictions(wire(fields), live=True, interest=PredictionStore().interest).predictions
    from_collection = stored_prediction(stored)
    assert math.isnan(from_collection.value)
    assert repr(from_collection) == repr(from_topic)


@pytest.mark.parametrize("broken", [{}, {"_id": 1}, odd(), odd() | {"timestamp": None}])
def test_a_stored_document_that_is_none(broken: dict[str, Any]) -> None:
    with pytest.raises(DamagedError):
        stored_prediction(broken)


def test_the_topic_is_followed_and_only_what_is_new_is_news() -> None:
    topic, store = FakeTopic("predictions"), PredictionStore()
    topic.exists = False
    sink = PredictionSink(store)
    feed = KafkaFeed(
        login=KafkaLogin("nowhere"),
        sink=sink,
        decode=sink.decode,
        topic="predictions",
        make_consumer=topic.consumer,
        topic_id=topic.topic_id,
        clock=lambda: T0 / 1e3,
        look_s=0.001,
        retry_s=0.01,
    )
    stop = threading.Event()
    thread = threading.Thread(target=feed.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: feed.state.topic_missing, 5, "no topic")
        assert store.events() == [], "no topic yet is no error"
        topic.produce(wire(odd(device="old"))[0], t_ms=T0)
        topic.exists = True
        wait_until(store.events, 5, "the past")
        assert store.take_news() == [], "it was there before"
        topic.produce(wire(odd(device="new"))[0], partition=1, t_ms=T0)
        wait_until(lambda: len(store.events()) == 2, 5, "what is new")
        assert [k.device_id for k in store.take_news()] == ["new"]
        assert store.take_news() == []
    finally:
        stop.set()
        thread.join(5)
    assert not thread.is_alive()
