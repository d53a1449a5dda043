"""What is refused is seen: both figures and lists through the desktop's own feeds, after a restart of the window too."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer
from pymongo import MongoClient

from backend.contract import names
from backend.contract.times import to_iso
from desktop.headless.monitor import _refused
from desktop.model.refused.letters import RefusedRecords
from desktop.model.store import LiveStore
from desktop.workers.feeds import LiveFeeds
from tests.helpers.live_kafka import ends, produce
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem
from tests.integration.test_windows import Clock, brute_force, job_state, post, stored

pytestmark = pytest.mark.integration

READING = {"device_id": "seen-1", "tag": "Thermostat", "timestamp": 1680033862, "temperature": 25.2}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def record(**changed: object) -> bytes:
    message = {"device_id": "seen-1", "timestamp": to_iso(now_ms()), "sensor": "temperature", "value": 20.5}
    return json.dumps(message | changed).encode()


@contextmanager
def window(live_system: LiveSystem) -> Iterator[LiveFeeds]:
    """The feeds of a window that is opened and closed."""
    feeds = LiveFeeds(target=live_system.target, store=LiveStore())
    feeds.start()
    try:
        yield feeds
    finally:
        assert feeds.stop(10)


def test_both_figures_and_lists_and_a_restart_of_the_window(live_system: LiveSystem) -> None:
    kafka, paai = live_system.endpoints.kafka, live_system.endpoints.paai
    bad = {
        "not_json": b"{nope",
        "range": record(value=500),
        "timestamp": record(timestamp="yesterday"),
        "sensor": record(sensor="<b>noise</b>"),
        "no_value": None,
    }
    with window(live_system) as feeds:
        refused = feeds.refused
        wait_until(lambda: refused.records().read and refused.requests().total >= 0, 60, "both lists")
        letters, requests = refused.records().total, refused.requests().total
        produce(kafka, names.TOPIC_MESSAGES, [*bad.items(), ("good", record())])
        with httpx.Client(base_url=paai, trust_env=False, timeout=30) as client:
            # Each on a connection of its own, so that all processes of paai take part.
            for temperature in (1e9, "warm", None):
                answer = httpx.post(f"{paai}/api/v1/device", json=READING | {"temperature": temperature}, trust_env=False)
                assert answer.status_code == 422
            batch = client.post("/api/v1/devices", json=[READING, {"device_id": 1}, READING | {"timestamp": "noon"}])
            assert batch.json()["accepted"] == 1
            assert client.post("/api/v1/average", json={"device_ids": []}).status_code == 422

        def both() -> bool:
            return (refused.records().total, refused.requests().total) == (letters + len(bad), requests + 6)

        wait_until(both, 90, "both figures")
        wait_until(lambda: len(refused.records().newest) >= len(bad), 20, "the letters")
        found = {letter.key: letter for letter in refused.records().newest}
        for code, value in bad.items():
            letter = found[code]
            assert (letter.code, letter.topic, letter.value or None) == (code, names.TOPIC_MESSAGES, value)
            assert letter.partition >= 0
            assert 0 <= letter.offset < ends(kafka, names.TOPIC_MESSAGES)[letter.partition]
            assert letter.reason.startswith(f"{code}: ")
        listed = [(item.field, item.reason, item.index) for item in refused.requests().newest[:6]]
        assert sorted(listed, key=str) == sorted(
            [
                ("temperature", "range", None), ("temperature", "type", None), ("temperature", "type", None),
                ("tag", "missing", 1), ("timestamp", "format", 2), ("device_ids", "length", None),
            ],
            key=str,
        )  # fmt: skip
        assert all(item.text for item in refused.requests().newest[:6])
        line = _refused(feeds)[0]
        assert line.startswith(f"refused records {letters + len(bad)} · rejected requests ")
        shown = refused.records(), refused.requests()

        with httpx.Client(base_url=paai, trust_env=False, timeout=30) as client:

            def counted() -> bool:
                report = client.get("/api/v1/refusals").json()["records"]
                return {row["reason"]: row["count"] for row in report["counts"]}.keys() >= bad.keys()

            wait_until(counted, 60, "the operator's count by reason", interval_s=0.5)
            wait_until(
                lambda: 'paai_dead_letters_total{reason="range"}' in client.get("/metrics").text, 30, "metrics", interval_s=0.5
            )
            assert 'paai_rejected_total{field="timestamp",reason="format"}' in client.get("/metrics").text
        # The readers agree: what they count is compared once the sink has committed, and nothing is to be said.
        time_limit = time.monotonic() + 25
        wait_until(lambda: refused.difference or time.monotonic() > time_limit, 30, "the comparison", interval_s=0.5)
        assert refused.difference == ""

    with window(live_system) as feeds:
        wait_until(lambda: feeds.refused.records().read and feeds.refused.requests().total >= 0, 60, "both lists again")
        wait_until(lambda: _same(feeds.refused.records(), shown[0]), 20, "the same records")
        assert feeds.refused.requests().total == shown[1].total
        assert feeds.refused.requests().newest == shown[1].newest


def test_the_largest_records_that_the_topic_takes_stop_nobody(
    live_system: LiveSystem, client: "MongoClient[dict[str, Any]]"
) -> None:
    """20 MiB each once unpacked, in every partition."""
    kafka, device = live_system.endpoints.kafka, f"after-large-{os.getpid()}"
    wait_until(lambda: job_state(live_system).get("ok"), 120, "the job to run", interval_s=0.5)
    before = live_system.pid("spark-job")
    letters = sum(ends(kafka, names.TOPIC_DEAD_LETTERS).values())
    answers: list[object] = []
    producer = Producer(
        {"bootstrap.servers": kafka, "compression.type": "zstd", "message.max.bytes": 1_000_000_000, "log_level": 0}
    )
    for n in range(4 * names.MESSAGES_PARTITIONS):
        producer.produce(
            names.TOPIC_MESSAGES, bytes(20 * 1024 * 1024), b"large", n % names.MESSAGES_PARTITIONS,
            on_delivery=lambda error, _m: answers.append(error),
        )  # fmt: skip
        assert producer.flush(60) == 0
    assert answers == [None] * len(answers)
    clock = Clock(client)
    readings = [(device, clock.at(n), 20.0 + n) for n in range(5)]
    post(live_system, readings)
    post(live_system, [(f"{device}-closes", clock.at(20), 20.0)])
    wait_until(lambda: stored(client, device) == brute_force(readings), 240, "the window", interval_s=0.5)
    raw = client[names.DATABASE][names.COLLECTION_MESSAGES]
    wait_until(lambda: raw.count_documents({"device_id": device}) == len(readings), 60, "the readings in MongoDB")
    wait_until(lambda: sum(ends(kafka, names.TOPIC_DEAD_LETTERS).values()) == letters + len(answers), 60, "the dead letters")
    assert live_system.pid("spark-job") == before


def _same(found: RefusedRecords, before: RefusedRecords) -> bool:
    return (found.total, found.newest) == (before.total, before.newest)
