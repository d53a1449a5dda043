"""Refused bytes, codes and figures as text."""

from typing import Final

from backend.contract.refusals import REASONS
from desktop.model.figures import UNKNOWN, plural, thousands
from desktop.model.refused.letters import RefusedRecords
from desktop.model.refused.requests import RejectedRequests

RECORDS: Final = "Refused records"
REQUESTS: Final = "Rejected requests"
#: Codes of dead letters whose reason is not one of the contract's.
OTHER: Final = "other"

_PER_LINE: Final = 16


def code_of(message: str) -> str:
    """Return the reason code that a dead letter's message begins with, or `OTHER`."""
    code, colon, _ = message.partition(":")
    return code if colon and code in REASONS else OTHER


def as_text(data: bytes) -> str:
    """Return bytes as one printable line: UTF-8 where it is, escapes for all else."""
    text = data.decode("utf-8", errors="backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def as_hex(data: bytes) -> str:
    """Return a hex dump: offset, 16 bytes, their printable ASCII."""
    lines = []
    for start in range(0, len(data), _PER_LINE):
        part = data[start : start + _PER_LINE]
        pairs = " ".join(f"{byte:02x}" for byte in part)
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        lines.append(f"{start:06x}  {pairs:<{3 * _PER_LINE - 1}}  {shown}")
    return "\n".join(lines)


def figure(total: int) -> str:
    """Return a total; unknown before it was asked for."""
    return UNKNOWN if total < 0 else thousands(total)


def line(records: RefusedRecords, requests: RejectedRequests, difference: str = "") -> str:
    """Return both figures in one line for the terminal; empty before either is known."""
    if records.total < 0 and requests.total < 0:
        return ""
    parts = [f"refused records {figure(records.total)}", f"rejected requests {figure(requests.total)}"]
    return " · ".join(parts) + (f" · {difference}" if difference else "")


def recent(records: RefusedRecords, requests: RejectedRequests, most: int = 3) -> list[str]:
    """Return the newest of both as lines for the terminal."""
    lines = [
        f"refused record {letter.partition}/{letter.offset}: {letter.reason[:100]}: {as_text((letter.value or b'')[:60])}"
        for letter in records.newest[:most]
    ]
    lines += [f"rejected request {item.path}: {item.message[:100]}: {item.text[:60]}" for item in requests.newest[:most]]
    return lines


def bytes_of(size: int, kept: int) -> str:
    """Return ``420 bytes``, or ``first 4 096 of 60 000 bytes``."""
    return plural(size, "byte") if kept >= size else f"first {thousands(kept)} of {plural(size, 'byte')}"
