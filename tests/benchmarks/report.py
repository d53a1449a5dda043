"""What a benchmark found, and the table in docs/benchmarks.md."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

REPORT = Path(__file__).parents[2] / "docs" / "benchmarks.md"

_HEAD = """# Benchmarks

Written by `make bench`. Every line compares with a reference that was measured in the same run, in alternating pairs; rates of
other machines say little, ratios say more.

{machine}

| what | ours | reference | ratio (lowest–highest pair) | wanted |
| --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        what: What was measured.
        ours, reference: Figures with units, for people.
        ratio: Ratio with its spread, or empty.
        wanted: The figure to reach.
        notes: Sentences below the table: conditions, CPU shares, doubts.
    """

    what: str
    ours: str
    reference: str
    ratio: str
    wanted: str
    notes: tuple[str, ...] = ()


def thousands(value: float) -> str:
    """A rate for people: 11 640."""
    return f"{value:,.0f}".replace(",", "\u2009")


def write(rows: Iterable[Row]) -> None:
    """Rewrite docs/benchmarks.md."""
    rows = list(rows)
    memory = psutil.virtual_memory().total / 2**30
    machine = (
        f"{datetime.now(UTC):%Y-%m-%d}, {psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, FastAPI {version('fastapi')}, pydantic {version('pydantic')}, "
        f"confluent-kafka {version('confluent-kafka')}, Kafka 3.9.2, Spark {version('pyspark')}."
    )
    lines = [_HEAD.format(machine=machine).rstrip("\n")]
    lines += [f"| {row.what} | {row.ours} | {row.reference} | {row.ratio} | {row.wanted} |" for row in rows]
    lines.append("")
    for row in rows:
        lines += [f"- **{row.what}**: {note}" for note in row.notes]
    REPORT.write_text("\n".join(lines).rstrip("\n") + "\n", encoding="utf-8")
