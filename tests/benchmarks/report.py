"""What a benchmark found, and the table in docs/benchmarks.md."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
import psutil

REPORT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
#: The rows by benchmark, from which the table is written: a run of one of them leaves the others' rows as they are.
ROWS = REPORT.with_suffix(".json")

#: Every benchmark whose rows are in the table, in its order.
ORDER = ("whole", "stages", "ingest", "sink", "feed", "swarm")

_HEAD = """# Benchmarks

Written by `make bench`, the rows about the Swarm stack by `python -m tests.benchmarks.swarm --write`. Every line compares with
a reference that was measured in the same run, in alternating pairs; rates of other machines say little, ratios say more.

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


def _machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, FastAPI {version('fastapi')}, pydantic {version('pydantic')}, "
        f"confluent-kafka {version('confluent-kafka')}, Kafka 3.9.2, Spark {version('pyspark')}."
    )


def write(found: Mapping[str, Sequence[Row]]) -> None:
    """Replace the rows of these benchmarks in docs/benchmarks.json and write docs/benchmarks.md from all of them.

    Args:
        found: Rows by name of the benchmark.
    """
    kept: dict[str, list[Row]] = {}
    if ROWS.exists():
        kept = msgspec.json.decode(ROWS.read_bytes(), type=dict[str, list[Row]])
    all_rows = kept | {name: list(rows) for name, rows in found.items()}
    ROWS.write_bytes(
        msgspec.json.format(msgspec.json.encode({name: all_rows[name] for name in ORDER if name in all_rows})) + b"\n"
    )
    rows = [row for name in ORDER for row in all_rows.get(name, ())]
    lines = [_HEAD.format(machine=_machine()).rstrip("\n")]
    lines += [f"| {row.what} | {row.ours} | {row.reference} | {row.ratio} | {row.wanted} |" for row in rows]
    for row in (row for row in rows if row.notes):
        lines += ["", f"**{row.what}**", "", *(f"- {note}" for note in row.notes)]
    REPORT.write_text("\n".join(lines).rstrip("\n") + "\n", encoding="utf-8")
