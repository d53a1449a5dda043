"""Single readings, and bursts of a few, that stick out of what comes before and after them.

A reading is looked at again when `EARLY` and when `FINAL` more have come: what came after tells a spike from the begin of a new
level, and makes the estimate of what it should have been better by a fifth and more.
"""

from typing import Final

import numpy as np

from backend.scoring.layout import (
    BURST,
    BURSTS,
    EARLY,
    F64,
    FINAL,
    I64,
    JUMP_PART,
    SPIKE,
    SPIKE_EARLY,
    STEP,
    STEP_COLUMNS,
    WINDOW,
    Rows,
)
from backend.scoring.state import Table
from backend.scoring.updates import Findings, joins, odd_score
from backend.scoring.verdicts import Kind
from backend.scoring.window import Profiles, View

#: Readings before a suspect that must follow each other without a gap.
_BEFORE: Final = 8
#: Spikes closer than so many intervals are one event.
_JOIN: Final = 6.0
_JUMP_PARTS: Final = np.where(np.arange(STEP) < BURST, JUMP_PART, 1.0)


def judge(table: Table, profiles: Profiles, view: View, findings: Findings) -> None:
    """Look at the readings `EARLY` and `FINAL` ago."""
    code = table.sensor[view.d]
    limits, strength = profiles.limits[code], profiles.strength[code]
    size = np.abs(view.z)
    ratio = size[:, :STEP] / limits[:, :STEP]
    table.spiked[view.d] += 1
    if not (ratio[:, SPIKE_EARLY:] > 1.0).any():
        return
    # What a jump explains better is none.
    jump = size[:, STEP_COLUMNS].max(axis=1)[:, None] * _JUMP_PARTS
    odd = view.active[:, None] & (ratio > 1.0) & (size[:, :STEP] > jump)

    at = np.flatnonzero(odd[:, SPIKE_EARLY] & (view.joined > EARLY + _BEFORE))
    if at.size:
        height = view.raw[at, SPIKE_EARLY] / strength[at, SPIKE_EARLY]
        _tell(table, view, at, EARLY, 1, ratio[at, SPIKE_EARLY], height, findings)

    best = size[:, SPIKE:STEP].argmax(axis=1) + SPIKE
    for column in range(SPIKE, STEP):
        length = 1 if column == SPIKE else BURSTS[column - BURST]
        at = np.flatnonzero(odd[:, column] & (best == column) & (view.joined > FINAL + length + _BEFORE))
        if at.size:
            height = view.raw[at, column] / strength[at, column]
            _tell(table, view, at, FINAL, length, ratio[at, column], height, findings)


def _tell(table: Table, view: View, at: Rows, lag: int, length: int, ratio: F64, height: F64, findings: Findings) -> None:
    """The readings from `lag` back on, `length` of them, stick out by `height`. Takes that out of the windows."""
    rows = view.d[at]
    last, first = WINDOW - 1 - lag, WINDOW - lag - length
    table.window[rows, first : last + 1] -= height[:, None]
    end: I64 = table.times[rows, last]
    since = joins(table, rows, Kind.SPIKE, end, table.times[rows, first], _JOIN * view.interval[at])
    score = odd_score(np.maximum(ratio, 1.0))
    for back in range(lag, lag + length):
        findings.add(rows, view.number[at] - back, Kind.SPIKE, score, height, since, view.t[at])
    table.spiked[rows] = 0
