"""Hypothesis strategies of records on `processed_messages`: good ones, and good ones with faults put into them."""

import json
from typing import Any, Final

from hypothesis import strategies as st

from backend.contract import times
from backend.contract.limits import FIRST_TIME_MS, MAX_DEVICE_ID_CHARS
from backend.contract.printable import is_printable
from backend.contract.records import RULE

#: When generated records arrive.
ARRIVAL_MS: Final = times.from_iso("2026-11-24T05:30:00.000Z")

#: Fragments in which readers of JSON are known to differ.
_FRAGMENTS: Final = [
    b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\n", b" ", b"\t", b"\x00", b"\x1f", b"\x7f", b"\xff", b"\xc0\x80",
    b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xc2\xa0", "\U0001fae8".encode(), b"\\ud800", b"\\udc00",
    b"\\ud83d\\ude00", b"\\u0000", b"\\u0061", b"\\n", b'\\"', b"\\x", b"0", b"021", b"-", b"-0", b".", b"e", b"1e999",
    b"1e-999", b"NaN", b"Infinity", b"null", b"true", b"9" * 400, b'"value":1', b',"value":1', b',"value":"1"', b',"x":1',
    b',"x":"y"',
    b'{"a":1},', b"},{", b"}\n{", b'","device_id":"', b'"timestamp":"', b"/* */", b"Z", b"[" * 33, b"[" * 31 + b"]" * 31,
]  # fmt: skip

device_ids: st.SearchStrategy[str] = st.one_of(
    st.from_regex(r"[a-z]{1,12}-[0-9]{5}", fullmatch=True),
    st.text(min_size=1, max_size=8).filter(is_printable),
    st.sampled_from(["b-\U0001fae8", '},{"', "\U0001f600" * MAX_DEVICE_ID_CHARS, "a\\b", "\U0003fff0"]),
)
wire_times: st.SearchStrategy[str] = st.one_of(
    st.integers(FIRST_TIME_MS, ARRIVAL_MS + RULE.ahead_ms), st.integers(ARRIVAL_MS - 100_000, ARRIVAL_MS)
).map(times.to_iso)
_extras: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.one_of(st.sampled_from(["unit", "", "Value", "device_id ", "°C"]), st.text(max_size=3)),
    st.one_of(
        st.sampled_from([None, True, -1, 2**70, 1.5e-7, "🌡", [], {}, [[1], {"value": 1}], {"device_id": "x"}]),
        st.text(max_size=3),
    ),
    max_size=2,
)


@st.composite
def good_records(draw: st.DrawFn) -> bytes:
    """A record that is a reading, in any of the ways in which JSON writers write it."""
    sensor = draw(st.sampled_from(sorted(RULE.ranges)))
    minimum, maximum = RULE.ranges[sensor]
    value = draw(st.one_of(st.floats(minimum, maximum), st.integers(int(minimum), int(maximum))))
    fields = {"device_id": draw(device_ids), "timestamp": draw(wire_times), "sensor": sensor, "value": value}
    if draw(st.booleans()):
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    extra = draw(_extras)
    items = draw(st.permutations([*fields.items(), *extra.items()]))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")]))
    text = json.dumps(dict(items), ensure_ascii=draw(st.booleans()), separators=separators)
    return text.encode()


@st.composite
def faulty_records(draw: st.DrawFn) -> bytes:
    """A good record after one to three edits; some of them are still good."""
    record = draw(good_records())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(record)))
        length = draw(st.sampled_from([0, 0, 1, 2, 9]))
        fragment = draw(st.one_of(st.sampled_from(_FRAGMENTS), st.binary(max_size=2)))
        edit = draw(st.sampled_from(["replace", "replace", "replace", "cut", "join", "repeat"]))
        if edit == "replace":
            record = record[:at] + fragment + record[at + length :]
        elif edit == "cut":
            record = record[:at]
        elif edit == "join":
            record = record + fragment + draw(good_records())
        else:
            record = record[:at] + record[at : at + 40] + record[at:]
    return record


records: st.SearchStrategy[bytes | None] = st.one_of(
    good_records(), good_records(), faulty_records(), faulty_records(), st.binary(max_size=40), st.just(b""), st.none()
)
