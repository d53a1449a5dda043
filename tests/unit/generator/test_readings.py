import json

import numpy as np
import pytest

from backend.contract.devices import DEVICE_TYPES
from backend.contract.parsing import ReadingParser
from backend.generator.readings import Reading, parcels
from backend.generator.signals import Signals

AT_MS = 1_680_033_862_123


def test_the_json_that_paai_takes() -> None:
    readings = [Reading(f"d{kind}", kind, AT_MS, 20.5 + kind) for kind in range(4)]
    (parcel,) = parcels(readings, 1.0)
    assert not parcel.single
    assert parcel.count == 4
    time = "2023-03-28T20:04:22.123Z"
    assert json.loads(parcel.body) == [
        {"device_id": "d0", "tag": "Thermostat", "timestamp": time, "temperature": 20.5},
        {"device_id": "d1", "tag": "Barometer", "timestamp": time, "pressure": 21.5},
        {"device_id": "d2", "tag": "Hygrometer", "timestamp": time, "humidity": 22.5},
        {"device_id": "d3", "tag": "HeartRateMeter", "timestamp": time, "heart_rate": 23.5},
    ]


def test_a_lone_reading_travels_alone() -> None:
    (parcel,) = parcels([Reading("d", 0, AT_MS, 1.0)], 1.0)
    assert parcel.single
    assert json.loads(parcel.body)["device_id"] == "d"


def test_nothing_makes_no_request() -> None:
    assert list(parcels([], 1.0)) == []


def test_batches_are_split_at_both_limits() -> None:
    readings = [Reading(f"d{i}", 0, AT_MS + i, 1.0) for i in range(25)]
    assert [p.count for p in parcels(readings, 1.0, max_readings=10)] == [10, 10, 5]
    by_size = list(parcels(readings, 1.0, max_bytes=500))
    assert all(len(p.body) <= 500 for p in by_size)
    ids = [r["device_id"] for p in by_size for r in (json.loads(p.body) if not p.single else [json.loads(p.body)])]
    assert ids == [r.device_id for r in readings]


@pytest.mark.parametrize("n", [1, 400])
def test_paai_s_parser_takes_all_of_them(n: int) -> None:
    signals = Signals.build(1, [f"d{i}" for i in range(n)], [i % 4 for i in range(n)])
    rows = np.arange(n)
    values = signals.report(rows, signals.sample(rows, AT_MS)).tolist()
    (parcel,) = parcels([Reading(f"d{i}", i % 4, AT_MS, values[i]) for i in range(n)], 1.0)
    parser = ReadingParser()
    messages = [parser.parse(parcel.body, now_ms=AT_MS)] if n == 1 else parser.parse_batch(parcel.body, now_ms=AT_MS).messages
    assert [(m.device_id, m.sensor, m.timestamp, m.value) for m in messages] == [
        (f"d{i}", DEVICE_TYPES[i % 4].sensor, "2023-03-28T20:04:22.123Z", values[i]) for i in range(n)
    ]
