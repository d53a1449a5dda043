"""Reads a series from CSV and labelled windows from JSON."""

import csv
import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from backend.contract.limits import LAST_TIME_MS
from backend.contract.timestamps import parse_time
from backend.predictor.errors import SeriesError
from backend.predictor.metrics.events import Span
from backend.predictor.series.dialect import columns_of, decimal_sign_of, encoding_of, number_of, separator_of
from backend.scoring.layout import F64, I64

#: More is no file for this command.
MOST_READINGS: Final = 2_000_000
#: Refused rows that are named.
MAX_NAMED: Final = 20
_LARGEST: Final = 1e100
_FIRST_TIME_MS: Final = -62_135_596_800_000


@dataclass(frozen=True, slots=True)
class TimedValues:
    """A series in the order of time.

    Attributes:
        t_ms: Epoch ms, strictly increasing.
        values: In whatever unit.
        left_out: Rows that had no value, repeated a time or were refused.
        refused: Why rows were refused, with their lines; at most `MAX_NAMED`.
    """

    t_ms: I64
    values: F64
    left_out: int
    refused: tuple[str, ...] = ()

    @property
    def interval_ms(self) -> float:
        """Usual pause between two readings."""
        return float(np.median(np.diff(self.t_ms))) if len(self.t_ms) > 1 else 1000.0


def read_series(path: Path) -> TimedValues:
    """A file with a header that names ``timestamp`` and ``value``, or with two columns in this order, with or without header.

    Encoding, separator and decimal sign are recognised. A row that cannot be read is left out alone.

    Raises:
        SeriesError: the file cannot be read or holds no series; says which line and why.
    """
    try:
        with path.open(encoding=encoding_of(path), errors="replace", newline="") as file:
            cells, sign, short = _read_cells(file, path)
    except OSError as error:
        raise SeriesError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (UnicodeError, csv.Error) as error:
        raise SeriesError(f"{path} is no CSV file: {error}.") from error
    times: list[int] = []
    values: list[float] = []
    refused: list[str] = short
    left_out = len(short)
    for number, time, text in cells:
        try:
            value = _value(text, sign)
            if value is not None:
                times.append(_time(time))
                values.append(value)
                continue
        except ValueError as error:
            refused.append(f"line {number}: {error}")
        left_out += 1
    t_ms, every = np.array(times, dtype=np.int64), np.array(values)
    order = np.argsort(t_ms, kind="stable")
    t_ms, every = t_ms[order], every[order]
    last = np.r_[t_ms[1:] != t_ms[:-1], np.ones(min(len(t_ms), 1), dtype=np.bool_)]
    count = int(np.count_nonzero(last))
    if count < 2:
        why = f" The first that cannot be read: {refused[0]}." if refused else ""
        raise SeriesError(f"{path} holds {count} readings with a value and a time of their own; at least two are needed.{why}")
    left_out += len(t_ms) - count
    return TimedValues(t_ms[last], every[last], left_out, tuple(refused[:MAX_NAMED]))


def _read_cells(file: TextIO, path: Path) -> tuple[list[tuple[int, str, str]], str, list[str]]:
    """Line, time and value of each row as written; the decimal sign; rows that are too short."""
    blank = 0
    first = ""
    for first in file:
        if first.strip():
            break
        blank += 1
    separator, only_names_it = separator_of(first)
    if only_names_it:
        blank += 1
        first = next(file, "")
    rows = csv.reader(itertools.chain([first], file), delimiter=separator)
    header = next(rows, [])
    found = columns_of(header)
    if found is None:
        begin = separator.join(header)[:80]
        raise SeriesError(f"{path} must begin with a header that names timestamp and value; it begins with {begin!r}.")
    time, value, is_header = found
    cells: list[tuple[int, str, str]] = []
    short: list[str] = []
    numbered: Iterator[tuple[int, list[str]]] = ((blank + rows.line_num, row) for row in rows)
    if not is_header:
        numbered = itertools.chain([(blank + 1, header)], numbered)
    for number, row in numbered:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) <= max(time, value):
            short.append(f"line {number}: it has {len(row)} columns, {max(time, value) + 1} are needed")
            continue
        cells.append((number, row[time].strip(), row[value].strip()))
        if len(cells) > MOST_READINGS:
            raise SeriesError(f"{path} has more than {MOST_READINGS:,} readings. Give it in parts.")
    return cells, decimal_sign_of((text for _, _, text in cells), separator), short


def read_windows(path: Path) -> list[Span]:
    """``[["start", "end"], …]``.

    Raises:
        SeriesError: it is something else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
        spans = [Span(parse_time(start), parse_time(end)) for start, end in data]
    except OSError as error:
        raise SeriesError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise SeriesError(f'{path} holds no windows [["start", "end"], …]: {error}.') from error
    if any(span.begin > span.end for span in spans):
        raise SeriesError(f"{path} holds a window that ends before it begins.")
    return sorted(spans)


def _value(text: str, sign: str) -> float | None:
    try:
        value = number_of(text, sign)
    except ValueError as error:
        raise ValueError(f"the value {text[:40]!r} {error}") from None
    if value is None or not math.isfinite(value):
        return None
    if abs(value) > _LARGEST:
        raise ValueError(f"the value {text[:40]} is too large; values up to {_LARGEST:g} can be judged")
    return value


def _time(text: str) -> int:
    try:
        epoch_ms = parse_time(text)
    except ValueError as error:
        raise ValueError(f"the time {text[:40]!r} {error}") from None
    if not _FIRST_TIME_MS <= epoch_ms <= LAST_TIME_MS:
        raise ValueError(f"the time {text[:40]!r} is outside the years 1 to 9999")
    return epoch_ms
