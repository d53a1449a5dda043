"""Generated records: every way to judge one gives the same verdict, and none raises."""

import json
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from backend.contract import strict_json
from backend.contract.devices import SENSORS
from backend.contract.record_columns import judge_all
from backend.contract.records import TopicReading, judge
from backend.contract.refusals import Refused
from tests.helpers.record_strategies import ARRIVAL_MS, faulty_records, good_records, records


def one_by_one(values: list[bytes | None]) -> list[TopicReading | Refused]:
    return [judge(value, arrival_ms=ARRIVAL_MS) for value in values]


def at_once(values: list[bytes | None]) -> list[TopicReading | Refused]:
    found = judge_all(values, [ARRIVAL_MS] * len(values))
    verdicts: dict[int, TopicReading | Refused] = dict(found.refused)
    rows = zip(found.device_ids, found.sensor.tolist(), found.t_ms.tolist(), found.value.tolist(), strict=True)
    for place, (device_id, sensor, t_ms, value) in zip(found.place.tolist(), rows, strict=True):
        verdicts[place] = TopicReading(device_id, SENSORS[sensor], t_ms, value)
    assert len(verdicts) == len(found) + len(found.refused) == len(values)
    return [verdicts[i] for i in range(len(values))]


@given(st.lists(records, max_size=6))
def test_many_at_once_are_judged_as_one_by_one(values: list[bytes | None]) -> None:
    assert at_once(values) == one_by_one(values)


@given(st.lists(st.one_of(good_records(), faulty_records()), min_size=1, max_size=2))
def test_few_at_once_are_judged_as_one_by_one(values: list[bytes | None]) -> None:
    assert at_once(values) == one_by_one(values)


@given(good_records())
def test_good_records_are_readings(value: bytes) -> None:
    assert isinstance(judge(value, arrival_ms=ARRIVAL_MS), TopicReading)


@given(faulty_records())
def test_a_reading_is_what_other_parsers_read(value: bytes) -> None:
    verdict = judge(value, arrival_ms=ARRIVAL_MS)
    if isinstance(verdict, TopicReading):
        for read in (json.loads, msgspec.json.decode):
            fields: Any = read(value)
            assert (fields["device_id"], fields["sensor"], fields["value"]) == (
                verdict.device_id,
                verdict.sensor,
                verdict.value,
            )


@given(st.one_of(faulty_records().map(lambda v: v.decode("utf-8", "replace")), st.text()))
@example('{"a":[1,2,{"b":null}],"c":"\\u00e9"} ')
def test_a_fault_is_found_exactly_where_the_decoder_refuses(text: str) -> None:
    try:
        strict_json._decoder.decode(text)
    except (ValueError, RecursionError):
        assert strict_json._fault(text)
    else:
        assert strict_json._fault(text) in ("", "too_deep", "lone_surrogate")


@given(st.text(alphabet="0123456789.eE+-", min_size=1, max_size=30))
def test_numbers_are_read_alike(text: str) -> None:
    record = f'{{"device_id":"d","timestamp":"2026-11-24T05:30:00.000Z","sensor":"temperature","value":{text}}}'.encode()
    assert at_once([record]) == one_by_one([record])
