"""The sink: bad records go to the dead letters and nothing else does; an outage loses and diverts nothing; it is kept."""

import json
import time
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from backend.common.state import read_state
from backend.contract import names
from backend.contract.times import to_datetime, to_iso
from stack.local import daemon
from stack.local.layout import Layout
from tests.helpers.live_kafka import ends, produce, read_between
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem

pytestmark = pytest.mark.integration

Document = dict[str, Any]


def reading(device_id: str, t_ms: int, value: object = 25.5, /, **changed: object) -> bytes:
    message = {"device_id": device_id, "timestamp": to_iso(t_ms), "sensor": "temperature", "value": value}
    return json.dumps(message | changed).encode()


def without(field: str) -> bytes:
    message = json.loads(reading("bad", now_ms()))
    del message[field]
    return json.dumps(message).encode()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def bad_records() -> dict[str, bytes | None]:
    """One of each kind, by a name that is its key."""
    t = now_ms()
    return {
        "not-json": b"{nope",
        "array": b"[1,2]",
        "number": b"5",
        "text": b'"x"',
        "no-value": None,
        "json-null": b"null",
        "empty": b"",
        "not-utf8": b"\xff\xfe\x00",
        "deep": b"[" * 2000 + b"]" * 2000,
        "no-device": without("device_id"),
        "no-time": without("timestamp"),
        "no-sensor": without("sensor"),
        "value-missing": without("value"),
        "value-text": reading("bad", t, "25"),
        "value-nan-text": reading("bad", t, "NaN"),
        "value-nan": reading("bad", t, float("nan")),
        "value-infinite": reading("bad", t).replace(b"25.5", b"1e999"),
        "value-boolean": reading("bad", t, True),
        "value-null": reading("bad", t, None),
        "value-object": reading("bad", t, {"a": 1}),
        "value-out-of-range": reading("bad", t, 1e9),
        "value-beyond-64-bits": reading("bad", t, 10**30),
        "time-number": reading("bad", t, timestamp=t),
        "time-words": reading("bad", t, timestamp="yesterday"),
        "time-null": reading("bad", t, timestamp=None),
        "time-object": reading("bad", t, timestamp={"$date": 1}),
        "device-number": reading("bad", t, device_id=5),
        "device-null": reading("bad", t, device_id=None),
        "device-empty": reading("bad", t, device_id=""),
        "device-too-long": reading("x" * 129, t),
        "sensor-unknown": reading("bad", t, sensor="colour"),
        "sensor-number": reading("bad", t, sensor=1),
    }


def service(live: LiveSystem, name: str) -> str:
    """The name by which the supervisor knows a service that has one process."""
    found = daemon.connect(Layout.of(live.data_dir)).processes()
    return next(p.full_name for p in found if p.full_name.split(":")[0] == name)


def connector(live: LiveSystem, path: str = "/status") -> httpx.Response:
    return httpx.get(f"{live.endpoints.connect}/connectors/{names.SINK_CONNECTOR}{path}", timeout=20, trust_env=False)


def task_states(live: LiveSystem) -> set[str]:
    answer = connector(live)
    return {task["state"] for task in answer.json()["tasks"]} if answer.status_code == 200 else set()


def test_exactly_the_bad_records_become_dead_letters(live_system: LiveSystem, client: "MongoClient[Document]") -> None:
    kafka, raw = live_system.endpoints.kafka, client[names.DATABASE][names.COLLECTION_MESSAGES]
    bad = bad_records()
    before = ends(kafka, names.TOPIC_DEAD_LETTERS)
    records: list[tuple[str, bytes | None]] = []
    expected: dict[str, float] = {}
    for n, (why, value) in enumerate(bad.items()):
        records += [(f"poison-{n}", reading(f"poison-{n}", now_ms(), n + 0.5)), (why, value)]
        expected[f"poison-{n}"] = n + 0.5
    # Unknown fields are dropped, an `_id` too; a whole number is a number.
    records.append(("poison-extra", reading("poison-extra", now_ms(), 7, foo=1, _id="mine")))
    expected["poison-extra"] = 7
    # The same identity again is a correction: the last one stays, also within one bulk write.
    t = now_ms()
    records += [("poison-same", reading("poison-same", t, n + 0.25)) for n in range(50)]
    expected["poison-same"] = 49.25
    produce(kafka, names.TOPIC_MESSAGES, records)

    def stored() -> bool:
        return {d["device_id"]: d["value"] for d in raw.find({"device_id": {"$regex": "^poison-"}})} == expected

    wait_until(stored, 90, "every good neighbour in MongoDB, once")
    wait_until(
        lambda: sum(ends(kafka, names.TOPIC_DEAD_LETTERS).values()) - sum(before.values()) >= len(bad), 60, "dead letters"
    )
    letters = read_between(kafka, names.TOPIC_DEAD_LETTERS, before, ends(kafka, names.TOPIC_DEAD_LETTERS))
    assert sorted(letter.key for letter in letters) == sorted(bad)
    for letter in letters:
        assert letter.headers["__connect.errors.topic"] == names.TOPIC_MESSAGES
        assert letter.headers["__connect.errors.offset"].isdigit()
        assert letter.headers["__connect.errors.exception.message"]
        assert letter.value == bad[letter.key] or letter.key == "empty"
    document = raw.find_one({"device_id": "poison-extra"})
    assert document is not None
    assert set(document) == {"_id", *names.IDENTITY_FIELDS, "value"}
    assert type(document["_id"]).__name__ == "ObjectId"
    assert raw.count_documents({"device_id": {"$in": ["bad", 5, None, ""]}}) == 0
    assert task_states(live_system) == {"RUNNING"}


def test_an_outage_of_mongodb_diverts_nothing_and_loses_nothing(
    live_system: LiveSystem, client: "MongoClient[Document]"
) -> None:
    kafka = live_system.endpoints.kafka
    supervisor = daemon.connect(Layout.of(live_system.data_dir))
    mongodb = service(live_system, "mongodb")
    letters = ends(kafka, names.TOPIC_DEAD_LETTERS)
    base = now_ms()
    expected = {(f"outage-{n % 10}", base + n): n / 100 for n in range(1000)}

    def some(first: int, last: int) -> list[tuple[str, bytes | None]]:
        return [(d, reading(d, t, v)) for (d, t), v in list(expected.items())[first:last]]

    produce(kafka, names.TOPIC_MESSAGES, some(0, 200))
    supervisor.stop(mongodb)
    try:
        produce(kafka, names.TOPIC_MESSAGES, some(200, 600))
        wait_until(lambda: "FAILED" in task_states(live_system), 120, "the task to give up on MongoDB", interval_s=0.5)
        produce(kafka, names.TOPIC_MESSAGES, some(600, 800))
        state = Layout.of(live_system.data_dir).state / "kafka-operator.json"
        wait_until(lambda: "MongoDB" in read_state(state).message, 30, "the operator to say so")
    finally:
        supervisor.start(mongodb)
    produce(kafka, names.TOPIC_MESSAGES, some(800, 1000))
    raw = client[names.DATABASE][names.COLLECTION_MESSAGES]

    def stored() -> bool:
        try:
            return raw.count_documents({"device_id": {"$regex": "^outage-"}}) >= len(expected)
        except Exception:  # noqa: BLE001  # it starts
            return False

    wait_until(stored, 120, "every reading in MongoDB", interval_s=0.5)
    found = [(d["device_id"], d["timestamp"], d["value"]) for d in raw.find({"device_id": {"$regex": "^outage-"}})]
    assert sorted(found) == sorted((d, to_datetime(t), v) for (d, t), v in expected.items())
    assert ends(kafka, names.TOPIC_DEAD_LETTERS) == letters
    wait_until(lambda: task_states(live_system) == {"RUNNING"}, 60, "the tasks to run again", interval_s=0.5)


def test_a_deleted_or_changed_connector_is_put_back(live_system: LiveSystem) -> None:
    base = f"{live_system.endpoints.connect}/connectors/{names.SINK_CONNECTOR}"
    wanted = connector(live_system, "/config").json()
    assert httpx.delete(base, timeout=30, trust_env=False).status_code == 204
    wait_until(lambda: connector(live_system, "/config").status_code == 200, 60, "the connector to be back", interval_s=0.3)
    changed = wanted | {"mongo.errors.tolerance": "all"}
    wait_until(lambda: httpx.put(f"{base}/config", json=changed, timeout=30, trust_env=False).is_success, 60, "the change")
    wait_until(lambda: connector(live_system, "/config").json() == wanted, 60, "its configuration to be back", interval_s=0.3)
    wait_until(lambda: task_states(live_system) == {"RUNNING"}, 60, "the tasks to run again", interval_s=0.5)


def test_dropped_indexes_come_back(live_system: LiveSystem, client: "MongoClient[Document]") -> None:
    raw = client[names.DATABASE][names.COLLECTION_MESSAGES]
    windows = client[names.DATABASE][names.COLLECTION_AGGREGATES]

    def keys() -> set[tuple[str, ...]]:
        return {tuple(i["key"]) for c in (raw, windows) for i in c.list_indexes()}

    before = keys()
    assert {names.IDENTITY_FIELDS, ("window.end",)} <= before
    raw.drop_index([(field, 1) for field in names.IDENTITY_FIELDS])
    windows.drop_index([("window.end", 1)])
    wait_until(lambda: keys() == before, 60, "the indexes to be back", interval_s=0.3)
    unique = [i for i in raw.list_indexes() if tuple(i["key"]) == names.IDENTITY_FIELDS]
    assert [bool(i.get("unique")) for i in unique] == [True]
    # What comes next may look at the operator's health.
    wait_until(lambda: all(r.healthy for r in live_system.target.status()), 60, "all to be healthy again", interval_s=0.3)
