"""Columns of both lists, and what is said of the chosen row."""

import math
from datetime import datetime
from typing import Final

from desktop.model.figures import UNKNOWN, plural, thousands
from desktop.model.refused.letters import DeadLetter
from desktop.model.refused.requests import RejectedRequest
from desktop.model.refused.words import as_text, bytes_of
from desktop.qtmodels.rows import Column

#: Bytes shown in a cell; the whole stands below the table.
_CELL_BYTES: Final = 120


def moment(at: float) -> str:
    """``2026-11-28 12:41:05``, local time."""
    try:
        return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):  # NaN, or a time that no calendar here knows
        return UNKNOWN


def _known(at: float) -> float:
    """A time to sort by; what has none counts as oldest."""
    return at if math.isfinite(at) else -1.0


def _number(value: int) -> str:
    return str(value) if value >= 0 else UNKNOWN


def _value(letter: DeadLetter) -> str:
    return "no value" if letter.value is None else as_text(letter.value[:_CELL_BYTES])


RECORD_COLUMNS: Final[tuple[Column[DeadLetter], ...]] = (
    Column("Time", lambda x: moment(x.at), lambda x: (_known(x.at), x.partition, x.offset), 164),
    Column("Partition", lambda x: _number(x.partition), lambda x: x.partition, 76, right=True),
    Column("Offset", lambda x: _number(x.offset), lambda x: x.offset, 96, right=True),
    Column("Reason", lambda x: x.code, lambda x: x.code, 142, hint=lambda x: x.reason),
    Column("Key", lambda x: x.key or UNKNOWN, lambda x: x.key, 138),
    Column("Size", lambda x: f"{thousands(x.size)} B", lambda x: x.size, 92, right=True),
    Column("Bytes", _value, _value, 220),
)

REQUEST_COLUMNS: Final[tuple[Column[RejectedRequest], ...]] = (
    Column("Time", lambda x: moment(x.at), lambda x: (_known(x.at), -1 if x.index is None else x.index), 164),
    Column("Address", lambda x: x.path, lambda x: x.path, 124),
    Column("Status", lambda x: str(x.status), lambda x: x.status, 64, right=True),
    Column("Item", lambda x: UNKNOWN if x.index is None else str(x.index), lambda x: -1 if x.index is None else x.index, 58,
           right=True),
    Column("Field", lambda x: x.field, lambda x: x.field, 104),
    Column("Reason", lambda x: x.reason, lambda x: x.reason, 92, hint=lambda x: x.message),
    Column("Size", lambda x: f"{thousands(x.size)} B", lambda x: x.size, 92, right=True),
    Column("Bytes", lambda x: x.text or "no body", lambda x: x.text, 200),
)  # fmt: skip


def record_title(letter: DeadLetter) -> str:
    """The chosen record in a line."""
    parts = [f"Partition {_number(letter.partition)}, offset {_number(letter.offset)}"]
    if letter.key:
        parts.append(f"key {letter.key}")
    parts += [moment(letter.at), bytes_of(letter.size, len(letter.value or b""))]
    return "  ·  ".join(parts)


def request_title(item: RejectedRequest) -> str:
    """The chosen request in a line."""
    where = item.path if item.index is None else f"{item.path}, item {item.index}"
    return f"{where}  ·  status {item.status}  ·  {moment(item.at)}  ·  {plural(item.size, 'byte')}"
