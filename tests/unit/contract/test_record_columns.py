"""Times as columns, and the fast way is the one that is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.contract import times
from backend.contract.limits import FIRST_TIME_MS
from backend.contract.messages import DeviceMessage, encode
from backend.contract.record_columns import _SURELY_PLAIN, BAD_TIME, _decode, judge_all, parse_wire_times
from backend.contract.records import RULE
from tests.conformance.vectors import records

WIRE = encode(DeviceMessage("thermostat-00001", "2026-11-24T05:30:00.000Z", "temperature", 21.5))


@given(st.lists(st.integers(FIRST_TIME_MS, 253_402_300_799_999), max_size=20))
def test_times_are_exact(times_ms: list[int]) -> None:
    assert parse_wire_times([times.to_iso(t) for t in times_ms]).tolist() == times_ms


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T05:61:00.000Z", "2026-11-24T05:30:61.000Z", "2026-11-24 05;30:00.000Z", "x" * 24, "",
        "2026-W09-7T05:30:00.000Z", "2026-02-30T05:30:00.000Z", "1582-12-31T05:30:00.000Z", "2026-11-2\0T05:30:00.000Z",
        "2026-11-24T05:30:00.00Z", "2026-11-24T05:30:00.0000Z",
    ],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    good = "2026-11-24T05:30:00.000Z"

    assert parse_wire_times([text])[0] == BAD_TIME
    assert parse_wire_times([good, text, good]).tolist() == [times.from_iso(good), BAD_TIME, times.from_iso(good)]


def test_two_times_whose_lengths_make_up_for_each_other() -> None:
    assert parse_wire_times(["2026-11-24T05:30:00.000Z2", "026-11-24T05:30:00.000Z"]).tolist() == [BAD_TIME] * 2


def test_what_paai_publishes_is_decoded_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RULE, "judge", None)

    assert len(judge_all([WIRE] * 3, [2_000_000_000_000] * 3)) == 3


def test_a_record_that_is_none_does_not_slow_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[bytes | None] = []
    judge = RULE.judge

    def note(value: bytes | None, *, arrival_ms: int) -> object:
        judged.append(value)
        return judge(value, arrival_ms=arrival_ms)

    monkeypatch.setattr(RULE, "judge", note)
    found = judge_all([WIRE, b"x", WIRE], [2_000_000_000_000] * 3)

    assert (len(found), judged) == (2, [b"x"])


def test_surely_plain_records_are_decoded_by_the_fast_way() -> None:
    vectors = [v.value for v in records() if v.value is not None and _SURELY_PLAIN.fullmatch(v.value)]

    assert len(vectors) > 30
    assert _decode(vectors) is not None
