"""Last windows of a fleet that stops, what comes after a silence, repeats of late readings."""

import os
import time
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from backend.contract import names
from backend.contract.times import to_datetime
from tests.helpers.live_kafka import ends
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem
from tests.integration.test_windows import Clock, Posted, brute_force, post, progress, wait_for_windows

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

Document = dict[str, Any]


def test_the_last_windows_of_a_fleet_that_stops_come_within_15_s(
    live_system: LiveSystem, client: "MongoClient[Document]"
) -> None:
    fleet = f"{live_system.endpoints.generator}/api/v1/fleet"
    raw = client[names.DATABASE][names.COLLECTION_MESSAGES]
    windows = client[names.DATABASE][names.COLLECTION_AGGREGATES]
    begin = time.time()
    none = {"Thermostat": 0, "Barometer": 0, "Hygrometer": 0, "HeartRateMeter": 0}
    httpx.put(fleet, json={**none, "Thermostat": 9, "interval_s": 0.5}, timeout=30, trust_env=False).raise_for_status()
    try:
        recent = {"device_id": {"$regex": "^thermostat-"}, "timestamp": {"$gte": to_datetime(int(begin * 1000))}}
        wait_until(lambda: raw.count_documents(recent) >= 27, 60, "some readings", error=RuntimeError)
    finally:
        httpx.put(fleet, json=none, timeout=30, trust_env=False).raise_for_status()
    stopped = time.time()
    wanted = {(d["device_id"], int(d["timestamp"].timestamp()) // 10 * 10) for d in raw.find(recent)}

    def all_out() -> bool:
        rows = windows.find({"window.end": {"$gt": to_datetime(int(begin * 1000))}})
        return {(r["device_id"], int(r["window"]["start"].timestamp())) for r in rows} >= wanted

    wait_until(all_out, 15 - (time.time() - stopped), "the windows of every reading", interval_s=0.5)


def test_what_comes_after_a_silence_is_not_late(live_system: LiveSystem, client: "MongoClient[Document]") -> None:
    """A retry after an outage: its windows are out already, as far as they were known, and are replaced."""
    clock, device = Clock(client), f"silent-{os.getpid()}"
    before: list[Posted] = [(device, clock.at(n), 20.0 + n) for n in range(5)]
    post(live_system, before)
    late = progress(client).get("late_rows", 0)
    wait_for_windows(live_system, client, device, brute_force(before))

    after: list[Posted] = [(device, clock.at(n), 20.0 + n) for n in range(5, 28)]
    post(live_system, after[:10])
    post(live_system, after[10:])
    wait_for_windows(live_system, client, device, brute_force(before + after))
    found = progress(client)
    assert found["late_rows"] == late
    topics = {"processed_messages": ends(live_system.endpoints.kafka, names.TOPIC_MESSAGES)}
    assert {int(p): d["end"] for p, d in found["partitions"].items()} == topics["processed_messages"]


def test_late_readings_uploaded_twice_are_late_once_and_repeats_once(
    live_system: LiveSystem, client: "MongoClient[Document]"
) -> None:
    clock = Clock(client)
    post(live_system, [(f"now-{os.getpid()}", clock.at(0), 20.0)])
    seen_by = clock.base_ms / 1000 - 3
    wait_until(lambda: _watermark(client) >= seen_by, 120, "the watermark", interval_s=0.5, error=RuntimeError)
    before = progress(client)
    late: list[Posted] = [(f"twice-{os.getpid()}", clock.base_ms - 7_300_000 + n * 1000, 20.0) for n in range(7200)]
    for _ in range(2):
        post(live_system, late)
    end = ends(live_system.endpoints.kafka, names.TOPIC_MESSAGES)
    wait_until(lambda: _read_to(progress(client), end), 180, "Spark to have read both", interval_s=0.5, error=RuntimeError)
    after = progress(client)
    counted = {name: after[name] - before[name] for name in ("late_rows", "duplicates")}
    assert counted == {"late_rows": 7200, "duplicates": 7200}


def _read_to(found: Document, end: dict[int, int]) -> bool:
    return all(found["partitions"].get(str(p), {"end": 0})["end"] >= offset for p, offset in end.items())


def _watermark(client: "MongoClient[Document]") -> float:
    found = progress(client).get("watermark")
    return found.timestamp() if found else 0.0
