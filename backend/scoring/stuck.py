"""A sensor that repeats one value for longer than it ever does.

How long is too long depends on the device: a coarse resolution repeats values all the time. So the length of its runs is
followed: how often runs reach 1, 3, 8 and 16 repetitions, and how likely one of that length goes on. A run is told when so many
repetitions are to be expected less than once in many days.
"""

from typing import Final

import numpy as np

from backend.scoring.layout import F64, I64, WINDOW, Rows
from backend.scoring.state import RUN_CLASSES, Table
from backend.scoring.updates import Findings, joins, odd_score
from backend.scoring.verdicts import Kind
from backend.scoring.window import View

#: Expected false alarms in as many readings as a day has seconds.
_PER_DAY: Final = 0.15
_DAY: Final = 86_400.0
#: Readings of a device before it is judged.
_KNOWN: Final = 300
#: What the profile's chance of repetition counts for, in chances; chances before a class is believed.
_PRIOR, _ENOUGH = 20.0, 25.0
#: A sensor that goes on repeating with this chance is never called stuck: nothing tells a stuck one from it.
_CONSTANT: Final = 0.93
_CLASSES: Final = np.array(RUN_CLASSES, dtype=np.float64)
_JOIN: Final = 5.0
#: The limit is set anew every so many readings.
_EVERY: Final = 50


def judge(table: Table, repeats: F64, view: View, findings: Findings) -> None:
    """Follow the runs, note what is stuck, and make the readings the devices' last ones.

    Args:
        table: Of the shard.
        repeats: Chance of repetition of each sensor, by code.
        view: One new reading each.
        findings: Gets what was found.
    """
    d = view.d
    same = (view.v == table.last[d]) & (view.number > 0)
    run = table.run[d]
    ended = ~same & (run >= RUN_CLASSES[0])
    if ended.any():
        _learn(table, d[ended], run[ended])
    due = (view.number >= _KNOWN) & (view.number % _EVERY == 0)
    if due.any():
        _set_limit(table, d[due], repeats)
    run = np.where(same, run + 1, 0)
    table.run[d] = run
    stuck = same & (run >= table.stuck_from[d]) & (view.number >= _KNOWN) & view.active
    table.run_told[d] = same & (table.run_told[d] | stuck)
    table.last[d], table.last_ms[d] = view.v, view.t
    at = np.flatnonzero(stuck)
    if at.size:
        rows, length = d[at], run[at]
        back = WINDOW - 1 - np.minimum(length, WINDOW - 1)
        begin = table.times[rows, back]
        since = joins(table, rows, Kind.STUCK, view.t[at], begin, _JOIN * view.interval[at])
        score = odd_score(length / table.stuck_from[rows])
        findings.add(rows, view.number[at], Kind.STUCK, score, length.astype(np.float64), since, view.t[at])


def _learn(table: Table, rows: Rows, run: I64) -> None:
    """Take in runs that ended; what was stuck says nothing about the sensor."""
    honest = ~table.run_told[rows]
    lived = np.maximum(run[:, None] - _CLASSES, 0.0) * honest[:, None]
    reached = (run[:, None] >= _CLASSES) & honest[:, None]
    table.reached[rows] += reached
    table.tried[rows] += lived + reached
    table.lasted[rows] += lived


def _set_limit(table: Table, rows: Rows, repeats: F64) -> None:
    """From where on a run is too long, by the class that says the most."""
    # The run that goes on counts too: a sensor that hardly ever moves is known by it.
    going = np.where(table.run_told[rows], 0, table.run[rows])[:, None]
    lived = np.maximum(going - _CLASSES, 0.0)
    tried = table.tried[rows] + lived
    chance = (table.lasted[rows] + lived + _PRIOR * repeats[table.sensor[rows]][:, None]) / (tried + _PRIOR)
    rate = (table.reached[rows] + 1.0) / (table.count[rows] + 100.0)[:, None]
    needed = _CLASSES + np.log(np.maximum(rate * _DAY / _PER_DAY, 1.0)) / -np.log(np.minimum(chance, 0.9999))
    believed = (tried >= _ENOUGH) | (_CLASSES[0] == _CLASSES)
    hopeless = believed & (chance > _CONSTANT)
    limit = np.ceil(np.where(believed, needed, 0.0).max(axis=1))
    table.stuck_from[rows] = np.where(hopeless.any(axis=1), 1e9, limit)
