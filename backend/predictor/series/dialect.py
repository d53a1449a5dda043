"""How a CSV file of a series is written: encoding, separator, header, decimal sign."""

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

#: Tried in this order: a semicolon, tab or bar separates wherever there is one, since a comma may be a decimal sign.
SEPARATORS: Final = (";", "\t", "|", ",")
_TIME_NAMES: Final = ("timestamp", "time", "date", "datetime", "ds")
_VALUE_NAMES: Final = ("value", "data", "y")
#: What spreadsheet programs write as the first line to name the separator.
_SEPARATOR_LINE: Final = re.compile(r"sep=(.)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NO_VALUE: Final = frozenset({"", "nan", "na", "n/a", "null", "none", "inf", "+inf", "-inf", "infinity", "-infinity"})


def encoding_of(path: Path) -> str:
    """UTF-8 unless the first bytes say UTF-16 or UTF-32."""
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "utf-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if len(head) == 4 and 0 in head:
        return "utf-16-le" if head[1] == 0 else "utf-16-be"
    return "utf-8-sig"


def separator_of(line: str) -> tuple[str, bool]:
    """The separator, and whether `line` only names it.

    Args:
        line: The first line that is not blank.
    """
    if named := _SEPARATOR_LINE.fullmatch(line.strip().strip('"')):
        return named[1], True
    found = (s for s in SEPARATORS if len(next(csv.reader([line], delimiter=s), [])) > 1)
    return next(found, ","), False


def columns_of(row: Sequence[str]) -> tuple[int, int, bool] | None:
    """Places of time and value, and whether `row` is a header; None where they cannot be told.

    Args:
        row: The first row.
    """
    names = [name.strip().lower() for name in row]
    time = next((names.index(n) for n in _TIME_NAMES if n in names), None)
    value = next((names.index(n) for n in _VALUE_NAMES if n in names), None)
    if time is not None and value is not None:
        return time, value, True
    if len(names) != 2:
        return None
    if time is not None or value is not None:
        time = time if time is not None else 1 - (value or 0)
        return time, 1 - time, True
    return 0, 1, not _is_number(names[1])


def _is_number(text: str) -> bool:
    for sign in (".", ","):
        try:
            number_of(text, sign)
        except ValueError:
            continue
        return True
    return False


def decimal_sign_of(values: Iterable[str], separator: str) -> str:
    """The decimal sign of a column: a comma or a point.

    Args:
        values: As written, without those that say that there is none.
        separator: Of the file. Where it is no comma, a lone comma is a decimal sign.
    """
    commas, points, grouped = 0, 0, True
    for text in values:
        comma, point = text.rfind(","), text.rfind(".")
        if comma >= 0 and point >= 0:
            return "," if comma > point else "."
        if comma >= 0:
            commas += 1
            if text.count(",") > 1:
                return "."
            grouped = grouped and len(text) - comma == 4 and not text.lstrip("+-").startswith("0")
        points += point >= 0
    if not commas:
        return "."
    return "." if grouped and (points or separator == ",") else ","


def number_of(text: str, decimal_sign: str) -> float | None:
    """The number; None where the cell says that there is none.

    Raises:
        ValueError: it is something else.
    """
    if text.lower() in _NO_VALUE:
        return None
    other = "." if decimal_sign == "," else ","
    whole, sign, fraction = text.partition(decimal_sign)
    if other in fraction or (other in whole and not _is_grouped(whole, other)):
        raise ValueError("is no number")
    plain = whole.replace(other, "") + ("." if sign else "") + fraction
    if not _NUMBER.fullmatch(plain):
        raise ValueError("is no number")
    return float(plain)


def _is_grouped(whole: str, sign: str) -> bool:
    """Whether the digits stand in groups of three, as 1,234,567."""
    first, *others = whole.lstrip("+-").split(sign)
    return 1 <= len(first) <= 3 and all(len(group) == 3 for group in others)
