"""The document `job_progress` as Spark's job writes it → `JobProgress`. What is absent or odd is unknown, never an error."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from backend.contract import times
from desktop.model.progress import JobProgress


def read_progress(document: Mapping[str, Any]) -> JobProgress:
    """What the document tells."""
    lag, late = _number(document.get("lag")), _number(document.get("late_rows"))
    return JobProgress(
        at=_time(document.get("updated_at")),
        input_per_s=_number(document.get("input_rows_per_second")),
        processed_per_s=_number(document.get("processed_rows_per_second")),
        batch_s=_number(document.get("batch_duration_ms")) / 1000,
        watermark=_time(document.get("watermark")),
        lag=int(lag) if math.isfinite(lag) else -1,
        late_rows=int(late) if math.isfinite(late) else 0,
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _time(value: object) -> float:
    return times.from_datetime(value) / 1e3 if isinstance(value, datetime) else math.nan
