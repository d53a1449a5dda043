"""Collects what rounds find out about readings, and settles it: of several findings about one reading the strongest counts."""

from dataclasses import dataclass, field

import numpy as np

from backend.scoring.layout import F64, I64, RECENT, Rows
from backend.scoring.state import Table
from backend.scoring.verdicts import Kind


def odd_score(ratio: F64) -> F64:
    """Score of something `ratio` times over its limit; from 0.5 on for ratios from 1 on."""
    score: F64 = 1.0 - np.exp2(-np.square(np.minimum(ratio, 6.0)))
    return score


def joins(table: Table, rows: Rows, kind: Kind, t_ms: I64, from_ms: I64, gap_ms: F64) -> I64:
    """Enter findings into the event of their kind, a new one where the last one ended more than `gap_ms` ago.

    Args:
        table: Of the shard.
        rows: Distinct devices.
        kind: Of the findings.
        t_ms: Their times.
        from_ms: Where a new event would begin.
        gap_ms: One a device.

    Returns:
        Begin of each one's event.
    """
    goes_on = t_ms - table.event_to[rows, kind] <= gap_ms
    begin: I64 = np.where(goes_on, table.event_from[rows, kind], from_ms)
    table.event_from[rows, kind] = begin
    table.event_to[rows, kind] = np.maximum(table.event_to[rows, kind], t_ms)
    return begin


@dataclass(slots=True)
class Findings:
    """Findings about single readings, which are named by device and the number of the reading."""

    rows: list[Rows] = field(default_factory=list)
    numbers: list[I64] = field(default_factory=list)
    kinds: list[I64] = field(default_factory=list)
    scores: list[F64] = field(default_factory=list)
    amounts: list[F64] = field(default_factory=list)
    since: list[I64] = field(default_factory=list)
    found: list[I64] = field(default_factory=list)

    def add(self, rows: Rows, numbers: I64, kind: Kind, score: F64, amount: F64, since_ms: I64, found_ms: I64) -> None:
        """One finding for each of `rows`."""
        if rows.size:
            self.rows.append(rows)
            self.numbers.append(numbers)
            self.kinds.append(np.full(rows.size, int(kind), dtype=np.int64))
            self.scores.append(score)
            self.amounts.append(amount)
            self.since.append(since_ms)
            self.found.append(found_ms)

    def settled(self) -> "Settled":
        """One finding for each reading that has any: the strongest, of equals the last."""
        if not self.rows:
            none = np.zeros(0, dtype=np.int64)
            return Settled(none.astype(np.intp), none, none, none.astype(np.float64), none.astype(np.float64), none, none)
        every = Settled(
            np.concatenate(self.rows),
            np.concatenate(self.numbers),
            np.concatenate(self.kinds),
            np.concatenate(self.scores),
            np.concatenate(self.amounts),
            np.concatenate(self.since),
            np.concatenate(self.found),
        )
        order = np.lexsort((np.arange(len(every.rows)), every.scores, every.numbers, every.rows))
        rows, numbers = every.rows[order], every.numbers[order]
        last = np.r_[(rows[1:] != rows[:-1]) | (numbers[1:] != numbers[:-1]), True]
        keep = order[last]
        return every.of(keep)


@dataclass(frozen=True, slots=True)
class Settled:
    """Arrays with one entry a reading; see `Findings`."""

    rows: Rows
    numbers: I64
    kinds: I64
    scores: F64
    amounts: F64
    since_ms: I64
    found_ms: I64

    def of(self, which: Rows) -> "Settled":
        """Some of them."""
        return Settled(*(getattr(self, name)[which] for name in self.__slots__))


def slots(numbers: I64) -> I64:
    """Where the readings of these numbers lie among the recent ones."""
    return numbers % RECENT
