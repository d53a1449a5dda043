"""Scores the readings of one request: a shard that lives as long as the request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.contract.times import to_iso
from backend.predictor.models.bundle import Bundle
from backend.scoring.engine import Engine
from backend.scoring.reasons import documents, gap_reason, severity
from backend.scoring.state import sensor_code
from backend.scoring.verdicts import Kind


@dataclass(frozen=True, slots=True)
class Readings:
    """Columns of the same length, in the order given.

    Attributes:
        device_ids, sensors: Whose.
        t_ms: Epoch ms.
        values: In the sensor's unit.
    """

    device_ids: Sequence[str]
    sensors: Sequence[str]
    t_ms: Sequence[int]
    values: Sequence[float]


def predictions(bundle: Bundle, readings: Readings) -> list[dict[str, Any]]:
    """One prediction a reading, in the order given. A reading that ends a silence is marked as its dropout."""
    engine = Engine(bundle.profiles, forecaster=bundle)
    codes = np.array([sensor_code(s) for s in readings.sensors], dtype=np.int8)
    t_ms = np.array(readings.t_ms, dtype=np.int64)
    scored = engine.score(readings.device_ids, codes, t_ms, np.array(readings.values, dtype=np.float64))
    result = documents(scored.verdicts, engine.state, model=bundle.version)
    for row, gap_s in zip(result, scored.verdicts.gap_s.tolist(), strict=True):
        if gap_s > 0 and not row["anomaly"]:
            row |= {
                "anomaly": True,
                "score": 1.0,
                "kind": "dropout",
                "reason": gap_reason(gap_s),
                "severity": severity(Kind.DROPOUT, 1.0),
                "since": row["timestamp"] - round(gap_s * 1000),
            }
        row["timestamp"] = to_iso(row["timestamp"])
        row["since"] = None if row["since"] is None else to_iso(row["since"])
        del row["_id"], row["model"]
    return result
