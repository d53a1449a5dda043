"""Numbers for people: thin spaces in thousands, units beside values, a fixed shape so that nothing jumps."""

import math
from typing import Final

from backend.contract.figures import THIN as THIN
from backend.contract.figures import plural as plural

#: What stands for a value that is not known.
UNKNOWN: Final = "–"


def thousands(value: float, decimals: int = 0) -> str:
    """``12 345`` with thin spaces; `UNKNOWN` for NaN and infinities."""
    if not math.isfinite(value):
        return UNKNOWN
    text = f"{value:,.{decimals}f}".replace(",", THIN)
    if text.startswith("-"):
        text = "−" + text[1:]
        if not text.strip("−0." + THIN):
            text = text[1:]  # no minus zero
    return text


def size(value: float) -> str:
    """``418 MB``: bytes in decimal units, three figures."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 999.5:
            return f"{thousands(value, 1 if unit == 'GB' else 0)} {unit}"
        value /= 1000
    return f"{thousands(value, 1)} TB"


def clock(seconds: float) -> str:
    """``00:12:41``, or ``3 d 00:12:41`` above a day."""
    whole = max(0, int(seconds))
    days, rest = divmod(whole, 86400)
    text = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days} d {text}" if days else text


def elapsed(seconds: float) -> str:
    """``4.2 s``, ``41 s``, ``3 min 05 s``: how long a step takes."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def milliseconds(value: float) -> str:
    """``140 ms`` or ``2.3 s``; `UNKNOWN` for NaN."""
    if not math.isfinite(value):
        return UNKNOWN
    if abs(value) < 999.5:
        return f"{thousands(value)} ms"
    return f"{thousands(value / 1000, 1)} s"


def percent(part: float, decimals: int = 0) -> str:
    """``90.2 %`` of a part of 1; `UNKNOWN` for NaN."""
    return UNKNOWN if not math.isfinite(part) else f"{thousands(100 * part, decimals)}{THIN}%"
