"""Prediction through the running system: trained, promoted, scored, killed, replaced; and honest where there is no model."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from backend.contract import names
from backend.contract.devices import THERMOSTAT
from backend.contract.times import from_datetime, to_iso
from stack.local.layout import Layout
from tests.helpers.live_kafka import ends, read_between
from tests.helpers.series import wander
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

Document = dict[str, Any]

_DEVICE = f"predicted-{os.getpid()}"
_NOISE = 0.3
#: Readings posted before the job is killed, and altogether; the spike's place.
_BEFORE, _ALL, _SPIKE = 250, 400, 200
#: A verdict may be revised by so many readings after it.
_REVISED = 60


@pytest.fixture(scope="module")
def database(live_system: LiveSystem) -> Iterator[Database[Document]]:
    with MongoClient[Document](live_system.endpoints.mongo, tz_aware=True, serverSelectionTimeoutMS=5000) as mongo:
        yield mongo[names.DATABASE]


@pytest.fixture(scope="module")
def predictor(live_system: LiveSystem) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=live_system.endpoints.predictor, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def versions(live_system: LiveSystem, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two versions trained on the generator's history, as the commands do it; none is promoted."""
    folder = tmp_path_factory.mktemp("history") / "h"
    options = ("--days", "0.02", "--devices", "16", "--seed", "3", "--interval-s", "1", "--out", str(folder))
    _run(live_system, "backend.generator", "history", *options)
    first, second = (
        json.loads(_run(live_system, "backend.predictor.train", *_training(folder), "--seed", seed)) for seed in ("0", "1")
    )
    assert not first["promoted"]
    return first["version"], second["version"]


def _training(folder: Path) -> tuple[str, ...]:
    return "--history", str(folder), "--sensors", THERMOSTAT.sensor, "--promote", "never", "--json"


def _run(live: LiveSystem, *arguments: str) -> str:
    environment = {
        **os.environ,
        "PAAI_MONGO_URI": live.endpoints.mongo,
        "PAAI_MODEL_KEY_FILE": str(Layout.of(live.data_dir).model_key),
    }
    answer = subprocess.run(
        [sys.executable, "-m", *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def _post(live: LiveSystem, values: list[float], begin_ms: int, *, device: str = _DEVICE) -> None:
    body = [
        {"device_id": device, "tag": THERMOSTAT.tag, "timestamp": to_iso(begin_ms + 1000 * i), THERMOSTAT.field: value}
        for i, value in enumerate(values)
    ]

    def taken() -> bool:
        """503 asks for repetition: an earlier test may have killed the broker just now."""
        answer = httpx.post(f"{live.endpoints.paai}/api/v1/devices", json=body, timeout=60, trust_env=False)
        assert answer.status_code in (200, 503), answer.text
        return answer.status_code == 200

    wait_until(taken, 60, "the readings to be taken", interval_s=0.5)


def _wait_for_the_job(live: LiveSystem) -> None:
    """Until the job is well: other tests may have killed what it needs."""

    def well() -> bool:
        return next(row for row in live.target.status() if row.service == "spark-predict").healthy

    wait_until(well, 240, "the prediction job to be well", interval_s=0.5)


def _readings(database: Database[Document]) -> dict[int, Document]:
    """What is stored about the readings themselves, by their time; silences and the like have documents of their own."""
    rows = database[names.COLLECTION_PREDICTIONS].find({"device_id": _DEVICE})
    found = [row for row in rows if row["_id"].count("/") == 2]
    by_time = {from_datetime(row["timestamp"]): row for row in found}
    assert len(by_time) == len(found), "a reading is there twice"
    return by_time


def test_too_little_history_is_said_with_what_is_missing(live_system: LiveSystem, predictor: httpx.Client) -> None:
    begin_ms = time.time_ns() // 1_000_000 - 60_000
    _post(live_system, [20.0 + i % 3 for i in range(50)], begin_ms, device="too-little")
    wanted = {"from": to_iso(begin_ms), "sensors": [THERMOSTAT.sensor]}
    job = predictor.post("/api/v1/models", json=wanted).raise_for_status().json()["job"]
    state: Document = wait_until(
        lambda: (s := predictor.get(f"/api/v1/jobs/{job}").json())["state"] != "running" and s, 120, "the training to end"
    )
    assert state["state"] == "failed"
    assert "3,000" in state["message"] or "There are no" in state["message"]
    reading = {"device_id": "d", "sensor": THERMOSTAT.sensor, "timestamp": to_iso(begin_ms), "value": 20.0}
    answer = predictor.post("/api/v1/predict", json={"readings": [reading]})
    assert answer.status_code == 409, "no model, no prediction"
    assert "No model is promoted yet" in answer.text


def test_a_spike_is_found_and_a_killed_job_goes_on_where_it_was(
    live_system: LiveSystem, predictor: httpx.Client, database: Database[Document], versions: tuple[str, str]
) -> None:
    _wait_for_the_job(live_system)
    start = ends(live_system.endpoints.kafka, names.TOPIC_PREDICTIONS)
    predictor.post(f"/api/v1/models/{versions[0]}/promote").raise_for_status()
    # Nothing is scored before the job has taken the model in.
    probe = itertools.count()

    def scored() -> bool:
        _post(live_system, [20.0], time.time_ns() // 1_000_000 - 1000, device=f"probe-{next(probe)}")
        return database[names.COLLECTION_PREDICTIONS].find_one({"model": versions[0]}) is not None

    wait_until(scored, 240, "the job to score", interval_s=0.3)

    values = [round(float(v), 2) for v in wander(99, _ALL, noise=_NOISE, step=0.03)]
    values[_SPIKE] += 12 * _NOISE
    begin_ms = time.time_ns() // 1_000_000 // 1000 * 1000 - 1000 * (_ALL + 10)
    _post(live_system, values[:_BEFORE], begin_ms)
    wait_until(lambda: len(_readings(database)) == _BEFORE, 60, "the readings to be scored", interval_s=0.3)
    before = _readings(database)
    spike = before[begin_ms + 1000 * _SPIKE]
    assert (spike["anomaly"], spike["kind"]) == (True, "spike"), spike
    assert spike["reason"]

    os.kill(live_system.pid("spark-predict"), signal.SIGKILL)
    _post(live_system, values[_BEFORE:], begin_ms + 1000 * _BEFORE)
    wait_until(lambda: len(_readings(database)) == _ALL, 180, "the killed job to score the rest", interval_s=0.5)
    after = _readings(database)
    settled = [t for t in before if t < begin_ms + 1000 * (_BEFORE - _REVISED)]
    assert {t: after[t] for t in settled} == {t: before[t] for t in settled}
    # A state that begins anew expects nothing of a device for its first readings.
    assert all(after[begin_ms + 1000 * i]["expected"] is not None for i in range(_BEFORE, _ALL))

    records = read_between(
        live_system.endpoints.kafka, names.TOPIC_PREDICTIONS, start, ends(live_system.endpoints.kafka, names.TOPIC_PREDICTIONS)
    )
    last = {row["_id"]: row for row in (json.loads(record.value or b"{}") for record in records)}
    published = {row["timestamp"]: row for row in last.values() if row["device_id"] == _DEVICE and row["_id"].count("/") == 2}
    assert {t: row["anomaly"] for t, row in published.items()} == {to_iso(t): row["anomaly"] for t, row in after.items()}


def test_another_version_is_taken_in_without_a_failed_request(
    live_system: LiveSystem, predictor: httpx.Client, database: Database[Document], versions: tuple[str, str]
) -> None:
    now_ms = int(datetime.now(UTC).timestamp()) * 1000
    values = wander(7, 60, noise=_NOISE, step=0.03)
    readings = [
        {"device_id": "asked", "sensor": THERMOSTAT.sensor, "timestamp": to_iso(now_ms - 1000 * (60 - i)), "value": float(v)}
        for i, v in enumerate(values)
    ]
    stop, answers = threading.Event(), list[tuple[int, str]]()

    def ask() -> None:
        with httpx.Client(base_url=live_system.endpoints.predictor, timeout=30, trust_env=False) as client:
            while not stop.is_set():
                answer = client.post("/api/v1/predict", json={"readings": readings})
                answers.append((answer.status_code, answer.json().get("model", "")))

    predictor.post(f"/api/v1/models/{versions[0]}/promote").raise_for_status()
    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(answers) > 10, 30, "answers of the first version")
        predictor.post(f"/api/v1/models/{versions[1]}/promote").raise_for_status()
        seen = len(answers)
        wait_until(lambda: len(answers) > seen + 10, 30, "answers of the second version")
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert {status for status, _ in answers} == {200}
    assert {model for _, model in answers} == set(versions)

    def taken_in() -> bool:
        _post(live_system, [20.0], time.time_ns() // 1_000_000 - 1000, device="probe-swap")
        return database[names.COLLECTION_PREDICTIONS].find_one({"device_id": "probe-swap", "model": versions[1]}) is not None

    wait_until(taken_in, 120, "the job to score with the second version", interval_s=0.3)
