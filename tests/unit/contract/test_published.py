"""Whatever paai takes and publishes is a reading by the record rule: its checks may only be stricter."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.contract.devices import DEVICE_TYPES, DeviceType
from backend.contract.limits import FIRST_TIME_MS
from backend.contract.messages import DeviceMessage, encode
from backend.contract.parsing import ReadingParser
from backend.contract.readings import InvalidReadingError
from backend.contract.records import TopicReading, judge
from backend.contract.times import from_iso, to_iso
from tests.helpers.record_strategies import ARRIVAL_MS as NOW_MS

PARSER = ReadingParser()
#: Known to Unicode since 15.0, which Python 3.11 does not have.
NEW_EMOJI = "b-\U0001fae8"

_device_ids: st.SearchStrategy[Any] = st.one_of(
    st.text(min_size=1, max_size=6),
    st.integers(-(10**30), 10**30),
    st.sampled_from([NEW_EMOJI, "\U0001f600" * 128, "x" * 129, "a\u200db"]),
)
_times: st.SearchStrategy[Any] = st.one_of(
    st.integers(FIRST_TIME_MS - 5, NOW_MS + 1500).map(to_iso),
    st.integers(NOW_MS - 5, NOW_MS + 1005).map(to_iso),
    st.floats(-2e10, NOW_MS / 1000 + 1.5),
    st.integers(-(2 * 10**10), NOW_MS // 1000 + 2),
    st.sampled_from(
        ["2026-11-24T05:29:59.9999999+00:00", "2026-11-23T24:00:00Z", "2016-12-31T23:59:60Z", "20230328", "1680033862"]
    ),
    st.datetimes().map(str),
)
_values: st.SearchStrategy[Any] = st.one_of(
    st.floats(-100, 1300), st.integers(-100, 1300), st.sampled_from(["21.5", -0.0, 5e-324])
)


@st.composite
def posted(draw: st.DrawFn) -> dict[str, Any]:
    device: DeviceType = draw(st.sampled_from(DEVICE_TYPES))
    return {"tag": device.tag, "device_id": draw(_device_ids), "timestamp": draw(_times), device.field: draw(_values)}


def assert_reading(message: DeviceMessage) -> None:
    verdict = judge(encode(message), arrival_ms=NOW_MS)

    assert verdict == TopicReading(message.device_id, message.sensor, from_iso(message.timestamp), message.value)


@settings(deadline=None)
@given(posted(), st.booleans())
def test_a_posted_reading_is_refused_or_a_reading_for_all(reading: dict[str, Any], ascii_only: bool) -> None:
    body = json.dumps(reading, ensure_ascii=ascii_only).encode()
    try:
        message = PARSER.parse(body, now_ms=NOW_MS)
    except InvalidReadingError:
        return
    assert_reading(message)


@settings(deadline=None)
@given(st.lists(posted(), min_size=1, max_size=4))
def test_so_are_those_of_a_batch(readings: list[dict[str, Any]]) -> None:
    batch = PARSER.parse_batch(json.dumps(readings).encode(), now_ms=NOW_MS)

    assert len(batch.messages) + len(batch.rejected) == len(readings)
    for message in batch.messages:
        assert_reading(message)


def body_of(device_id: str, timestamp: Any = 1680033862, **extra: Any) -> bytes:
    return json.dumps(
        {"tag": "Thermostat", "device_id": device_id, "timestamp": timestamp, "temperature": 21.5, **extra}
    ).encode()


@pytest.mark.parametrize("timestamp", [1680033862, "2023-03-28T20:04:22.000Z", "1680033862"])
@pytest.mark.parametrize("device_id", [NEW_EMOJI, "\U0003fff0", "温度", "e\u0301"])
def test_printable_ids_do_not_depend_on_the_interpreter(device_id: str, timestamp: Any) -> None:
    one = PARSER.parse(body_of(device_id, timestamp), now_ms=NOW_MS)
    (many,) = PARSER.parse_batch(b"[" + body_of(device_id, timestamp) + b"]", now_ms=NOW_MS).messages

    assert one.device_id == many.device_id == device_id
    assert_reading(one)


@pytest.mark.parametrize(
    "device_id", ["b-\ud800", "\udc00", "\ud83d\ud83d\ude00", "a\u2028", "a\x00", "\ue000", "\ufffe", "\U000f0000"]
)
def test_other_ids_are_refused(device_id: str) -> None:
    with pytest.raises(InvalidReadingError):
        PARSER.parse(body_of(device_id), now_ms=NOW_MS)

    batch = PARSER.parse_batch(b"[" + body_of(device_id) + b"," + body_of("b-1") + b"]", now_ms=NOW_MS)
    assert ([m.device_id for m in batch.messages], [index for index, _ in batch.rejected]) == (["b-1"], [0])


def test_a_surrogate_in_utf_8_is_refused() -> None:
    body = body_of("b-@").replace(b"@", b"\xed\xa0\x80")
    with pytest.raises(InvalidReadingError):
        PARSER.parse(body, now_ms=NOW_MS)
    batch = PARSER.parse_batch(b"[" + body + b"]", now_ms=NOW_MS)
    assert (batch.messages, [index for index, _ in batch.rejected]) == ([], [0])
