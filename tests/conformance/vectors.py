"""The conformance vectors as Python values."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from backend.contract import times

FOLDER: Final = Path(__file__).parent
#: When a record arrives whose vector names no time: later than the timestamps of all readings among them.
ARRIVAL_MS: Final = times.from_iso("2023-03-01T13:00:00.000Z")


@dataclass(frozen=True, slots=True)
class RecordVector:
    """One record and its verdict.

    Attributes:
        name: Unique, for people.
        value: The record's value; placeholders are resolved.
        arrival_ms: When the broker stamps it.
        live: Whether a broker that stamps the arrival itself gives the same verdict.
        reason: Code of the refusal; empty for a reading.
        stored: device_id, sensor, timestamp (wire form), value of a reading.
    """

    name: str
    value: bytes | None
    arrival_ms: int
    live: bool
    reason: str
    stored: dict[str, Any] | None


def records(now_ms: int | None = None) -> list[RecordVector]:
    """All vectors of records.jsonl.

    Args:
        now_ms: The time of arrival where a broker stamps it: only the vectors that keep their verdict then are returned.
    """
    lines = (FOLDER / "records.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n")
    found = [_record(json.loads(line), now_ms) for line in lines]
    return found if now_ms is None else [vector for vector in found if vector.live]


def _record(line: dict[str, Any], now_ms: int | None) -> RecordVector:
    arrival_ms = times.from_iso(line["arrival"]) if "arrival" in line else ARRIVAL_MS
    if now_ms is not None:
        arrival_ms = now_ms
    stored = line.get("stored")
    return RecordVector(
        name=line["name"],
        value=_resolve(_value(line), arrival_ms),
        arrival_ms=arrival_ms,
        live=line.get("live", True),
        reason=line.get("reason", ""),
        stored=None if stored is None else {**stored, "timestamp": _resolve_text(stored["timestamp"], arrival_ms)},
    )


def _value(line: dict[str, Any]) -> bytes | None:
    if "value_b64" in line:
        return base64.b64decode(line["value_b64"])
    if "value_parts" in line:
        return b"".join(text.encode() * times for text, times in line["value_parts"])
    return None if line["value"] is None else line["value"].encode()


def _resolve_text(text: str, arrival_ms: int) -> str:
    return times.to_iso(arrival_ms + int(text[1:])) if text.startswith("@") else text


def _resolve(value: bytes | None, arrival_ms: int) -> bytes | None:
    """Put a time in the place of ``"timestamp":"@+500"``: so many milliseconds from the arrival."""
    marker = b'"timestamp":"@'
    if value is None or marker not in value:
        return value
    before, _, after = value.partition(marker)
    offset, quote, rest = after.partition(b'"')
    try:
        return before + b'"timestamp":"' + times.to_iso(arrival_ms + int(offset)).encode() + quote + rest
    except ValueError:
        return value
