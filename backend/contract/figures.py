"""Numbers in sentences, the same in every part."""

from typing import Final

#: Narrow no-break space, between groups of three digits.
THIN: Final = "\u202f"


def grouped(count: int) -> str:
    """Return ``10 000`` with thin spaces."""
    return f"{count:,}".replace(",", THIN)


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return ``1 device``, ``1 200 devices``."""
    return f"{grouped(count)} {one if count == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """Return a length of time in the largest unit that it fills twice: ``1.001 s``, ``12 min``, ``3 days``, ``54 years``."""
    for length_s, unit in ((365.2425 * 86_400, "year"), (86_400.0, "day"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * length_s:
            count = int(seconds / length_s)
            return plural(count, unit) if unit in ("year", "day") else f"{count} {unit}"
    return f"{seconds:.3f} s"
