"""Record values become columns; what is no reading is counted and harms nothing else."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.contract import times
from backend.contract.messages import DeviceMessage, encode
from backend.contract.names import CANARY_DEVICE_ID
from desktop.services.decode import BAD_TIME, decode_batch, iso_to_ms


def value(device: str = "a", t: str = "2026-11-24T05:30:00.123Z", sensor: str = "temperature", v: float = 1.5) -> bytes:
    return encode(DeviceMessage(device, t, sensor, v))


def test_columns() -> None:
    batch = decode_batch([value(), value("b", sensor="humidity", v=-2)], received=9.0, live=False)
    assert (list(batch.device_ids), batch.sensor.tolist(), batch.value.tolist()) == (["a", "b"], [0, 2], [1.5, -2.0])
    assert batch.t_ms.tolist() == [times.from_iso("2026-11-24T05:30:00.123Z")] * 2
    assert (batch.received, batch.live, batch.malformed) == (9.0, False, 0)


POISON: list[bytes | None] = [
    None,
    b"",
    b"\xff\xfe",
    b"not json",
    b"[]",
    b"{}",
    b'{"device_id":"a"}',
    b'{"device_id":1,"timestamp":"2026-11-24T05:30:00.000Z","sensor":"temperature","value":1}',
    b'{"device_id":"a","timestamp":"2026-11-24T05:30:00.000Z","sensor":"temperature","value":NaN}',
    b'{"device_id":"a","timestamp":"2026-11-24T05:30:00.000Z","sensor":"temperature","value":1e999}',
    b'{"device_id":"a","timestamp":"2026-11-24T05:30:00.000Z","sensor":"temperature","value":"1"}',
    b'{"device_id":"a","timestamp":"yesterday","sensor":"temperature","value":1}',
    b'{"device_id":"a","timestamp":"2026-13-24T05:30:00.000Z","sensor":"temperature","value":1}',
    b'{"device_id":"a","timestamp":"2026-11-24T25:30:00.000Z","sensor":"temperature","value":1}',
    b'{"device_id":"a","timestamp":"2026-11-24T05:30:00.000Z","sensor":"smell","value":1}',
    b'{"device_id":"","timestamp":"2026-11-24T05:30:00.000Z","sensor":"temperature","value":1}',
    b'{"device_id":"' + b"x" * 129 + b'","timestamp":"2026-11-24T05:30:00.000Z","sensor":"temperature","value":1}',
    value() + b"," + value(),  # one record that would be two items of an array
    value() + b"],[" + value(),
]


@pytest.mark.parametrize("poison", POISON)
def test_a_poisoned_record_is_counted_and_its_neighbours_stay(poison: bytes | None) -> None:
    batch = decode_batch([value("a"), poison, value("b")], received=0.0)
    assert (list(batch.device_ids), batch.malformed) == (["a", "b"], 1)


def test_all_poison_at_once() -> None:
    batch = decode_batch([*POISON, value("a"), *POISON], received=0.0)
    assert (list(batch.device_ids), batch.malformed) == (["a"], 2 * len(POISON))


def test_the_canary_is_left_out_and_is_no_error() -> None:
    batch = decode_batch([value(CANARY_DEVICE_ID), value("a")], received=0.0)
    assert (list(batch.device_ids), batch.malformed, len(batch)) == (["a"], 0, 1)


def test_nothing() -> None:
    assert len(decode_batch([], received=0.0)) == 0


@given(st.lists(st.integers(-62_135_596_800_000, 253_402_300_799_999), max_size=20))
def test_times_in_the_contracts_form_are_exact(times_ms: list[int]) -> None:
    assert iso_to_ms([times.to_iso(t) for t in times_ms]).tolist() == times_ms


def test_other_iso_forms_are_read_too() -> None:
    texts = ["2026-11-24T05:30:00Z", "2026-11-24T06:30:00.5+01:00", "2026-11-24", "2026-11-24T05:30:00.000Z"]
    assert iso_to_ms(texts).tolist() == [times.from_iso(t) for t in texts]


@pytest.mark.parametrize(
    "text", ["2026-11-24T05:61:00.000Z", "2026-11-24T05:30:61.000Z", "2026-11-24 05;30:00.000Z", "x" * 24, ""]
)
def test_what_is_no_time(text: str) -> None:
    assert iso_to_ms([text, "2026-11-24T05:30:00.000Z"])[0] == BAD_TIME


def test_the_fast_way_and_the_slow_one_agree() -> None:
    values = [value(f"d{i}", times.to_iso(1_795_499_070_000 + i * 17_000_000), v=i / 3) for i in range(50)]
    fast = decode_batch(values, received=0.0)
    slow = decode_batch([*values, b"poison"], received=0.0)
    assert (fast.t_ms == slow.t_ms).all()
    assert (fast.value == np.array([json.loads(v)["value"] for v in values])).all()
