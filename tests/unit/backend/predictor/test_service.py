"""The predictor's addresses, on a registry in memory and a stand-in for the training process."""

import asyncio
import gzip
import json
import sys
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from backend.predictor.jobs import Jobs
from backend.predictor.main import assemble
from backend.predictor.settings import PredictorSettings
from tests.helpers.models import MemoryRegistry, bundle
from tests.helpers.series import wander

FIELDS = {"device_id", "sensor", "timestamp", "value", "expected", "lower", "upper", "score", "anomaly", "reason"}
DONE = 'import sys; sys.stderr.write(\'{"progress": 0.5, "message": "half"}\\n\'); print(\'{"version": "v9"}\')'
FAILS = "import sys; sys.stderr.write('There are no readings.\\n'); sys.exit(1)"
WAITS = 'import time, sys; sys.stderr.write(\'{"progress": 0.1, "message": "reads"}\\n\'); sys.stderr.flush(); time.sleep(60)'


def readings(n: int = 60, *, spike: bool = False) -> list[dict[str, Any]]:
    values = wander(2, n).tolist()
    if spike:
        values[n // 2] += 15.0
    return [
        {"device_id": "d", "sensor": "temperature", "timestamp": 1_700_000_000 + i, "value": value}
        for i, value in enumerate(values)
    ]


@asynccontextmanager
async def service(registry: MemoryRegistry, *, training: str = DONE, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    def command(arguments: Sequence[str]) -> Sequence[str]:
        return [sys.executable, "-c", training, *arguments]

    app = assemble(
        settings=PredictorSettings(poll_s=60.0, **settings),
        registry=registry,  # type: ignore[arg-type]
        jobs=Jobs(command=command),
    )
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://predictor") as client:
            yield client


def stocked(*, promoted: str | None = "v1") -> MemoryRegistry:
    registry = MemoryRegistry()
    registry.publish(bundle(low=-1.0))
    registry.publish(bundle(low=-3.0))
    if promoted:
        registry.promote(promoted)
    return registry


async def test_predictions_come_one_a_reading_in_the_same_order() -> None:
    async with service(stocked()) as client:
        answer = (await client.post("/api/v1/predict", json={"readings": readings(spike=True)})).json()

    assert answer["model"] == "v1"
    rows = answer["predictions"]
    assert [row["value"] for row in rows] == [r["value"] for r in readings(spike=True)]
    assert {"device_id", "sensor", "timestamp", "value", "expected", "lower", "upper", "score", "anomaly", "reason"} <= set(
        rows[0]
    )
    odd = [i for i, row in enumerate(rows) if row["anomaly"]]
    assert odd == [30]
    assert rows[30]["reason"].startswith("Spike: ")
    assert rows[0]["expected"] is None
    assert rows[50]["lower"] < rows[50]["expected"] < rows[50]["upper"]


async def test_a_reading_after_a_silence_is_a_dropout() -> None:
    rows = readings(90)
    del rows[50:80]
    async with service(stocked()) as client:
        answer = (await client.post("/api/v1/predict", json={"readings": rows})).json()

    odd = [row for row in answer["predictions"] if row["anomaly"]]
    assert [row["reason"] for row in odd] == ["Dropout: it was silent for 31.0 s before this reading."]


async def test_a_packed_body_is_unpacked_and_bounded() -> None:
    body = json.dumps({"readings": readings(2)}).encode()
    async with service(stocked()) as client:

        async def post(content: bytes, coding: str) -> httpx.Response:
            return await client.post("/api/v1/predict", content=content, headers={"content-encoding": coding})

        for coding, pack in (("gzip", gzip.compress), ("deflate", zlib.compress)):
            taken = await post(pack(body), coding)
            assert (taken.status_code, len(taken.json()["predictions"])) == (200, 2)
            assert (await post(pack(b" " * (20 * 1024 * 1024)), coding)).status_code == 413
            assert (await post(body, f"{coding}, gzip")).status_code == 415


async def test_without_a_promoted_model_it_says_so() -> None:
    async with service(stocked(promoted=None)) as client:
        answer = await client.post("/api/v1/predict", json={"readings": readings(1)})

    assert answer.status_code == 409
    assert "No model is promoted yet" in answer.json()["detail"]


async def test_a_promoted_model_that_was_tampered_with_is_not_served() -> None:
    registry = stocked()
    registry.files["v1"] = registry.files["v1"][:-1] + b"x"
    async with service(registry) as client:
        answer = await client.post("/api/v1/predict", json={"readings": readings(1)})

    assert answer.status_code == 409
    assert "cannot be used" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sensor": "colour"}, "sensor"),
        ({"value": True}, "value"),
        ({"value": "NaN"}, "value"),
        ({"timestamp": 1e12}, "timestamp"),
        ({"device_id": ""}, "device_id"),
    ],
)
async def test_a_bad_reading_is_named(change: dict[str, Any], field: str) -> None:
    async with service(stocked()) as client:
        answer = await client.post("/api/v1/predict", json={"readings": [{**readings(1)[0], **change}]})

    assert answer.status_code == 422
    assert field in answer.json()["detail"][0]["loc"]


async def test_models_are_listed_promoted_rolled_back_and_removed() -> None:
    async with service(stocked()) as client:
        listed = (await client.get("/api/v1/models")).json()
        assert [(m["version"], m["promoted"]) for m in listed["models"]] == [("v2", False), ("v1", True)]
        assert listed["previous"] is None
        assert (await client.post("/api/v1/models/v2/promote")).json() == {"promoted": "v2"}
        assert (await client.get("/api/v1/models")).json()["previous"] == "v1"
        assert (await client.delete("/api/v1/models/v2")).status_code == 409
        assert (await client.post("/api/v1/models/rollback")).json() == {"promoted": "v1"}
        assert (await client.delete("/api/v1/models/v2")).status_code == 200
        assert (await client.get("/api/v1/models/v2")).status_code == 404
        assert (await client.post("/api/v1/models/v7/promote")).status_code == 404


async def test_a_swap_never_costs_a_request() -> None:
    async with service(stocked()) as client:
        lowest = set()

        async def ask() -> None:
            answer = await client.post("/api/v1/predict", json={"readings": readings(40)})
            assert answer.status_code == 200, answer.text
            lowest.add(answer.json()["model"])

        async def swap() -> None:
            for version in ("v2", "v1", "v2"):
                assert (await client.post(f"/api/v1/models/{version}/promote")).status_code == 200

        await asyncio.gather(swap(), *(ask() for _ in range(12)))
        await ask()

    assert "v2" in lowest


async def test_while_mongodb_is_away_the_model_goes_on_serving() -> None:
    registry = stocked()
    async with service(registry) as client:
        registry.down = True
        assert (await client.get("/api/v1/models")).status_code == 503
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.post("/api/v1/predict", json={"readings": readings(5)})).status_code == 200


async def wait_for(client: httpx.AsyncClient, job: str, *states: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            told: dict[str, Any] = (await client.get(f"/api/v1/jobs/{job}")).json()
            if told["state"] in states:
                return told
            await asyncio.sleep(0.05)


async def test_a_training_runs_beside_and_tells_its_result() -> None:
    async with service(stocked()) as client:
        answer = await client.post("/api/v1/models", json={"from": "2026-01-01T00:00:00Z", "sensors": ["humidity"]})
        assert answer.status_code == 202
        told = await wait_for(client, answer.json()["job"], "done", "failed")

    assert (told["state"], told["progress"], told["result"]) == ("done", 1.0, {"version": "v9"})


async def test_a_failed_training_says_why() -> None:
    async with service(stocked(), training=FAILS) as client:
        job = (await client.post("/api/v1/models")).json()["job"]
        told = await wait_for(client, job, "done", "failed")

        listed = (await client.get("/api/v1/jobs")).json()["jobs"]

    assert told["message"] == "There are no readings."
    assert [(j["job"], j["state"]) for j in listed] == [(job, "failed")]


async def test_a_second_training_waits_and_the_first_can_be_cancelled() -> None:
    async with service(stocked(), training=WAITS) as client:
        job = (await client.post("/api/v1/models", json={})).json()["job"]
        assert (await client.post("/api/v1/models", json={})).status_code == 409
        assert (await client.delete(f"/api/v1/jobs/{job}")).json()["state"] == "cancelling"
        told = await wait_for(client, job, "cancelled", "done", "failed")

    assert told["state"] == "cancelled"


async def test_only_the_admin_token_changes_models() -> None:
    tokens: dict[str, Any] = {"token": SecretStr("reader"), "admin_token": SecretStr("boss")}
    async with service(stocked(), **tokens) as client:
        as_reader, as_boss = {"Authorization": "Bearer reader"}, {"Authorization": "Bearer boss"}
        assert (await client.get("/api/v1/models")).status_code == 401
        assert (await client.get("/api/v1/models", headers=as_reader)).status_code == 200
        assert (await client.post("/api/v1/models/v2/promote", headers=as_reader)).status_code == 403
        assert (await client.post("/api/v1/models", headers=as_reader)).status_code == 403
        assert (await client.post("/api/v1/models/v2/promote", headers=as_boss)).status_code == 200
