"""Answers of the predictor as it gives them on the wire."""

from typing import Any

SENSORS = ("temperature", "pressure", "humidity", "heart_rate")

_ERRORS = {
    "temperature": (0.79, 1.12, 2.31, 0.94),
    "pressure": (0.80, 1.13, 1.72, 0.88),
    "humidity": (0.78, 1.10, 2.05, 0.91),
    "heart_rate": (0.55, 0.71, 4.20, 1.38),
}


def sensor_card(sensor: str, *, better: bool = True) -> dict[str, Any]:
    """A sensor's part of a card."""
    model, last, mean, rolling = _ERRORS[sensor]
    return {
        "devices": 40,
        "readings": 72_000,
        "forecaster": "boosting",
        "noise": 0.12,
        "cross_validation": {"baseline": 0.21, "boosting 5": 0.19},
        "held_out": {
            "model": {"mae": model, "pinball": 0.19 if better else 0.31, "coverage": 0.902 if better else 0.81},
            "rolling_median": {"mae": rolling, "pinball": 0.26, "coverage": 0.861},
            "last_value": {"mae": last},
            "device_mean": {"mae": mean},
        },
        "detectors": {"matched_filters": 0.81, "isolation_forest": 0.34, "rolling_median": 0.52},
        "limits": [4.5],
        "reference": {},
    }


def card(version: str, *, sensors: tuple[str, ...] = SENSORS, worse: tuple[str, ...] = (), **changes: Any) -> dict[str, Any]:
    """A card; `worse` names sensors that do not beat rolling median and MAD."""
    counts = {"read": 72_400, "missing": 12, "impossible": 3, "duplicates": 85, "used": 72_300, "gaps": 4}
    return {
        "version": version,
        "created": "2026-11-24T12:41:00.000Z",
        "took_s": 74.2,
        "seed": 0,
        "from": "2026-11-24T11:40:00.000Z",
        "to": "2026-11-24T12:40:00.000Z",
        "asked": {"from": None, "to": None, "sensors": list(SENSORS)},
        "rows": dict.fromkeys(SENSORS, counts),
        "coverage": 0.9,
        "features": [f"feature {i}" for i in range(12)],
        "feature_version": 3,
        "code": "0123456789ab",
        "sklearn": "1.9.0",
        "sensors": {s: sensor_card(s, better=s not in worse) for s in sensors},
        "beats_rolling_median": {s: s not in worse for s in sensors},
        "refused": {s: f"There are no {s} readings in the time frame." for s in SENSORS if s not in sensors},
        **changes,
    }


def version(name: str, *, promoted_at: str | None = None, **card_changes: Any) -> dict[str, Any]:
    """An entry of the list."""
    return {
        "version": name,
        "promoted": promoted_at is not None,
        "promoted_at": promoted_at,
        "size": 412_000,
        "sha256": "ab" * 32,
        "card": card(name, **card_changes),
    }


def training(job: str, state: str, **changes: Any) -> dict[str, Any]:
    """An entry of the list of trainings."""
    ended = None if state in ("running", "cancelling") else "2026-11-24T12:42:10.000Z"
    return {
        "job": job,
        "state": state,
        "progress": 0.4,
        "message": "computes the features of humidity",
        "started": "2026-11-24T12:41:00.000Z",
        "ended": ended,
        **changes,
    }
