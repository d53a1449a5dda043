"""Verdicts in words, and as the documents that go to the topic, the collection and clients."""

import math
from typing import Any, Final

from backend.contract.times import to_iso
from backend.scoring.layout import SENSOR_NAMES, UNITS
from backend.scoring.state import ShardState
from backend.scoring.verdicts import Kind, Silence, Verdicts

#: How urgent a kind is at least; a score from `_GRAVE` on makes any of them critical.
_SEVERITY: Final = {
    Kind.NONE: "",
    Kind.SPIKE: "warning",
    Kind.DRIFT: "warning",
    Kind.STUCK: "warning",
    Kind.DROPOUT: "critical",
    Kind.LATE: "info",
    Kind.DUPLICATE: "info",
    Kind.LIMIT: "critical",
    Kind.SHAPE: "warning",
}
_GRAVE: Final = 0.94  # twice the limit
_CAN_BE_GRAVE: Final = (Kind.SPIKE, Kind.DRIFT, Kind.STUCK, Kind.SHAPE)


def severity(kind: Kind, score: float) -> str:
    """``info``, ``warning``, ``critical``; empty for what is not odd."""
    if score >= _GRAVE and kind in _CAN_BE_GRAVE:
        return "critical"
    return _SEVERITY[kind]


def reason(kind: Kind, *, sensor: int, value: float, expected: float, amount: float, since_ms: int, t_ms: int) -> str:
    """One plain sentence; empty for what is not odd."""
    unit = f" {UNITS[sensor]}" if UNITS[sensor] else ""
    since = to_iso(since_ms)[11:19]
    match kind:
        case Kind.SPIKE:
            where = "above" if amount > 0 else "below"
            return f"Spike: {_figure(abs(amount))}{unit} {where} what the readings before and after it lead to expect."
        case Kind.DRIFT:
            way = "up" if amount > 0 else "down"
            if t_ms - since_ms > 60_000:
                return (
                    f"Drift: it has moved {way} by about {_figure(abs(amount))}{unit} since about {since} UTC, unlike itself."
                )
            return (
                f"Shift: its level jumped {way} by {_figure(abs(amount))}{unit} and stayed; a drift or a fault ended or began."
            )
        case Kind.STUCK:
            return f"Stuck: it repeats {_figure(value)}{unit} since {since} UTC ({amount:.0f} times), longer than ever before."
        case Kind.LATE:
            return f"Late: it came {amount:.1f} s behind the newest readings."
        case Kind.DUPLICATE:
            return "Corrected: the reading came again with another value." if amount else "Duplicate: the reading came twice."
        case Kind.LIMIT:
            return f"Impossible: {_figure(value)}{unit} is outside what a {SENSOR_NAMES[sensor]} sensor can measure."
        case Kind.SHAPE:
            return f"Unusual course: nothing before looks like the readings since {since} UTC."
        case _:
            return ""


def silence_reason(silence: Silence) -> str:
    """One plain sentence."""
    return f"Dropout: silent since {to_iso(silence.since_ms)[11:19]} UTC; it usually sends every {_figure(silence.usual_s)} s."


def gap_reason(gap_s: float) -> str:
    """For the first reading after a silence."""
    return f"Dropout: it was silent for {gap_s:.1f} s before this reading."


def documents(verdicts: Verdicts, state: ShardState, *, model: str) -> list[dict[str, Any]]:
    """One document a reading. Its `_id` is the reading's identity, so that a revision replaces what it revises; a late or
    repeated delivery is a finding of its own and never hides what was found about the reading itself.
    """
    result = []
    columns = zip(
        verdicts.device.tolist(),
        verdicts.t_ms.tolist(),
        verdicts.value.tolist(),
        verdicts.expected.tolist(),
        verdicts.lower.tolist(),
        verdicts.upper.tolist(),
        verdicts.score.tolist(),
        verdicts.kind.tolist(),
        verdicts.amount.tolist(),
        verdicts.since_ms.tolist(),
        strict=True,
    )
    for row, t_ms, value, expected, lower, upper, score, number, amount, since_ms in columns:
        if not math.isfinite(value):
            continue
        device_id, sensor = state.keys[row]
        kind = Kind(number)
        text = ""
        if number:
            text = reason(kind, sensor=sensor, value=value, expected=expected, amount=amount, since_ms=since_ms, t_ms=t_ms)
        suffix = f"/{kind.name.lower()}" if kind in (Kind.LATE, Kind.DUPLICATE) else ""
        result.append(
            {
                "_id": f"{device_id}/{SENSOR_NAMES[sensor]}/{t_ms}{suffix}",
                "device_id": device_id,
                "sensor": SENSOR_NAMES[sensor],
                "timestamp": t_ms,
                "value": value,
                "expected": _or_none(expected),
                "lower": _or_none(lower),
                "upper": _or_none(upper),
                "score": round(score, 6),
                "anomaly": number > 0,
                "reason": text,
                "kind": kind.name.lower() if number else "",
                "severity": severity(kind, score),
                "since": since_ms if number else None,
                "model": model,
            }
        )
    return result


def silence_document(silence: Silence, state: ShardState, *, model: str) -> dict[str, Any]:
    """A document without a value, at the moment at which the silence became a dropout."""
    device_id, sensor = state.keys[silence.device]
    return {
        "_id": f"{device_id}/{SENSOR_NAMES[sensor]}/{silence.t_ms}/dropout",
        "device_id": device_id,
        "sensor": SENSOR_NAMES[sensor],
        "timestamp": silence.t_ms,
        "value": None,
        "expected": None,
        "lower": None,
        "upper": None,
        "score": 1.0,
        "anomaly": True,
        "reason": silence_reason(silence),
        "kind": "dropout",
        "severity": severity(Kind.DROPOUT, 1.0),
        "since": silence.since_ms,
        "model": model,
    }


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _figure(value: float) -> str:
    return f"{value:.4g}"
