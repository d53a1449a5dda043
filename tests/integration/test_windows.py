"""Windows equal brute force over what was posted, through duplicates, late and reordered readings and a killed job."""

import json
import os
import random
import signal
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from confluent_kafka.admin import AdminClient
from pymongo import MongoClient

from backend.contract import names
from backend.contract.times import to_iso
from stack.local import logs
from stack.local.layout import Layout
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

Document = dict[str, Any]

#: (device_id, time in ms, value)
Posted = tuple[str, int, float]


def post(live: LiveSystem, readings: list[Posted]) -> None:
    """Post readings in this order; all must be taken."""
    body = [{"tag": "Thermostat", "device_id": d, "timestamp": to_iso(t), "temperature": v} for d, t, v in readings]
    answer = httpx.post(f"{live.endpoints.paai}/api/v1/devices", json=body, timeout=60, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"accepted": len(body), "rejected": []}


def progress(client: "MongoClient[Document]") -> Document:
    return client[names.DATABASE][names.COLLECTION_PROGRESS].find_one({"_id": names.JOB_AGGREGATE}) or {}


def job_state(live: LiveSystem) -> Document:
    path = Layout.of(live.data_dir).state / "spark-job.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def brute_force(readings: list[Posted]) -> dict[str, tuple[float, float, float, int]]:
    """avg, min, max, count by the window's id; the last of one identity counts."""
    last = {(d, t): v for d, t, v in readings}
    windows: dict[str, list[float]] = {}
    for (device_id, t), v in last.items():
        start = datetime.fromtimestamp(t // 10_000 * 10, UTC)
        windows.setdefault(f"{start:%Y-%m-%dT%H:%M:%SZ}/temperature/{device_id}", []).append(v)
    return {key: (round(sum(v) / len(v), 6), min(v), max(v), len(v)) for key, v in windows.items()}


def stored(client: "MongoClient[Document]", prefix: str) -> dict[str, tuple[float, float, float, int]]:
    rows = list(client[names.DATABASE][names.COLLECTION_AGGREGATES].find({"device_id": {"$regex": f"^{prefix}"}}))
    return {r["_id"]: (round(r["avg"], 6), r["min"], r["max"], r["count"]) for r in rows}


def wait_for_windows(
    live: LiveSystem, client: "MongoClient[Document]", prefix: str, wanted: dict[str, tuple[float, float, float, int]]
) -> None:
    """Until the windows of these devices are the wanted ones; otherwise fails with what is there and how the job is."""
    try:
        wait_until(lambda: stored(client, prefix) == wanted, 180, "the windows", interval_s=0.5)
    except AssertionError:
        found, log = stored(client, prefix), logs.excerpt(Layout.of(live.data_dir), "spark-job", scaled=False, lines=15)
        raise AssertionError(f"{found=}\n{wanted=}\n{progress(client)}\n{job_state(live)}\n{log}") from None


class Clock:
    """Times of readings that are newer than all that Spark has seen, and never ahead of the clock."""

    def __init__(self, client: "MongoClient[Document]") -> None:
        now = time.time()
        watermark = progress(client).get("watermark")
        seen = watermark.timestamp() + 5 if watermark else 0.0  # the watermark is 3 s behind what was seen
        # The progress of a batch is written after its windows: it may not know of the newest readings yet.
        raw = client[names.DATABASE][names.COLLECTION_MESSAGES]
        newest = raw.find_one({"timestamp": {"$lte": datetime.fromtimestamp(now, UTC)}}, sort=[("timestamp", -1)])
        seen = max(seen, newest["timestamp"].timestamp() + 2 if newest else 0.0)
        self.base_ms = int(max(seen, now - 90) // 10 * 10 + 10) * 1000

    def at(self, second: float) -> int:
        """Milliseconds of a second of the stream; waits until that is not in the future."""
        t_ms = self.base_ms + int(second * 1000)
        wait_until(lambda: t_ms <= time.time() * 1000, 60, "the clock to get there")
        return t_ms


def test_windows_equal_brute_force(live_system: LiveSystem, client: "MongoClient[Document]") -> None:
    rng = random.Random(20)
    prefix = f"windows-{os.getpid()}-"
    devices = [f"{prefix}{n}" for n in range(8)]
    clock = Clock(client)
    counted: list[Posted] = []

    def second_of(second: int) -> list[Posted]:
        """One reading a device, out of order by up to a second and a half, some of them twice."""
        late_by = {d: rng.choice((0.0, 0.0, 0.7, 1.4)) for d in devices}
        fresh = [(d, clock.at(second - late_by[d]) + rng.randrange(250), round(rng.uniform(-20, 60), 2)) for d in devices]
        rng.shuffle(fresh)
        return fresh + rng.sample(fresh, 2)

    def send(first: int, last: int) -> None:
        for second in range(first, last):
            batch = second_of(second)
            post(live_system, batch)
            counted.extend(batch)

    send(2, 12)
    wait_until(lambda: progress(client).get("watermark"), 180, "Spark's first watermark", interval_s=0.5)
    seen_by = clock.base_ms / 1000 + 5
    wait_until(lambda: progress(client)["watermark"].timestamp() >= seen_by, 180, "Spark to have seen them", interval_s=0.5)

    # Two minutes late: stored in raw, counted as late one by one, in no window.
    before = progress(client)["late_rows"]
    late = [(d, clock.base_ms - 120_000 + n * 100, 1.0) for d in devices for n in range(3)]
    post(live_system, late)
    wait_until(lambda: progress(client)["late_rows"] >= before + len(late), 180, "late readings to be counted", interval_s=0.5)
    assert progress(client)["late_rows"] == before + len(late)

    # Corrections of readings whose window is open: the last value counts.
    send(12, 15)
    corrected = [(d, t, v + 1) for d, t, v in counted[-10:-2]]
    post(live_system, corrected)
    counted.extend(corrected)

    send(15, 26)
    os.kill(live_system.pid("spark-job"), signal.SIGKILL)
    send(26, 36)
    post(live_system, [(f"closer-{os.getpid()}", clock.at(36 + 14), 20.0)])

    wanted = brute_force(counted)
    wait_until(lambda: stored(client, prefix).keys() >= wanted.keys(), 300, "every window", interval_s=0.5)
    found = stored(client, prefix)
    assert found == wanted
    # Raw holds the late ones too, each reading once.
    raw = client[names.DATABASE][names.COLLECTION_MESSAGES]
    identities = {(d, t) for d, t, _ in counted + late}
    wait_until(lambda: raw.count_documents({"device_id": {"$regex": f"^{prefix}"}}) == len(identities), 90, "raw, each once")
    started = progress(client)["started_at"]
    assert started.timestamp() > clock.base_ms / 1000  # the job that was killed is not the one that wrote this


def test_a_wiped_topic_is_a_guided_reset(live_system: LiveSystem, client: "MongoClient[Document]") -> None:
    clock = Clock(client)
    before, after = f"before-{os.getpid()}", f"after-{os.getpid()}"
    post(live_system, [(before, clock.at(1), 20.0)])
    raw = client[names.DATABASE][names.COLLECTION_MESSAGES]
    wait_until(lambda: raw.count_documents({"device_id": before}) == 1, 90, "the reading in MongoDB")
    seen_by = clock.base_ms / 1000 - 3
    wait_until(lambda: progress(client)["watermark"].timestamp() >= seen_by, 180, "Spark to have seen it", interval_s=0.5)

    admin = AdminClient({"bootstrap.servers": live_system.endpoints.kafka})
    admin.delete_topics([names.TOPIC_MESSAGES])[names.TOPIC_MESSAGES].result(timeout=60)

    def told() -> bool:
        state = job_state(live_system)
        return not state.get("ok") and "cannot continue from this checkpoint" in str(state.get("message"))

    wait_until(told, 180, "the job to say that it needs a reset", interval_s=0.5)
    # The target adds the command once the job's process has ended.
    wait_until(
        lambda: "reset spark-job" in next(r for r in live_system.target.status() if r.service == "spark-job").message,
        60, "the status to name the command", interval_s=0.5,
    )  # fmt: skip
    assert not next(row for row in live_system.target.status() if row.service == "spark-job").healthy
    # The sink went on by itself, from the beginning of the new topic.
    wait_until(lambda: _try_post(live_system, after, clock.at(2)), 90, "paai to publish to the new topic", interval_s=0.5)
    wait_until(lambda: raw.count_documents({"device_id": after}) == 1, 120, "the reading in MongoDB", interval_s=0.5)

    # Prediction waits for a model, and needs no decision of anybody.
    assert next(r for r in live_system.target.status() if r.service == "spark-predict").healthy
    for _ in live_system.target.reset("spark-job"):
        pass
    wait_until(lambda: job_state(live_system).get("ok"), 180, "the job to run again", interval_s=0.5)
    post(live_system, [(f"closer-{os.getpid()}", clock.at(30), 20.0)])
    wait_until(lambda: len(stored(client, after)) == 1, 180, "the window of what was posted before the reset", interval_s=0.5)


def _try_post(live: LiveSystem, device_id: str, t_ms: int) -> bool:
    body = {"tag": "Thermostat", "device_id": device_id, "timestamp": to_iso(t_ms), "temperature": 20.0}
    return httpx.post(f"{live.endpoints.paai}/api/v1/device", json=body, timeout=60, trust_env=False).status_code == 200
