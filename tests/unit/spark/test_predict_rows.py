"""Records → readings: what is no reading is counted and nothing more."""

import json
from typing import Any

import numpy as np
import pytest

from backend.contract.names import CANARY_DEVICE_ID
from backend.contract.times import to_iso
from backend.scoring.layout import SENSOR_CODES
from spark.predict_rows import parse

NOW_MS = 1_700_000_000_000


def record(**change: Any) -> bytes:
    message = {"device_id": "d", "timestamp": to_iso(NOW_MS), "sensor": "humidity", "value": 40.5, **change}
    return json.dumps({k: v for k, v in message.items() if v is not None}).encode()


def test_good_records_become_readings_in_their_order() -> None:
    rows = parse([(record(), NOW_MS), (record(device_id="e", sensor="pressure", value=1000), NOW_MS)])

    assert rows.device_ids == ["d", "e"]
    assert rows.sensors.tolist() == [SENSOR_CODES["humidity"], SENSOR_CODES["pressure"]]
    assert rows.t_ms.tolist() == [NOW_MS, NOW_MS]
    np.testing.assert_array_equal(rows.values, [40.5, 1000.0])
    assert rows.invalid == 0


@pytest.mark.parametrize(
    "poison",
    [
        None,
        b"",
        b"\xff\xfe",
        b"[1]",
        b"[" * 5000,
        b'{"device_id": "d"}',
        record(value="1"),
        record(value=None),
        record(value=400.0),
        record().replace(b"40.5", b"NaN"),
        record().replace(b"40.5", b"1e999"),
        record(sensor="colour"),
        record(timestamp="yesterday"),
        record(timestamp=to_iso(NOW_MS + 60_000)),
        record(device_id=7),
        record(device_id=""),
        record(device_id="x" * 200),
    ],
)
def test_poison_is_counted(poison: bytes | None) -> None:
    rows = parse([(record(), NOW_MS), (poison, NOW_MS), (record(), NOW_MS)])

    assert (len(rows), rows.invalid) == (2, 1)


def test_the_canary_is_passed_over() -> None:
    rows = parse([(record(device_id=CANARY_DEVICE_ID), NOW_MS)])

    assert (len(rows), rows.invalid) == (0, 0)
