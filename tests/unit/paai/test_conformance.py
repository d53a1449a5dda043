"""The vectors of readings.jsonl and timestamps.jsonl: the parser, the application, and what it publishes."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from backend.contract.limits import LAST_TIME_MS
from backend.contract.messages import encode
from backend.contract.parsing import ReadingParser
from backend.contract.readings import InvalidReadingError, ReadingsError
from backend.contract.records import RULE
from backend.contract.refusals import Refused
from backend.contract.times import from_iso
from backend.contract.timestamps import parse_timestamp
from backend.paai.routes.queries import Query
from tests.helpers.paai import running_paai

FOLDER = Path(__file__).parents[2] / "conformance"
NOW_MS = from_iso("2026-01-01T00:00:00.000Z")
PARSER = ReadingParser()


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


READINGS, TIMESTAMPS = lines("readings.jsonl"), lines("timestamps.jsonl")


def body_of(vector: dict[str, Any]) -> bytes:
    if "body_parts" in vector:
        return "".join(text * times for text, times in vector["body_parts"]).encode()
    return base64.b64decode(vector["body_b64"]) if "body_b64" in vector else vector["body"].encode()


def field_of(errors: list[dict[str, Any]]) -> str:
    return str(errors[0]["loc"][0]) if errors[0]["loc"] else "body"


def parsed(vector: dict[str, Any]) -> dict[str, Any]:
    """Verdict of the parser in the words of the vectors."""
    batch = vector["call"] == "devices"
    try:
        if batch:
            found = PARSER.parse_batch(body_of(vector), now_ms=NOW_MS)
            messages, rejected = found.messages, [[index, field_of(errors)] for index, errors in found.rejected]
        else:
            messages, rejected = [PARSER.parse(body_of(vector), now_ms=NOW_MS)], []
    except ReadingsError as error:
        return {"status": 422, "field": field_of(error.errors)}
    for message in messages[:100]:
        assert not isinstance(RULE.judge(encode(message), arrival_ms=NOW_MS), Refused), "paai publishes only readings"
    result: dict[str, Any] = {"status": 200 if messages else 422}
    result |= {"rejected": rejected} if batch else {}
    if "accepted" in vector:
        return {**result, "accepted": len(messages)}
    return {**result, "messages": [json.loads(encode(message)) for message in messages]}


@pytest.mark.parametrize("vector", READINGS, ids=lambda vector: vector["name"])
def test_the_parser(vector: dict[str, Any]) -> None:
    expected = {key: vector[key] for key in ("status", "field", "messages", "accepted", "rejected") if key in vector}
    assert parsed(vector) == expected


async def test_the_application() -> None:
    async with running_paai() as paai:
        for vector in READINGS:
            paai.producer.delivered.clear()
            answer = await paai.client.post(f"/api/v1/{vector['call']}", content=body_of(vector))
            name = vector["name"]
            assert answer.status_code == vector["status"], (name, answer.text)
            if answer.status_code == 422:
                place = answer.json()["detail"][0]["loc"][1:]
                if vector["call"] == "devices" and "rejected" in vector:
                    assert place[:2] == vector["rejected"][0], name
                else:
                    assert (place or ["body"])[0] == vector["field"], name
                assert not paai.producer.delivered, name
                continue
            published = [json.loads(value) for _, value in paai.producer.delivered]
            if "messages" in vector:
                assert published == vector["messages"], name
                assert [key for key, _ in paai.producer.delivered] == [m["device_id"] for m in published], name
            if vector["call"] == "devices":
                given = answer.json()
                assert given["accepted"] == len(published) == vector.get("accepted", len(published)), name
                assert [item["index"] for item in given["rejected"]] == [index for index, _ in vector["rejected"]], name


@pytest.mark.parametrize("vector", TIMESTAMPS, ids=lambda vector: json.dumps(vector["value"]))
def test_timestamps(vector: dict[str, Any]) -> None:
    if "ms" in vector:
        assert parse_timestamp(vector["value"]) == vector["ms"]
        return
    with pytest.raises(ValueError, match=f"^{re.escape(vector['error'])}$"):
        parse_timestamp(vector["value"])


@pytest.mark.parametrize("vector", TIMESTAMPS, ids=lambda vector: json.dumps(vector["value"]))
def test_timestamps_of_posted_readings(vector: dict[str, Any]) -> None:
    reading = {"device_id": "b-1", "tag": "Thermostat", "timestamp": vector["value"], "temperature": 21.5}
    body, now_ms = json.dumps(reading).encode(), from_iso("9999-12-31T23:59:59.999Z")
    if "ms" in vector:
        assert from_iso(PARSER.parse(body, now_ms=now_ms).timestamp) == vector["ms"]
        return
    with pytest.raises(InvalidReadingError, match=re.escape(vector["error"])) as caught:
        PARSER.parse(body, now_ms=now_ms)
    assert field_of(caught.value.errors) == "timestamp"


@pytest.mark.parametrize("key", ["from", "to"])
@pytest.mark.parametrize("vector", TIMESTAMPS, ids=lambda vector: json.dumps(vector["value"]))
def test_timestamps_of_queries(vector: dict[str, Any], key: str) -> None:
    """A query may reach beyond the years that a reading may have, and has no bound where its time is null."""
    value, error = vector["value"], vector.get("error", "")
    query = {"device_ids": ["b-1"], key: value}
    if error and value is not None and not error.startswith(("is before 1583", "is after the year 9999")):
        with pytest.raises(ValidationError, match=re.escape(error)):
            Query.model_validate(query)
        return
    found = Query.model_validate(query)
    moment = found.from_ if key == "from" else found.to
    if "ms" in vector:
        assert moment == vector["ms"]
    elif value is None:
        assert moment is None
    elif "1583" in error:
        assert moment is not None
        assert moment < from_iso("1583-01-01T00:00:00.000Z")
    else:
        assert moment == LAST_TIME_MS
