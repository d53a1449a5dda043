"""Rejected requests: counted once by field and reason, the newest kept with their first bytes, none lost by an outage."""

import json
from typing import Any

import pytest
from confluent_kafka import KafkaError

from backend.common.metrics import Metrics
from backend.contract.devices import DEVICE_TYPES
from backend.paai import metric_defs
from backend.paai.refusals.log import RefusalLog
from backend.paai.refusals.refusal import BY_STATUS, FIELDS, REASONS, classify, printable
from backend.paai.refusals.store import KEPT, MongoRefusals, RefusedRecords
from tests.helpers.fake_refusals import FakeRefusals
from tests.helpers.paai import FakePaai, running_paai

READING = {"device_id": "1", "tag": "Thermostat", "timestamp": 1680033862, "temperature": 25.2}


def counts(answer: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(row["field"], row["reason"]): row["count"] for row in answer["requests"]["counts"]}


async def refusals(paai: FakePaai, **headers: str) -> dict[str, Any]:
    answer = await paai.client.get("/api/v1/refusals", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"temperature": 1e9}, ("temperature", "range")),
        ({"temperature": None}, ("temperature", "type")),
        ({"temperature": True}, ("temperature", "invalid")),
        ({"timestamp": "yesterday"}, ("timestamp", "format")),
        ({"timestamp": 4102444800}, ("timestamp", "future")),
        ({"device_id": ""}, ("device_id", "invalid")),
        ({"tag": "Toaster"}, ("tag", "unknown")),
    ],
)
async def test_a_refused_reading_is_counted_by_field_and_reason(changed: dict[str, Any], expected: tuple[str, str]) -> None:
    body = json.dumps(READING | changed).encode()
    async with running_paai() as paai:
        assert (await paai.client.post("/api/v1/device", content=body)).status_code == 422
        found = await refusals(paai)
        assert counts(found) == {expected: 1}
        (row,) = found["requests"]["newest"]
        assert (row["path"], row["status"], row["index"], row["size"]) == ("/api/v1/device", 422, None, len(body))
        assert row["text"] == body.decode()
        field, reason = expected
        metrics = (await paai.client.get("/metrics")).text
        assert f'paai_rejected_total{{field="{field}",reason="{reason}"}} 1.0' in metrics


async def test_batch_items_are_counted_with_their_index_and_own_bytes() -> None:
    bad = {**READING, "humidity": 1, "temperature": "x"}
    body = json.dumps([READING, bad, READING, {"device_id": 1}]).encode()
    async with running_paai() as paai:
        assert (await paai.client.post("/api/v1/devices", content=body)).json()["accepted"] == 2
        found = await refusals(paai)
        assert counts(found) == {("temperature", "type"): 1, ("tag", "missing"): 1}
        rows = sorted(found["requests"]["newest"], key=lambda row: row["index"])
        assert [(row["index"], row["status"], json.loads(row["text"])) for row in rows] == [
            (1, 200, bad),
            (3, 200, {"device_id": 1}),
        ]


async def test_items_that_the_fast_path_refuses_have_their_bytes_too() -> None:
    ahead = {**READING, "timestamp": 4102444800}
    async with running_paai() as paai:
        await paai.client.post("/api/v1/devices", content=json.dumps([READING, ahead]).encode())
        (row,) = (await refusals(paai))["requests"]["newest"]
        assert (row["index"], row["reason"], json.loads(row["text"])) == (1, "future", ahead)


async def test_a_batch_that_is_answered_503_counts_its_items_when_it_comes_again() -> None:
    body = json.dumps([READING, {"device_id": 1}]).encode()
    async with running_paai() as paai:
        paai.producer.error = KafkaError(KafkaError._MSG_TIMED_OUT)
        assert (await paai.client.post("/api/v1/devices", content=body)).status_code == 503
        assert counts(await refusals(paai)) == {}


async def test_a_batch_without_a_good_item_counts_its_items_once() -> None:
    async with running_paai() as paai:
        answer = await paai.client.post("/api/v1/devices", content=json.dumps([{"device_id": 1}] * 300).encode())
        assert answer.status_code == 422
        found = await refusals(paai)
        assert found["requests"]["total"] == 300
        assert [row["index"] for row in found["requests"]["newest"]] == list(range(299, 199, -1))


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("/api/v1/device", b"{nope", ("body", "json")),
        ("/api/v1/devices", b"[]", ("body", "length")),
        ("/api/v1/device", b"x" * (8 * 1024 * 1024 + 1), ("body", "size")),
        ("/api/v1/average", b'{"device_ids": []}', ("device_ids", "length")),
        ("/api/v1/average", b'{"device_ids": ["1"], "from": "noon"}', ("from", "format")),
        ("/api/v1/average", b"[[", ("body", "json")),
    ],
)
async def test_every_refused_call_is_counted_once(path: str, content: bytes, expected: tuple[str, str]) -> None:
    async with running_paai() as paai:
        assert (await paai.client.post(path, content=content)).status_code in BY_STATUS
        found = await refusals(paai)
        assert counts(found) == {expected: 1}
        (row,) = found["requests"]["newest"]
        assert content.startswith(row["text"].encode())
        assert len(row["text"]) <= 200
        assert row["message"]


async def test_what_is_no_refusal_is_not_counted() -> None:
    async with running_paai() as paai:
        await paai.client.post("/api/v1/device", content=json.dumps(READING))
        await paai.client.get("/favicon.ico")
        await paai.client.get("/api/v1/device")
        paai.history.down = True
        assert (await paai.client.get("/api/v1/devices")).status_code == 503
        assert (await refusals(paai))["requests"] == {"total": 0, "since": None, "counts": [], "newest": []}


async def test_tokens_are_never_stored_and_the_list_needs_one() -> None:
    good = {"Authorization": "Bearer s3cret-token"}
    async with running_paai(token="s3cret-token") as paai:
        for _ in range(5):
            await paai.client.post("/api/v1/device", content=b"not for the list", headers={"Authorization": "Bearer wrong"})
        await paai.client.post("/api/v1/device", content=b'{"x": "s3cret-token"}', headers=good)
        await paai.client.post("/api/v1/average?token=s3cret-token", content=b"{}", headers=good)
        assert (await paai.client.get("/api/v1/refusals")).status_code == 401
        found = await refusals(paai, **good)
        assert counts(found)[("token", "unauthorized")] == 6
        assert sum(row["status"] == 401 for row in found["requests"]["newest"]) <= 2
        text = json.dumps(found)
        assert "s3cret" not in text
        assert "not for the list" not in text
        assert "[token]" in text


async def test_an_outage_of_mongodb_loses_nothing_and_counts_nothing_twice() -> None:
    async with running_paai() as paai:
        paai.refusals.down = True
        await paai.client.post("/api/v1/device", content=b"{}")
        assert (await paai.client.get("/api/v1/refusals")).status_code == 503
        paai.refusals.down, paai.refusals.lost = False, True
        assert (await paai.client.get("/api/v1/refusals")).status_code == 503
        await paai.client.post("/api/v1/device", content=b"{}")
        paai.refusals.lost = False
        assert counts(await refusals(paai)) == {("tag", "missing"): 2}
    assert paai.refusals.closed


async def test_what_was_counted_is_written_at_the_end() -> None:
    async with running_paai() as paai:
        paai.refusals.down = True
        await paai.client.post("/api/v1/device", content=b"{}")
        paai.refusals.down = False
    assert sum(sum(batch.counts.values()) for batch in paai.refusals.batches) == 1


async def test_records_are_told_beside_requests() -> None:
    async with running_paai() as paai:
        paai.refusals.stored_records = RefusedRecords({"not_json": 2, "range": 5}, 1680033862000)
        assert (await refusals(paai))["records"] == {
            "total": 7,
            "counts": [{"reason": "range", "count": 5}, {"reason": "not_json", "count": 2}],
            "as_of": "2023-03-28T20:04:22.000Z",
        }


async def test_the_documentation_describes_the_answer() -> None:
    async with running_paai() as paai:
        document = paai.app.openapi()
        operation = document["paths"]["/api/v1/refusals"]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/RefusalsAnswer"}


def test_labels_are_bounded() -> None:
    assert {t.field for t in DEVICE_TYPES} < set(FIELDS)
    assert {pair[0] for pair in BY_STATUS.values()} <= set(FIELDS)
    assert {pair[1] for pair in BY_STATUS.values()} <= set(REASONS)
    assert classify({"type": "no_such_fault", "loc": ("body", 3, "whatever")}) == ("body", "invalid")
    assert classify({"type": "missing", "loc": ("body", 3, "timestamp")}) == ("timestamp", "missing")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", "plain"),
        ("ü😀".encode(), "ü😀"),
        (b"\x00\n\xff", "\\x00\\n\\xff"),
        ("\u202eevil".encode(), "\\u202eevil"),
        (b"x" * 500, "x" * 200),
        (b"a" * 199 + "é".encode(), "a" * 199 + "\\xc3"),
        (b"", ""),
    ],
)
def test_bytes_are_shown_as_printable_text(data: bytes, text: str) -> None:
    assert printable(data) == text


def test_a_secret_over_the_cut_is_not_kept_in_part() -> None:
    assert "s3c" not in printable(b"x" * 198 + b"s3cret", secrets=[b"s3cret"])


async def test_a_document_that_was_edited_is_read_as_far_as_it_goes() -> None:
    store = MongoRefusals(uri="mongodb://127.0.0.1:9/", timeout_s=0.1)
    found: dict[str, Any] = {
        "counts": {"tag": {"missing": 3, "range": "x"}, "nope": {"missing": 1}, "to": 5},
        "newest": [5, {"at_ms": 10**30}, {"at_ms": 1}, None],
        "since": "x",
    }

    async def find(key: str) -> dict[str, Any]:
        return found

    store._find = find  # type: ignore[method-assign]
    requests = await store.requests()
    assert (dict(requests.counts), list(requests.newest), requests.since_ms) == ({("tag", "missing"): 3}, [], None)
    found = {"by_reason": {"range": 2, "x": -1, "y": True}, "updated_at": 5}
    assert await store.records() == RefusedRecords({"range": 2}, None)
    await store.close()


async def test_only_the_newest_are_kept_in_memory() -> None:
    log = RefusalLog(store=FakeRefusals(), metrics=Metrics(metric_defs.ALL))
    for _ in range(KEPT + 50):
        log.note_reading("/api/v1/device", b"{}", [{"type": "missing", "loc": ("tag",), "msg": "Field required"}])
    await log.write()
    (batch,) = log.store.batches  # type: ignore[attr-defined]
    assert (len(batch.newest), batch.counts) == (KEPT, {("tag", "missing"): KEPT + 50})


async def test_dead_letters_are_in_the_metrics_by_reason() -> None:
    async with running_paai() as paai:
        paai.refusals.stored_records = RefusedRecords({"not_json": 2, "edited by somebody": 9}, 1680033862000)
        log = paai.app.watch.__self__  # type: ignore[union-attr]
        log.records.found = await paai.refusals.records()
        text = (await paai.client.get("/metrics")).text
        assert 'paai_dead_letters_total{reason="not_json"} 2.0' in text
        assert "edited" not in text
