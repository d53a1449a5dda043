"""Readings that came again with another value: the last value counts, and the reading is not scored again."""

import numpy as np

from backend.scoring.layout import I64, RECENT, WINDOW, Rows
from backend.scoring.state import Table
from backend.scoring.verdicts import Verdicts


class Corrections:
    """Those of one batch, entered while its readings are taken.

    Args:
        table: Of the shard.
        verdicts: Of the batch; owns its `value`.
        numbers: Of the batch's readings, as far as they were taken.
        first: How many readings each one's device had before the batch.
    """

    def __init__(self, table: Table, verdicts: Verdicts, numbers: I64, first: I64) -> None:
        self._table, self._verdicts, self._numbers, self._first = table, verdicts, numbers, first
        self._old: list[tuple[int, int]] = []

    def take(self, again: Rows) -> None:
        """Take in readings that came again, of distinct devices; those with another value get the amount 1.

        Args:
            again: Their places in the batch.
        """
        table, verdicts = self._table, self._verdicts
        for place in again.tolist():
            row, t_ms, value = int(verdicts.device[place]), verdicts.t_ms[place], verdicts.value[place]
            newest = int(table.count[row]) - 1
            here = np.flatnonzero((verdicts.device == row) & (verdicts.t_ms == t_ms) & (self._numbers >= 0))
            if here.size:
                number, told = int(self._numbers[here[0]]), verdicts.value[here[0]]
            else:
                slot = np.flatnonzero(table.recent_ms[row] == t_ms)
                if not slot.size:
                    continue
                before = int(self._first[place]) - 1
                number, told = before - (before - int(slot[0])) % RECENT, table.recent_value[row, slot[0]]
            later = newest - number  # readings since
            if told == value or later >= RECENT:
                continue
            verdicts.amount[place] = 1.0
            if here.size:
                verdicts.value[here[0]] = value
            else:
                table.recent_value[row, slot[0]] = value
                self._old.append((row, int(slot[0])))
            if later == 0:
                table.last[row] = value
            # Beyond the last gap the window does not hold the values themselves.
            if later < min(int(table.joined[row]), WINDOW):
                table.window[row, WINDOW - 1 - later] = value

    def revised(self) -> tuple[Rows, Rows]:
        """Rows and slots of corrected readings of earlier batches."""
        rows = np.array(self._old, dtype=np.intp).reshape(-1, 2)
        return rows[:, 0], rows[:, 1]
