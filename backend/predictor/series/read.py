"""Reads a series from CSV and labelled windows from JSON."""

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from backend.contract.timestamps import parse_time
from backend.predictor.errors import SeriesError
from backend.predictor.metrics.events import Span
from backend.scoring.layout import F64, I64

_TIME_NAMES: Final = ("timestamp", "time", "date", "datetime", "ds")
_VALUE_NAMES: Final = ("value", "data", "y")
#: More is no file for this command.
MOST_READINGS: Final = 2_000_000
_LARGEST: Final = 1e100


@dataclass(frozen=True, slots=True)
class TimedValues:
    """A series in the order of time.

    Attributes:
        t_ms: Epoch ms, strictly increasing.
        values: In whatever unit.
        left_out: Rows that had no value or repeated a time.
    """

    t_ms: I64
    values: F64
    left_out: int

    @property
    def interval_ms(self) -> float:
        """Usual pause between two readings."""
        return float(np.median(np.diff(self.t_ms))) if len(self.t_ms) > 1 else 1000.0


def read_series(path: Path) -> TimedValues:
    """A file with a header that names ``timestamp`` and ``value``, or with two columns in this order.

    Raises:
        SeriesError: it cannot be read or holds no series; says which line and why.
    """
    times: list[int] = []
    values: list[float] = []
    left_out = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            at = _columns(next(rows, []), path)
            for number, row in enumerate(rows, start=2):
                if not row or not any(cell.strip() for cell in row):
                    continue
                if len(row) <= max(at):
                    raise SeriesError(f"{path}, line {number}: there are {len(row)} columns, {max(at) + 1} are needed.")
                value = _value(row[at[1]], path, number)
                if value is None:
                    left_out += 1
                    continue
                times.append(_time(row[at[0]].strip(), path, number))
                values.append(value)
                if len(times) > MOST_READINGS:
                    raise SeriesError(f"{path} has more than {MOST_READINGS:,} readings. Give it in parts.")
    except OSError as error:
        raise SeriesError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (UnicodeError, csv.Error) as error:
        raise SeriesError(f"{path} is no CSV file: {error}.") from error
    if len(times) < 2:
        raise SeriesError(f"{path} holds {len(times)} readings with a value; at least two are needed.")
    t_ms, every = np.array(times, dtype=np.int64), np.array(values)
    order = np.argsort(t_ms, kind="stable")
    t_ms, every = t_ms[order], every[order]
    last = np.r_[t_ms[1:] != t_ms[:-1], True]
    return TimedValues(t_ms[last], every[last], left_out + int(np.count_nonzero(~last)))


def read_windows(path: Path) -> list[Span]:
    """``[["start", "end"], …]``.

    Raises:
        SeriesError: it is something else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        spans = [Span(parse_time(start), parse_time(end)) for start, end in data]
    except OSError as error:
        raise SeriesError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, TypeError) as error:
        raise SeriesError(f'{path} holds no windows [["start", "end"], …]: {error}.') from error
    if any(span.begin > span.end for span in spans):
        raise SeriesError(f"{path} holds a window that ends before it begins.")
    return sorted(spans)


def _columns(header: list[str], path: Path) -> tuple[int, int]:
    names = [name.strip().lower() for name in header]
    time = next((names.index(n) for n in _TIME_NAMES if n in names), None)
    value = next((names.index(n) for n in _VALUE_NAMES if n in names), None)
    if time is not None and value is not None:
        return time, value
    if len(names) == 2:
        return 0, 1
    begin = ",".join(names)[:80]
    raise SeriesError(f"{path} must begin with a header that names timestamp and value; it begins with {begin!r}.")


def _value(text: str, path: Path, number: int) -> float | None:
    text = text.strip()
    if not text or text.lower() in ("nan", "na", "null", "none"):
        return None
    try:
        value = float(text)
    except ValueError:
        raise SeriesError(f"{path}, line {number}: {text[:40]!r} is no number.") from None
    if math.isfinite(value) and abs(value) > _LARGEST:
        raise SeriesError(f"{path}, line {number}: {text[:40]} is too large; values up to {_LARGEST:g} can be judged.")
    return value if math.isfinite(value) else None


def _time(text: str, path: Path, number: int) -> int:
    try:
        return parse_time(text)
    except ValueError as error:
        raise SeriesError(f"{path}, line {number}: the time {text[:40]!r} {error}.") from None
