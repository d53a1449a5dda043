"""Timestamps: exact, truncated, refused with a reason."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.contract.limits import FIRST_TIME_MS
from backend.contract.times import from_datetime, to_datetime, to_iso
from backend.contract.timestamps import check_not_future, iso_of, parse_time, parse_timestamp

MS = st.integers(FIRST_TIME_MS, 253_402_300_799_999)


@given(MS)
def test_the_fast_text_is_the_plain_one(ms: int) -> None:
    assert iso_of(ms) == to_iso(ms)


@given(MS)
def test_the_wires_own_form_goes_round(ms: int) -> None:
    assert parse_timestamp(to_iso(ms)) == ms


@given(st.integers(-4_000_000_000, 4_000_000_000), st.integers(0, 999))  # from 1843 to 2096 a float tells microseconds apart
def test_decimal_seconds_keep_their_milliseconds(seconds: int, ms: int) -> None:
    # As a float, x.001 may be a little less than x s + 1 ms; that must not cost a millisecond.
    wanted = seconds * 1000 + (ms if seconds >= 0 else -ms)
    assert parse_timestamp(float(f"{seconds}.{ms:03d}")) == wanted
    assert parse_timestamp(f"{seconds}.{ms:03d}") == wanted


@given(
    st.datetimes(datetime(1583, 1, 3), datetime(9999, 12, 29)),  # noqa: DTZ001 - naive ones are the subject
    st.integers(-1439, 1439),
)
def test_any_offset(moment: datetime, offset_min: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    assert parse_timestamp(aware.isoformat()) == from_datetime(aware)
    assert parse_timestamp(moment.isoformat()) == from_datetime(moment.replace(tzinfo=UTC))


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()))
def test_anything_is_taken_or_refused_with_a_reason(value: object) -> None:
    with suppress(ValueError):
        assert parse_timestamp(value) >= FIRST_TIME_MS


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (100_000_000_000.5, "milliseconds"),
        (100_000_000_001, "milliseconds"),
        ("1680033862000", "milliseconds"),
        (-12_212_553_600.001, "1583"),
        ("1582-12-31T23:59:59.999Z", "1583"),
        ("0001-01-01T00:00:00Z", "1583"),
        (-63_000_000_000, "year 1"),
        (1_680_033_862_000_000, "microseconds: divide it by 1000000$"),
        (1_680_033_862_000_000_000, "nanoseconds: divide it by 1000000000$"),
        (-1_680_033_862_000, "milliseconds"),
        (1e25, "too large for epoch seconds$"),
        (-(10**30), "year 1"),
        ("9999-12-31T23:59:59-01:00", "after the year 9999"),
        ("9999-12-31T24:00:00Z", "after the year 9999"),
        ("2023", "could be a date"),
        ("202303", "could be a date"),
        ("20230230", "no day"),
        ("99999999", "no day"),
        ("2023-03-28T20:04:60Z", "23:59 UTC only"),
        ("2016-12-31T23:59:61Z", "ISO 8601"),
        ("2016-12-31T24:00:01Z", "ISO 8601"),
        ("2016-12-31T25:00:00Z", "ISO 8601"),
        ("2016-02-30T24:00:00Z", "ISO 8601"),
        ("2023-03-28T20:04+01.000Z", "ISO 8601"),
        ("2023-03-28T20+01:00.000Z", "ISO 8601"),
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        (True, "ISO 8601"),
        ("١٦٨٠٠٣٣٨٦٢", "ISO 8601"),
        ("2023-03-28T20:04:22.٠٠٠Z", "ISO 8601"),
        ("1e9", "ISO 8601"),
    ],
)
def test_reasons(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_timestamp(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20230328", "2023-03-28T00:00:00.000Z"),
        (20230328, "1970-08-23T03:32:08.000Z"),
        ("1680033862", "2023-03-28T20:04:22.000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ("2016-12-31T23:59:60.000Z", "2017-01-01T00:00:00.000Z"),
        ("2016-12-31t23:59:60,5z", "2017-01-01T00:00:00.500Z"),
        ("20161231T235960Z", "2017-01-01T00:00:00.000Z"),
        ("2017-01-01 00:59:60+01:00", "2017-01-01T00:00:00.000Z"),
        ("2016-12-31T24:00:00Z", "2017-01-01T00:00:00.000Z"),
        ("2016-12-31T24:00:00.000Z", "2017-01-01T00:00:00.000Z"),
        ("2016-12-31 24:00", "2017-01-01T00:00:00.000Z"),
        ("20161231T24", "2017-01-01T00:00:00.000Z"),
        ("2016-12-31T24:00:00+02:00", "2016-12-31T22:00:00.000Z"),
    ],
)
def test_days_leap_seconds_and_the_end_of_a_day(value: object, expected: str) -> None:
    assert to_iso(parse_timestamp(value)) == expected


def test_before_the_epoch_a_time_is_truncated_towards_the_past_too() -> None:
    assert parse_timestamp(-0.0001) == -1
    assert iso_of(-1) == "1969-12-31T23:59:59.999Z"
    assert parse_timestamp("1583-01-01T00:00:00Z") == FIRST_TIME_MS
    assert parse_timestamp(FIRST_TIME_MS // 1000) == FIRST_TIME_MS


def test_times_of_questions_reach_further_back() -> None:
    assert parse_time("0001-01-01T00:00:00Z") == from_datetime(datetime(1, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="year 1"):
        parse_time(-(10**30))


def test_the_future_begins_after_one_second() -> None:
    now = 1_700_000_000_000
    check_not_future(now + 1000, now)
    with pytest.raises(ValueError, match=r"is 1\.001 s ahead of the server's clock \(2023-11-14T22:13:20\.000Z\)"):
        check_not_future(now + 1001, now)
    assert to_datetime(now) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
