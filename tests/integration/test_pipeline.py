"""The whole path under faults: stored exactly once, windows equal brute force, queries exact.

The oracle is the list that this test recorded when it posted; nothing of it is read back from Kafka or MongoDB.
"""

import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import httpx
import pymongo
import pytest
from pymongo.database import Database

from backend.contract.devices import DEVICE_TYPES, DeviceType
from backend.contract.names import (
    COLLECTION_AGGREGATES,
    COLLECTION_MESSAGES,
    COLLECTION_PROGRESS,
    DATABASE,
    JOB_AGGREGATE,
)
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

_PREFIX = "oracle-"
_DEVICES = 24
_WINDOW_MS = 10_000
#: Readings posted late are this much behind: past the watermark, whatever the job's batches do.
_LATE_MS = 25_000

#: (device_id, sensor, timestamp in ms)
Identity = tuple[str, str, int]


@dataclass
class Oracle:
    """What was posted and acknowledged.

    Attributes:
        values: Value of each identity.
        late: Identities that were posted long after their time.
    """

    values: dict[Identity, float] = field(default_factory=dict)
    late: set[Identity] = field(default_factory=set)


def _kind(device: int) -> DeviceType:
    return DEVICE_TYPES[device % len(DEVICE_TYPES)]


def _reading(identity: Identity, value: float) -> dict[str, Any]:
    device_id, sensor, t_ms = identity
    kind = next(t for t in DEVICE_TYPES if t.sensor == sensor)
    return {"device_id": device_id, "tag": kind.tag, "timestamp": t_ms / 1000, kind.field: value}


class Poster:
    """Posts batches until they are acknowledged, and records them."""

    def __init__(self, live: LiveSystem) -> None:
        self.oracle = Oracle()
        self._client = httpx.Client(base_url=live.endpoints.paai, timeout=20, trust_env=False)
        self._random = random.Random(20261124)
        self.repeated = 0

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _value(self, identity: Identity) -> float:
        return round(self._random.uniform(40, 60) + (900 if identity[1] == "pressure" else 0), 2)

    def post(self, identities: list[Identity], *, late: bool = False) -> None:
        """Post readings of these identities as one batch; repeats it until it is taken."""
        values = {i: self.oracle.values.get(i, self._value(i)) for i in identities}
        body = [_reading(i, values[i]) for i in identities]

        def accepted() -> bool:
            try:
                answer = self._client.post("/api/v1/devices", json=body)
            except httpx.HTTPError:  # its process was killed under it: repeating is safe
                self.repeated += 1
                return False
            if answer.status_code == 503:
                self.repeated += 1
                return False
            assert answer.status_code == 200, answer.text
            assert answer.json() == {"accepted": len(body), "rejected": []}
            return True

        wait_until(accepted, 120, "paai to take a batch", interval_s=0.3)
        self.oracle.values |= values
        if late:
            self.oracle.late |= set(identities)

    def second(self) -> None:
        """One reading a device, shuffled, a few of them twice and in a second batch."""
        now_ms = time.time_ns() // 1_000_000
        identities = [(f"{_PREFIX}{d:02d}", _kind(d).sensor, now_ms - self._random.randrange(900)) for d in range(_DEVICES)]
        self._random.shuffle(identities)
        half = len(identities) // 2
        # Reordered: the second half, measured in the same second, first; duplicates within and across batches.
        self.post(identities[half:] + identities[half : half + 2])
        self.post(identities[:half] + identities[-3:])


@pytest.fixture(scope="module")
def database(live_system: LiveSystem) -> Iterator[Database[dict[str, Any]]]:
    with pymongo.MongoClient[dict[str, Any]](live_system.endpoints.mongo, tz_aware=True) as client:
        yield client[DATABASE]


def _kill(live: LiveSystem, full_name: str) -> None:
    os.kill(live.pid(full_name), signal.SIGKILL)


def _healthy(live: LiveSystem, *services: str) -> bool:
    return all(row.healthy for row in live.target.status() if row.service in services)


def _late_rows(database: Database[dict[str, Any]]) -> int:
    progress = database[COLLECTION_PROGRESS].find_one({"_id": JOB_AGGREGATE})
    return int(progress["late_rows"]) if progress else 0


def _stream(live: LiveSystem, database: Database[dict[str, Any]], poster: Poster) -> int:
    """Post for about a minute with one kill after the other; returns the job's count of late readings before the late ones."""
    faults = {5: "paai:1", 10: "broker:broker", 20: "spark-job:spark-job"}
    for second in range(30):
        begun = time.monotonic()
        if second in faults:
            _kill(live, faults[second])
        poster.second()
        wait_until(lambda begun=begun: time.monotonic() >= begun + 1, 5, "the next second")  # type: ignore[misc]
    wait_until(lambda: _healthy(live, "broker", "spark-job", "paai"), 120, "what was killed to be back", interval_s=0.5)
    _keep_up(database, poster, "the job to have caught up")
    before = _late_rows(database)
    # One late reading each of half the devices, each alone in its window of that device.
    late_ms = (time.time_ns() // 1_000_000 - _LATE_MS) // _WINDOW_MS * _WINDOW_MS + 5_003
    poster.post([(f"{_PREFIX}{d:02d}", _kind(d).sensor, late_ms + d) for d in range(0, _DEVICES, 2)], late=True)
    for _ in range(3):
        poster.second()
    return before


def _keep_up(database: Database[dict[str, Any]], poster: Poster, what: str) -> None:
    """Post on, second by second, until every window that ended 15 s ago is there."""

    def caught_up() -> bool:
        poster.second()
        newest = database[COLLECTION_AGGREGATES].find_one(
            {"device_id": {"$gte": _PREFIX, "$lt": _PREFIX + "~"}}, sort=[("window.end", pymongo.DESCENDING)]
        )
        return newest is not None and newest["window"]["end"].timestamp() > time.time() - 15

    wait_until(caught_up, 120, what, interval_s=0.8)


def test_stored_once_windows_equal_brute_force_and_queries_are_exact(
    live_system: LiveSystem, database: Database[dict[str, Any]]
) -> None:
    poster = Poster(live_system)
    try:
        late_before = _stream(live_system, database, poster)
        oracle = poster.oracle
        wanted = dict(oracle.values)
        _stored_exactly_once(database, wanted)
        _queries_are_exact(live_system, wanted)
        closed_ms = max(t for _, _, t in wanted) // _WINDOW_MS * _WINDOW_MS
        end = datetime.fromtimestamp(closed_ms / 1000, UTC)
        last = {"device_id": f"{_PREFIX}00", "sensor": _kind(0).sensor, "window.end": end}

        def closed() -> bool:
            poster.second()  # windows close only while newer readings come
            return database[COLLECTION_AGGREGATES].find_one(last) is not None

        wait_until(closed, 60, "the last whole window", interval_s=0.8)
        dropped = _windows_equal_brute_force(database, oracle, closed_ms)
        wait_until(lambda: _late_rows(database) - late_before == dropped, 20, f"{dropped} late readings to be counted")
        assert dropped > 0, "no reading was late: this proves nothing about late ones"
    finally:
        poster.close()


def _stored_exactly_once(database: Database[dict[str, Any]], wanted: dict[Identity, float]) -> None:
    query = {"device_id": {"$gte": _PREFIX, "$lt": _PREFIX + "~"}}
    raw = database[COLLECTION_MESSAGES]
    wait_until(lambda: raw.count_documents(query) >= len(wanted), 60, f"{len(wanted)} readings in MongoDB", interval_s=0.5)
    stored = [(d["device_id"], d["sensor"], round(d["timestamp"].timestamp() * 1000), d["value"]) for d in raw.find(query)]
    assert sorted(stored) == sorted((*identity, value) for identity, value in wanted.items())


def _queries_are_exact(live: LiveSystem, wanted: dict[Identity, float]) -> None:
    by_device: dict[tuple[str, str], list[float]] = defaultdict(list)
    times = sorted(t for _, _, t in wanted)
    start, end = times[len(times) // 4], times[3 * len(times) // 4]
    for (device_id, sensor, t), value in wanted.items():
        if start <= t < end:
            by_device[device_id, sensor].append(value)
    asked = [*sorted({device_id for device_id, _ in by_device}), "oracle-nobody"]
    body = {"from": start / 1000, "to": end / 1000, "device_ids": asked}
    rows = httpx.post(f"{live.endpoints.paai}/api/v1/statistics", json=body, timeout=30, trust_env=False).json()["data"]
    assert [(r["device_id"], r["sensor"]) for r in rows] == sorted(by_device)
    for row in rows:
        values = by_device[row["device_id"], row["sensor"]]
        assert (row["minimum"], row["maximum"], row["count"]) == (min(values), max(values), len(values))
        assert row["average"] == pytest.approx(sum(values) / len(values), rel=1e-12)


def _windows_equal_brute_force(database: Database[dict[str, Any]], oracle: Oracle, closed_ms: int) -> int:
    """Compare every closed window; returns how many late readings were left out of theirs."""
    on_time: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    late: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    for (device_id, sensor, t), value in oracle.values.items():
        start = t // _WINDOW_MS * _WINDOW_MS
        if start + _WINDOW_MS <= closed_ms:
            target = late if (device_id, sensor, t) in oracle.late else on_time
            target[device_id, sensor, start].append(value)
    stored = {
        (w["device_id"], w["sensor"], round(w["window"]["start"].timestamp() * 1000)): w
        for w in database[COLLECTION_AGGREGATES].find({"device_id": {"$gte": _PREFIX, "$lt": _PREFIX + "~"}})
        if round(w["window"]["end"].timestamp() * 1000) <= closed_ms
    }
    dropped = 0
    for key in sorted(set(chain(on_time, late))):
        without, with_late = on_time.get(key, []), on_time.get(key, []) + late.get(key, [])
        found = stored.pop(key, None)
        taken = with_late if found is not None and found["count"] == len(with_late) else without
        if taken is without:
            dropped += len(late.get(key, []))
        if found is None:
            assert not taken, f"window {key} is missing"
            continue
        assert found["_id"].endswith(f"/{key[1]}/{key[0]}")
        assert (found["count"], found["min"], found["max"]) == (len(taken), min(taken), max(taken)), key
        assert found["avg"] == pytest.approx(sum(taken) / len(taken), rel=1e-12)
    assert not stored, "windows that nobody's readings made"
    return dropped
