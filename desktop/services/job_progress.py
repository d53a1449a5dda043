"""The document `job_progress` as Spark's job writes it → `JobProgress`. What is absent or odd is unknown, never an error."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from backend.contract import times
from desktop.model.progress import JobProgress


def read_progress(document: Mapping[str, Any]) -> JobProgress:
    """What the document tells."""
    return JobProgress(
        at=_time(document, "at", "updated", "timestamp"),
        input_per_s=_number(document, "input_rows_per_s", "input_per_s"),
        processed_per_s=_number(document, "processed_rows_per_s", "processed_per_s"),
        batch_s=_duration(document),
        watermark=_time(document, "watermark"),
        lag=_lag(document),
        late_rows=_count(_number(document, "late_rows"), 0),
    )


def _first(document: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((document[name] for name in names if document.get(name) is not None), None)


def _number(document: Mapping[str, Any], *names: str) -> float:
    value = _first(document, names)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _count(value: float, default: int) -> int:
    return int(value) if math.isfinite(value) else default


def _time(document: Mapping[str, Any], *names: str) -> float:
    value = _first(document, names)
    if isinstance(value, datetime):
        return times.from_datetime(value) / 1e3
    if isinstance(value, str):
        try:
            return times.from_iso(value) / 1e3
        except ValueError:
            return math.nan
    return float(value) if isinstance(value, int | float) else math.nan


def _duration(document: Mapping[str, Any]) -> float:
    seconds = _number(document, "batch_duration_s", "batch_s")
    return seconds if math.isfinite(seconds) else _number(document, "batch_duration_ms", "batch_ms") / 1000


def _lag(document: Mapping[str, Any]) -> int:
    """The sum over partitions, whether they are a mapping to numbers or rows with a `lag`."""
    whole = _number(document, "lag", "total_lag")
    if math.isfinite(whole):
        return int(whole)
    for name in ("lag", "partitions", "offsets"):
        parts = document.get(name)
        rows = list(parts.values()) if isinstance(parts, Mapping) else parts if isinstance(parts, list) else []
        lags = [row.get("lag") if isinstance(row, Mapping) else row for row in rows] if name != "offsets" else []
        numbers = [lag for lag in lags if isinstance(lag, int | float)]
        if numbers:
            return int(sum(numbers))
    return -1
