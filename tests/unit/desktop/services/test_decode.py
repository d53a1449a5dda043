"""Records become columns by the record rule; what is no reading is listed and harms nothing else."""

import numpy as np
import pytest

from backend.contract import times
from backend.contract.canary import CANARY_TIME_MS, new_canary_id
from backend.contract.messages import DeviceMessage, encode
from desktop.model.readings import SENSOR_CODES, ReadingBatch, RefusedRecord
from desktop.services.decode import decode_batch
from desktop.services.kafka_records import Records
from tests.conformance.vectors import ARRIVAL_MS, RecordVector, records

VECTORS = records()
NOW_MS = times.from_iso("2026-11-24T05:30:00.123Z")


def value(device: str = "a", t_ms: int = NOW_MS, sensor: str = "temperature", v: float = 1.5) -> bytes:
    return encode(DeviceMessage(device, times.to_iso(t_ms), sensor, v))


def decode(*values: bytes | None, arrival_ms: int = NOW_MS) -> ReadingBatch:
    return decode_batch(Records.of_values(values, arrival_ms=arrival_ms), received=9.0, live=False)


def test_columns() -> None:
    batch = decode(value(), value("b", sensor="humidity", v=2))

    assert (list(batch.device_ids), batch.sensor.tolist(), batch.value.tolist()) == (["a", "b"], [0, 2], [1.5, 2.0])
    assert batch.t_ms.tolist() == [NOW_MS] * 2
    assert (batch.received, batch.live, list(batch.refused)) == (9.0, False, [])


@pytest.mark.parametrize("vector", VECTORS, ids=[v.name for v in VECTORS])
def test_verdict(vector: RecordVector) -> None:
    batch = decode(vector.value, arrival_ms=vector.arrival_ms)

    if vector.stored is None:
        assert (len(batch), list(batch.refused)) == (0, [RefusedRecord(0, 0, vector.reason)])
        return
    assert (list(batch.device_ids), batch.sensor.tolist()) == (
        [vector.stored["device_id"]],
        [SENSOR_CODES[vector.stored["sensor"]]],
    )
    assert [times.to_iso(t_ms) for t_ms in batch.t_ms.tolist()] == [vector.stored["timestamp"]]
    assert (batch.value.tolist(), list(batch.refused)) == ([vector.stored["value"]], [])


def test_all_vectors_at_once() -> None:
    vectors = [v for v in VECTORS if v.arrival_ms == ARRIVAL_MS]
    batch = decode(*(v.value for v in vectors), arrival_ms=ARRIVAL_MS)

    found = zip(batch.device_ids, batch.t_ms.tolist(), batch.value.tolist(), strict=True)
    assert [(d, times.to_iso(t), v) for d, t, v in found] == [
        (v.stored["device_id"], v.stored["timestamp"], v.stored["value"]) for v in vectors if v.stored is not None
    ]
    assert list(batch.refused) == [RefusedRecord(0, i, v.reason) for i, v in enumerate(vectors) if v.reason]


def test_a_refused_record_leaves_its_neighbours() -> None:
    batch = decode(value("a"), value() + b"," + value(), None, value("b"))

    assert list(batch.device_ids) == ["a", "b"]
    assert list(batch.refused) == [RefusedRecord(0, 1, "trailing_text"), RefusedRecord(0, 2, "no_value")]


def test_each_record_is_judged_by_its_own_arrival() -> None:
    values: list[bytes | None] = [value("a"), value("b"), value("c")]
    batch = decode_batch(Records(values, [NOW_MS - 2000, NOW_MS - 2001, NOW_MS], [2, 1, 0], [5, 6, 7]), received=0.0)

    assert (list(batch.device_ids), list(batch.refused)) == (["a", "c"], [RefusedRecord(1, 6, "future")])


def test_a_later_arrival_has_a_larger_number() -> None:
    values: list[bytes | None] = [value("a"), value("b"), value("c"), b"", value("d")]
    batch = decode_batch(
        Records(values, [NOW_MS, NOW_MS - 1, NOW_MS, NOW_MS, NOW_MS], [1, 2, 2, 0, 1], [0, 1, 2, 0, 1]), received=0.0
    )

    assert batch.order is not None
    order = dict(zip(batch.device_ids, batch.order.tolist(), strict=True))
    assert order["b"] < order["a"] == order["d"] < order["c"]


def test_the_test_reading_is_left_out_and_devices_named_alike_are_not() -> None:
    like = new_canary_id()
    batch = decode(value(like, CANARY_TIME_MS), value("paai-canary", CANARY_TIME_MS), value(like), value("a"))

    assert (list(batch.device_ids), list(batch.refused), len(batch)) == (["paai-canary", like, "a"], [], 3)
    assert batch.order is not None
    assert len(batch.order) == 3


def test_nothing() -> None:
    assert len(decode()) == 0


def test_days_that_differ() -> None:
    times_ms = [1_795_499_070_000 + i * 17_000_000 for i in range(50)]
    batch = decode(*(value(f"d{i}", t_ms, v=i / 3) for i, t_ms in enumerate(times_ms)), arrival_ms=times_ms[-1])

    assert batch.t_ms.tolist() == times_ms
    assert (batch.value == np.arange(50) / 3).all()
