"""The application on fakes: outages, token, counting, drain, hostile bodies."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from confluent_kafka import KafkaError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.contract.canary import new_canary_id
from tests.helpers.paai import FakePaai, running_paai, until

READING = {"device_id": "1", "tag": "Thermostat", "timestamp": 1680033862, "temperature": 25.2}
BODY = json.dumps(READING).encode()


async def post(paai: FakePaai, path: str = "/api/v1/device", content: bytes = BODY, **headers: str) -> httpx.Response:
    return await paai.client.post(path, content=content, headers=headers)


async def test_what_reaches_kafka() -> None:
    async with running_paai() as paai:
        body = json.dumps({**READING, "device_id": 7, "timestamp": "2023-03-28T22:04:22.9999+02:00", "temperature": "25"})
        assert (await post(paai, content=body.encode())).status_code == 200
        ((key, value),) = paai.producer.delivered
        expected = b'{"device_id":"7","timestamp":"2023-03-28T20:04:22.999Z","sensor":"temperature","value":25.0}'
        assert (key, value) == ("7", expected)


async def test_refused_readings_do_not_reach_kafka() -> None:
    async with running_paai() as paai:
        await post(paai, content=b'{"device_id": ""}')
        await post(paai, "/api/v1/devices", json.dumps([READING, {**READING, "temperature": 1e9}]).encode())
        assert [json.loads(value)["value"] for _, value in paai.producer.delivered] == [25.2]
        text = (await paai.client.get("/metrics")).text
        assert "paai_readings_accepted_total 1.0" in text
        assert 'paai_readings_rejected_total{field="temperature"} 1.0' in text
        assert 'paai_readings_rejected_total{field="tag"} 1.0' in text


async def test_kafka_gone_is_503_with_retry_after_and_not_ready() -> None:
    async with running_paai() as paai:
        paai.producer.reachable = False
        paai.producer.event(KafkaError(KafkaError._ALL_BROKERS_DOWN))
        await until(lambda: bool(paai.publisher.problem), "the outage to be noticed")
        for path, content in (("/api/v1/device", BODY), ("/api/v1/devices", b"[" + BODY + b"]")):
            answer = await post(paai, path, content)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            assert "cannot be reached" in answer.json()["detail"]
        assert (await paai.client.get("/healthz")).status_code == 200
        ready = await paai.client.get("/readyz")
        assert ready.status_code == 503
        assert "kafka" in ready.json()["detail"]
        assert (await post(paai, content=b"{}")).status_code == 422


async def test_mongodb_gone_is_503_for_queries_only() -> None:
    async with running_paai() as paai:
        paai.history.down = True
        query = json.dumps({"device_ids": ["1"]}).encode()
        answers = [await post(paai, "/api/v1/average", query), await paai.client.get("/api/v1/devices")]
        assert [answer.status_code for answer in answers] == [503, 503]
        assert all("retry-after" in answer.headers for answer in answers)
        assert (await post(paai)).status_code == 200
        assert "mongodb" in (await paai.client.get("/readyz")).json()["detail"]


async def test_unacknowledged_batch_is_503() -> None:
    async with running_paai() as paai:
        paai.producer.error = KafkaError(KafkaError._MSG_TIMED_OUT)
        assert (await post(paai, "/api/v1/devices", b"[" + BODY + b"]")).status_code == 503
        assert 'paai_readings_unacknowledged_total{reason="failed"} 1.0' in (await paai.client.get("/metrics")).text


async def test_token() -> None:
    async with running_paai(token="secret-1") as paai:
        for headers in (
            {},
            {"authorization": "Bearer wrong"},
            {"authorization": "secret-1"},
            {"authorization": "Basic secret-1"},
        ):
            for path in ("/api/v1/device", "/api/v1/devices", "/api/v1/average", "/nothing"):
                answer = await paai.client.post(path, content=BODY, headers=headers)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"] == "Bearer"
                assert "detail" in answer.json()
        assert (await post(paai, authorization="Bearer secret-1")).status_code == 200
        assert (await post(paai, authorization="bearer  secret-1")).status_code == 200
        for path in ("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"):
            assert (await paai.client.get(path)).status_code == 200
        assert paai.producer.delivered
        assert len(paai.producer.delivered) == 2


async def test_while_a_token_is_changed_both_are_accepted() -> None:
    async with running_paai(token="new-token\nold-token") as paai:
        for token, status in (("new-token", 200), ("old-token", 200), ("new-token\told-token", 401), ("", 401), ("new", 401)):
            assert (await post(paai, authorization=f"Bearer {token}")).status_code == status


async def test_draining_is_not_ready_and_still_serves() -> None:
    async with running_paai() as paai:
        paai.app.health.draining = True
        assert (await paai.client.get("/readyz")).status_code == 503
        assert (await paai.client.get("/healthz")).status_code == 503
        assert (await post(paai)).status_code == 200


async def test_a_device_named_like_the_test_reading_is_an_ordinary_device() -> None:
    async with running_paai() as paai:
        for device_id in ("paai-canary", new_canary_id()):
            await post(paai, content=json.dumps({**READING, "device_id": device_id}).encode())
            listed = (await paai.client.get("/api/v1/devices", params={"prefix": device_id})).json()["devices"]
            assert device_id in [row["device_id"] for row in listed]
            rows = (await paai.client.post("/api/v1/average", json={"device_ids": [device_id]})).json()["data"]
            assert len(rows) == 1


async def test_a_fault_inside_is_500_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_paai() as paai:

        def broken(_: Any) -> None:
            raise RuntimeError("the inside")

        monkeypatch.setattr(paai.publisher, "publish_one", broken)
        answer = await post(paai)
        assert answer.status_code == 500
        assert "inside" not in answer.text
        monkeypatch.setattr(paai.history, "devices", broken)
        answer = await paai.client.get("/api/v1/devices")
        assert answer.status_code == 500
        assert "detail" in answer.json()


async def test_everything_is_stopped() -> None:
    async with running_paai() as paai:
        pass
    assert paai.history.closed


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)
_FIELDS = st.sampled_from(["device_id", "tag", "timestamp", "temperature", "humidity", "from", "to", "device_ids", "sensor"])
_NEAR = st.dictionaries(_FIELDS, _JSON | st.sampled_from(["Thermostat", "Hygrometer", 1680033862, "1", 25.2, "temperature"]))
_BODIES = st.binary(max_size=200) | (_JSON | _NEAR | st.lists(_NEAR, max_size=4)).map(lambda value: json.dumps(value).encode())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=_BODIES,
    cut=st.integers(0, 40),
    path=st.sampled_from(["device", "devices", "average", "maximum", "minimum", "statistics"]),
)
def test_no_body_makes_a_5xx(body: bytes, cut: int, path: str) -> None:
    async def run() -> None:
        async with running_paai() as paai:
            for content in (body, body[:-cut]):
                answer = await post(paai, f"/api/v1/{path}", content)
                assert answer.status_code in (200, 422), answer.text
                if answer.status_code == 422:
                    assert answer.json()["detail"]

    asyncio.run(run())


async def test_options_and_405_name_every_method_of_the_path() -> None:
    async with running_paai() as paai:
        for path, methods in (
            ("/api/v1/devices", "GET, POST, OPTIONS"),
            ("/api/v1/device", "POST, OPTIONS"),
            ("/api/v1/average", "POST, OPTIONS"),
            ("/healthz", "GET, HEAD, OPTIONS"),
        ):
            answer = await paai.client.options(path)
            assert (answer.status_code, answer.content, answer.headers["allow"]) == (204, b"", methods)
            refused = await paai.client.patch(path)
            assert (refused.status_code, refused.headers["allow"]) == (405, methods)
            assert refused.json()["detail"]
        assert (await paai.client.options("/nothing")).status_code == 404


async def test_ids_of_a_query_are_bounded() -> None:
    async with running_paai() as paai:
        ids = [str(n) for n in range(10_001)]
        assert (await paai.client.post("/api/v1/average", json={"device_ids": ids[1:]})).status_code == 200
        for refused, count in ((ids, "10\u202f001"), ([str(n) for n in range(100_000)], "100\u202f000")):
            answer = await paai.client.post("/api/v1/average", json={"device_ids": refused})
            assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "device_ids"])
            assert answer.json()["detail"][0]["msg"] == f"must hold at most 10\u202f000 device ids, not {count}"
            assert len(answer.content) < 1000
