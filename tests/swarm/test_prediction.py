"""A model trained by the predictor, promoted with the administrators' token, finds a fault of the stream."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition

from backend.contract import names
from backend.contract.devices import THERMOSTAT
from backend.contract.times import to_datetime
from tests.helpers.series import wander
from tests.helpers.wait import wait_until
from tests.swarm.system import LiveSwarm

_DEVICES, _SECONDS = 8, 1500
_PREFIX = "model-"
_DEVICE = f"{_PREFIX}live"


def client(swarm: LiveSwarm, token: str | None) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=swarm.endpoints.predictor, headers=headers, timeout=60, trust_env=False)


@pytest.fixture(scope="module")
def history(built: LiveSwarm) -> None:
    """Half an hour of a few devices, as the sink would have stored it."""
    from_ms = int((datetime.now(UTC) - timedelta(hours=2)).timestamp()) * 1000
    with built.database() as database:
        raw = database[names.COLLECTION_MESSAGES]
        for device in range(_DEVICES):
            values = wander(device, _SECONDS, noise=0.3, step=0.03)
            raw.insert_many(
                {
                    "device_id": f"{_PREFIX}{device}",
                    "sensor": THERMOSTAT.sensor,
                    "timestamp": to_datetime(from_ms + 1000 * i),
                    "value": round(float(value), 2),
                }
                for i, value in enumerate(values)
            )


@pytest.fixture(scope="module")
def promoted(built: LiveSwarm, history: None) -> str:
    """The version that scores."""
    admin = built.endpoints.admin_token
    with client(built, admin) as http:
        answer = http.post("/api/v1/models", json={"sensors": [THERMOSTAT.sensor]})
        assert answer.status_code == 202, answer.text
        job = answer.json()["job"]
        wait_until(
            lambda: http.get(f"/api/v1/jobs/{job}").json()["state"] not in ("running", "cancelling"), 600, "the training",
            interval_s=1,
        )  # fmt: skip
        ended: dict[str, Any] = http.get(f"/api/v1/jobs/{job}").json()
        assert ended["state"] == "done", ended
        version: str = ended["result"]["version"]
        assert http.post(f"/api/v1/models/{version}/promote").json() == {"promoted": version}
    return version


def test_who_may_what(swarm: LiveSwarm) -> None:
    endpoints = swarm.endpoints
    assert endpoints.admin_token
    assert endpoints.admin_token != endpoints.token
    for token in (None, "wrong", endpoints.web_password):
        with client(swarm, token) as http:
            assert http.get("/api/v1/models").status_code == 401
            assert http.post("/api/v1/models").status_code == 401
            assert http.get("/healthz").status_code == 200
    with client(swarm, endpoints.token) as http:
        assert http.get("/api/v1/models").status_code == 200
        for method, path in (("POST", "/models"), ("POST", "/models/v1/promote"), ("DELETE", "/models/v1")):
            assert http.request(method, f"/api/v1{path}").status_code == 403, path
    # Nobody but the predictor knows it.
    header = {"Authorization": f"Bearer {endpoints.admin_token}"}
    assert httpx.get(f"{endpoints.paai}/api/v1/devices", headers=header, timeout=60, trust_env=False).status_code == 401


def test_a_fault_is_found_and_a_killed_job_goes_on(swarm: LiveSwarm, promoted: str) -> None:
    values = [round(float(value), 2) for value in wander(99, 500, noise=0.3, step=0.03)]
    values[300:360] = [values[300]] * 60
    begin_ms = time.time_ns() // 1_000_000 // 1000 * 1000 - 520_000
    with swarm.database(swarm.login("mongo_desktop")) as database:
        found = database[names.COLLECTION_PREDICTIONS]

        def scored_with_the_model() -> bool:
            _post(swarm, [20.0], time.time_ns() // 1_000_000 - 1000, device=f"{_DEVICE}-probe")
            return found.find_one({"device_id": f"{_DEVICE}-probe", "model": promoted}) is not None

        # Without a model there is no driver: it starts now.
        wait_until(scored_with_the_model, 240, "the job to score with the model", interval_s=1)
        _post(swarm, values[:400], begin_ms)
        fault = {"device_id": _DEVICE, "anomaly": True, "kind": "stuck"}
        wait_until(lambda: found.find_one(fault) is not None, 120, "the stuck sensor in MongoDB", interval_s=0.5)
        assert _DEVICE in _topic(swarm)

        swarm.wait_replaced("spark-predict", swarm.kill("spark-predict"))
        _post(swarm, values[400:], begin_ms + 400_000)
        wanted = {to_datetime(begin_ms + 1000 * i) for i in range(len(values))}
        wait_until(
            lambda: wanted <= {row["timestamp"] for row in found.find({"device_id": _DEVICE, "model": promoted})}, 180,
            "every reading to be scored", interval_s=1,
        )  # fmt: skip


def _post(swarm: LiveSwarm, values: list[float], begin_ms: int, *, device: str = _DEVICE) -> None:
    body = [
        {"device_id": device, "tag": THERMOSTAT.tag, "timestamp": (begin_ms + 1000 * i) / 1000, THERMOSTAT.field: value}
        for i, value in enumerate(values)
    ]
    with swarm.http() as http:
        answer = http.post("/api/v1/devices", json=body)
    assert answer.status_code == 200, answer.text


def _topic(swarm: LiveSwarm) -> set[str]:
    """Devices of which the topic holds an anomaly, as the desktop's login reads it."""
    endpoints = swarm.endpoints
    consumer = Consumer(
        {
            "bootstrap.servers": endpoints.kafka,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": endpoints.kafka_user or "",
            "sasl.password": endpoints.kafka_password or "",
            "group.id": names.DESKTOP_GROUP,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    seen: set[str] = set()
    try:
        consumer.assign([TopicPartition(names.TOPIC_PREDICTIONS, n, 0) for n in range(names.MESSAGES_PARTITIONS)])
        left = names.MESSAGES_PARTITIONS
        while left:
            message = consumer.poll(30)
            assert message is not None, "the topic of predictions does not answer"
            if message.error() is not None:
                left -= 1
            elif b'"anomaly":true' in (message.value() or b""):
                seen.add((message.key() or b"").decode())
    finally:
        consumer.close()
    return seen
