"""What clients read of a refused request."""

import pytest
from pydantic import ValidationError

from backend.contract.error_texts import message_of
from backend.contract.parsing import ReadingParser
from backend.contract.readings import InvalidBatchError, InvalidReadingError
from backend.contract.timestamps import check_not_future
from backend.paai.routes.queries import Query

TAGS = "Thermostat, Barometer, Hygrometer, HeartRateMeter"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[]", "must be a JSON object"),
        (b"1", "must be a JSON object"),
        (b'"x"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"{}", f"tag: is missing; must be one of {TAGS}"),
        (b'{"tag":{}}', f"tag: must be one of {TAGS}"),
        (b'{"tag":"Thermostat","timestamp":1,"temperature":1}', "device_id: is missing"),
    ],
)
def test_a_refused_reading_is_described_in_json_terms(body: bytes, words: str) -> None:
    parser = ReadingParser()
    with pytest.raises(InvalidReadingError) as caught:
        parser.parse(body, now_ms=0)
    assert str(caught.value) == words
    if body.startswith((b"{", b"[")):
        batch = parser.parse_batch(b"[" + body + b"]", now_ms=0)
        assert [error["msg"] for error in batch.rejected[0][1]] == [words.partition(": ")[2] or words]


def test_a_batch_over_the_limit_is_counted_with_thin_spaces() -> None:
    with pytest.raises(InvalidBatchError, match="must hold at most 10\u202f000 readings, not 10\u202f001; send several"):
        ReadingParser().parse_batch(b"[" + b",".join([b"{}"] * 10_001) + b"]", now_ms=0)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"device_ids": ["a"] * 10_001}, "must hold at most 10\u202f000 device ids, not 10\u202f001"),
        ({"device_ids": []}, "must not be empty"),
        ({"device_ids": "a"}, "must be a JSON array"),
        ({}, "is missing"),
        ([], "must be a JSON object"),
    ],
)
def test_a_refused_query_is_described_in_json_terms(query: object, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Query.model_validate(query)
    assert [message_of(error) for error in caught.value.errors()] == [words]


@pytest.mark.parametrize(
    ("ahead_s", "words"),
    [
        (1.001, "is 1.001 s ahead"),
        (119, "is 119.000 s ahead"),
        (125, "is 2 min ahead"),
        (7200, "is 2 h ahead"),
        (3 * 86_400, "is 3 days ahead"),
        (7_976 * 365.2425 * 86_400, "is 7\u202f976 years ahead"),
    ],
)
def test_a_far_future_is_told_in_large_units(ahead_s: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_not_future(round(ahead_s * 1000), 0)
