"""Records → readings by shard: what is no reading is counted and nothing more."""

import json
from typing import Any

import numpy as np

from backend.contract.canary import CANARY_TIME_MS, new_canary_id
from backend.contract.devices import SENSORS
from backend.contract.shards import shard_of
from backend.contract.times import to_iso
from backend.scoring.layout import SENSOR_CODES
from spark.predict_rows import Batch, Rows, parse
from tests.conformance.vectors import records

NOW_MS = 1_700_000_000_000


def record(**change: Any) -> bytes:
    message = {"device_id": "d", "timestamp": to_iso(NOW_MS), "sensor": "humidity", "value": 40.5, **change}
    return json.dumps({k: v for k, v in message.items() if v is not None}).encode()


def take(*values: bytes | None) -> Batch:
    return parse(values, [NOW_MS] * len(values))


def only(batch: Batch) -> Rows:
    (rows,) = batch.shards.values()
    return rows


def test_good_records_become_readings_in_their_order() -> None:
    batch = take(record(), record(sensor="pressure", value=1000), record(value=1))
    rows = only(batch)

    assert rows.device_ids == ["d", "d", "d"]
    assert rows.sensors.tolist() == [SENSOR_CODES[s] for s in ("humidity", "pressure", "humidity")]
    assert rows.t_ms.tolist() == [NOW_MS] * 3
    np.testing.assert_array_equal(rows.values, [40.5, 1000.0, 1.0])
    assert batch.refused == 0


def test_verdicts() -> None:
    for vector in records():
        batch = parse([vector.value], [vector.arrival_ms])
        if vector.stored is None:
            assert (batch.shards, batch.refused) == ({}, 1), vector.name
        else:
            rows = only(batch)
            found = [rows.device_ids[0], SENSORS[rows.sensors[0]], to_iso(int(rows.t_ms[0])), float(rows.values[0])]
            assert (found, batch.refused) == (list(vector.stored.values()), 0), vector.name


def test_a_refused_record_leaves_its_neighbours() -> None:
    batch = take(record(), None, record(), record(value=400.0), record(timestamp=to_iso(NOW_MS + 60_000)))

    assert (len(only(batch)), batch.refused) == (2, 3)


def test_the_shard_follows_from_the_device() -> None:
    batch = take(*(record(device_id=f"d{n}") for n in range(30)), *(record(device_id=f"d{n}", value=1) for n in range(30)))

    for shard, rows in batch.shards.items():
        assert {shard_of(device_id) for device_id in rows.device_ids} == {shard}
    assert sum(len(rows) for rows in batch.shards.values()) == 60


def test_the_test_reading_is_passed_over() -> None:
    assert take(record(device_id=new_canary_id(), timestamp=to_iso(CANARY_TIME_MS))) == Batch({}, 0)
    named_alike = record(device_id=new_canary_id()), record(device_id="paai-canary", timestamp=to_iso(CANARY_TIME_MS))
    assert sum(len(rows) for rows in take(*named_alike).shards.values()) == 2
