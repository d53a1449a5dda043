"""What the operator keeps comes back; a wiped topic is a guided reset, never a silent skip. Last: it resets the windows."""

import time
from typing import Any

import httpx
import pymongo
import pytest
from confluent_kafka.admin import AdminClient

from backend.contract.names import (
    COLLECTION_AGGREGATES,
    COLLECTION_MESSAGES,
    DATABASE,
    MESSAGES_PARTITIONS,
    SINK_CONNECTOR,
    TOPIC_MESSAGES,
)
from stack.target import ServiceStatus
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]


def row(live: LiveSystem, service: str) -> ServiceStatus:
    return next(r for r in live.target.status() if r.service == service)


def post(live: LiveSystem, device: str, t: float) -> int:
    reading = {"tag": "Hygrometer", "device_id": device, "timestamp": t, "humidity": 50}
    try:
        return httpx.post(f"{live.endpoints.paai}/api/v1/device", json=reading, timeout=20, trust_env=False).status_code
    except httpx.HTTPError:
        return 0


def test_a_deleted_connector_and_a_dropped_index_come_back(live_system: LiveSystem) -> None:
    connectors = f"{live_system.endpoints.connect}/connectors"
    httpx.delete(f"{connectors}/{SINK_CONNECTOR}", timeout=30, trust_env=False).raise_for_status()
    with pymongo.MongoClient[dict[str, Any]](live_system.endpoints.mongo) as client:
        raw = client[DATABASE][COLLECTION_MESSAGES]
        unique = next(name for name, index in raw.index_information().items() if index.get("unique") and name != "_id_")
        raw.drop_index(unique)
        wait_until(lambda: unique in raw.index_information(), 40, "the unique index to be back", interval_s=0.5)
        assert raw.index_information()[unique]["unique"]
        wait_until(
            lambda: httpx.get(f"{connectors}/{SINK_CONNECTOR}/status", timeout=10, trust_env=False).status_code == 200,
            60,
            "the connector to be back",
            interval_s=0.5,
        )
        assert wait_until(lambda: post(live_system, "after-delete", time.time()) == 200, 20, "paai to take a reading")
        wait_until(lambda: raw.count_documents({"device_id": "after-delete"}) >= 1, 60, "it to be stored", interval_s=0.5)


def test_a_wiped_topic_is_a_guided_reset(live_system: LiveSystem) -> None:
    admin = AdminClient({"bootstrap.servers": live_system.endpoints.kafka})
    admin.delete_topics([TOPIC_MESSAGES])[TOPIC_MESSAGES].result(30)

    def is_back() -> bool:
        found = admin.list_topics(timeout=10).topics.get(TOPIC_MESSAGES)
        return found is not None and len(found.partitions) == MESSAGES_PARTITIONS

    wait_until(is_back, 60, "the topic to be back", interval_s=0.5)
    said = wait_until(
        lambda: m if "reset spark-job" in (m := row(live_system, "spark-job").message) else "", 90, "the job to say what to do"
    )
    assert TOPIC_MESSAGES in said
    assert not row(live_system, "spark-job").healthy

    answer = live_system.cli("reset", "spark-job", timeout_s=240)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    wait_until(lambda: row(live_system, "spark-job").healthy, 120, "the job to be well again", interval_s=0.5)
    wait_until(lambda: post(live_system, "after-wipe", time.time()) == 200, 60, "paai to take a reading", interval_s=0.5)
    with pymongo.MongoClient[dict[str, Any]](live_system.endpoints.mongo) as client:
        database = client[DATABASE]

        def both() -> bool:
            post(live_system, "after-wipe", time.time())  # windows close only while newer readings come
            stored = database[COLLECTION_MESSAGES].count_documents({"device_id": "after-wipe"})
            return bool(stored) and database[COLLECTION_AGGREGATES].find_one({"device_id": "after-wipe"}) is not None

        wait_until(both, 90, "raw readings and a window after the wipe", interval_s=0.7)
