"""From the gateway to MongoDB: all replicas work, nothing is lost or doubled, windows are right."""

import gzip
import json
import re
import sys
import zlib
from collections.abc import Callable

import pytest

from tests.helpers.wait import wait_until
from tests.swarm.load import Load, whole_windows
from tests.swarm.system import LiveSwarm

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_METRICS = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8000/metrics', timeout=30).read().decode())"


def accepted(swarm: LiveSwarm) -> list[int]:
    """Readings that each replica of paai has published."""
    found = []
    for index in range(len(swarm.containers("paai"))):
        text = swarm.in_container("paai", _METRICS, index=index)
        match = re.search(r"^paai_readings_accepted_total ([0-9.e+]+)$", text, re.MULTILINE)
        found.append(int(float(match[1])) if match else 0)
    return found


def test_readings_reach_all_replicas_and_are_stored_once_and_windowed(swarm: LiveSwarm) -> None:
    before = accepted(swarm)
    with Load(swarm.endpoints, "pipe-", devices=20, interval_s=0.25) as load:
        load.wait_for(20 * 4 * 35)
        # Windows close only while newer readings come.
        first_ms, last_ms = whole_windows(load)
        assert last_ms - first_ms >= 20_000
        with swarm.database() as database:
            wanted = load.brute_force(from_ms=first_ms, to_ms=last_ms)
            wait_until(
                lambda: load.windows(database, from_ms=first_ms, to_ms=last_ms).keys() >= wanted.keys(), 120,
                f"{len(wanted)} windows", interval_s=1,
            )  # fmt: skip
            assert load.windows(database, from_ms=first_ms, to_ms=last_ms) == wanted
    assert load.failures == []
    with swarm.database() as database:
        load.stored_exactly_once(database)
    gained = [after - former for after, former in zip(accepted(swarm), before, strict=True)]
    assert len(gained) == 3
    assert sum(gained) >= len(load.acknowledged)
    assert min(gained) > 0.1 * sum(gained), gained


def test_questions_are_answered(swarm: LiveSwarm) -> None:
    with Load(swarm.endpoints, "ask-", devices=4) as load:
        load.wait_for(40)
    with swarm.database() as database:
        load.stored_exactly_once(database)
    with swarm.http() as client:
        body = {"device_ids": sorted({device for device, _, _ in load.acknowledged})}
        rows = client.post("/api/v1/statistics", json=body).json()["data"]
    assert sum(row["count"] for row in rows) == len(load.acknowledged)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstd.compress)],
)
def test_packed_bodies_pass_the_gateway(swarm: LiveSwarm, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    reading = {"tag": "Thermostat", "device_id": f"packed-{encoding}", "timestamp": "2023-03-28T20:04:22Z", "temperature": 25.2}
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    with swarm.http() as client:
        taken = client.post("/api/v1/devices", content=pack(json.dumps([reading]).encode()), headers=headers)
        assert (taken.status_code, taken.json()) == (200, {"accepted": 1, "rejected": []})
        too_large = client.post("/api/v1/devices", content=pack(b" " * (20 * 1024 * 1024)), headers=headers)
        assert too_large.status_code == 413
        two = client.post("/api/v1/devices", content=b"[]", headers=headers | {"Content-Encoding": f"{encoding}, gzip"})
        assert two.status_code == 415
