"""The aggregates job after an update, and after a reset when readings have aged out: nothing lost, no stored window spoilt."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from pymongo import MongoClient

from backend.contract import names
from spark.checkpoint import read_committed_watermark
from tests.helpers.live_kafka import ends
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem
from tests.integration.test_checkpoint import Job
from tests.integration.test_windows import Clock, Posted, brute_force, job_state, post, stored, wait_for_windows

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

Document = dict[str, Any]

#: Written over a stored window's average: whoever replaces the window removes it.
MARK = -77.0


@pytest.fixture
def client(live_system: LiveSystem) -> Iterator["MongoClient[Document]"]:
    with MongoClient[Document](live_system.endpoints.mongo, tz_aware=True, serverSelectionTimeoutMS=5000) as mongo:
        yield mongo


def mark(client: "MongoClient[Document]", device: str) -> str:
    """Mark the first window of a device; returns its `_id`."""
    windows = client[names.DATABASE][names.COLLECTION_AGGREGATES]
    found = windows.find_one_and_update({"device_id": device}, {"$set": {"avg": MARK}}, sort=[("window.start", 1)])
    assert found is not None
    return str(found["_id"])


def test_an_earlier_checkpoint_is_continued_and_what_was_written_stays(
    live_system: LiveSystem, client: "MongoClient[Document]"
) -> None:
    job, clock, device = Job(live_system), Clock(client), f"updated-{os.getpid()}"
    before: list[Posted] = [(device, clock.at(n), 20.0 + n) for n in range(16)]
    post(live_system, before)
    closed = brute_force(before[:10])
    wait_until(lambda: stored(client, device).items() >= closed.items(), 120, "the first window", interval_s=0.5)
    closed_by = clock.base_ms + 10_000
    wait_until(
        lambda: (read_committed_watermark(job.checkpoint) or 0) >= closed_by, 120, "the window to be closed", interval_s=0.5
    )

    job.kill()
    marked = mark(client, device)
    (job.checkpoint / "paai-version.json").unlink()  # as the first version left it
    after: list[Posted] = [(device, clock.at(n), 20.0 + n) for n in range(16, 34)]
    post(live_system, after)
    job.start()
    wanted = {**brute_force(before + after)}
    wanted[marked] = (MARK, *wanted[marked][1:])
    wait_for_windows(live_system, client, device, wanted)
    assert [path.name[:10] for path in (job.checkpoint / "set-aside").iterdir() if path.name.startswith("version")] == [
        "version-1-"
    ]

    # Now the topic loses what is in it, and the job its checkpoint.
    job.kill()
    cut = [
        TopicPartition(names.TOPIC_MESSAGES, p, end)
        for p, end in ends(live_system.endpoints.kafka, names.TOPIC_MESSAGES).items()
    ]
    admin = AdminClient({"bootstrap.servers": live_system.endpoints.kafka})
    for future in admin.delete_records(cut).values():
        future.result(timeout=60)
    fresh = f"fresh-{os.getpid()}"
    late: list[Posted] = [(device, clock.base_ms + 5_500, 50.0), (fresh, clock.base_ms + 5_500, 51.0)]
    post(live_system, late)
    for _ in live_system.target.reset("spark-job"):
        pass
    job.start()
    wait_until(lambda: job_state(live_system).get("ok"), 180, "the job to run again", interval_s=0.5)
    wait_for_windows(live_system, client, fresh, brute_force(late[1:]))
    assert stored(client, device) == wanted
