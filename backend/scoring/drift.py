"""Levels that move: slowly (a ramp in the means of blocks of readings), or at once and for good (a jump that stays).

A drifting sensor shows as a ramp when it drifts fast or long enough, and as a jump back when the drift ends.
"""

from typing import Final

import numpy as np

from backend.scoring.layout import BLOCK, BLOCKS, F64, FINAL, RAMPS, SETTLED, SHIFT, WINDOW, Rows
from backend.scoring.state import Table
from backend.scoring.updates import Findings, joins, odd_score
from backend.scoring.verdicts import Kind
from backend.scoring.window import Profiles, View

#: Readings since a gap, a spike, another jump, before a jump is believed.
_JOINED, _CALM, _PAUSE = SETTLED + 10, 24, 32
#: A ramp goes on while it is this part of its limit.
_GOES_ON: Final = 0.8
#: Drifts closer than so many intervals are one event.
_JOIN: Final = 600.0
_MEMORY, _PRIOR, _CLIP, _CLIPPED = 300.0, 40.0, 3.0, 0.9950
#: Blocks before a ramp that must be there.
_BEFORE: Final = 3
_LENGTHS: Final = np.array(RAMPS)


def judge(table: Table, profiles: Profiles, view: View, findings: Findings) -> None:
    """Look for jumps and ramps that end now."""
    table.shifted[view.d] += 1
    _jumps(table, profiles, view, findings)
    _fill_blocks(table, profiles, view)
    ramp = table.ramp[view.d]
    at = np.flatnonzero(view.active & (ramp >= 1.0))
    if at.size:
        rows = view.d[at]
        since = joins(table, rows, Kind.DRIFT, view.t[at], table.ramp_ms[rows], _JOIN * view.interval[at])
        findings.add(rows, view.number[at], Kind.DRIFT, odd_score(ramp[at]), table.ramp_size[rows], since, view.t[at])


def _jumps(table: Table, profiles: Profiles, view: View, findings: Findings) -> None:
    limit = profiles.limits[table.sensor[view.d], SHIFT]
    ratio = np.abs(view.z[:, SHIFT]) / limit
    calm = (view.joined >= _JOINED) & (table.spiked[view.d] > _CALM) & (table.shifted[view.d] > _PAUSE)
    at = np.flatnonzero(view.active & calm & (ratio > 1.0) & (table.run[view.d] < FINAL))
    if not at.size:
        return
    rows = view.d[at]
    place, height = _locate(table.window[rows])
    before = table.times[rows, place - 1]
    joins(table, rows, Kind.DRIFT, before, before, _JOIN * view.interval[at])
    since = joins(table, rows, Kind.DRIFT, table.times[rows, place], before, _JOIN * view.interval[at])
    for shift in (1, 0):  # the last reading on the old level and the first on the new one
        number = view.number[at] - (WINDOW - 1 - (place - shift))
        findings.add(rows, number, Kind.DRIFT, odd_score(ratio[at]), height, since, view.t[at])
    table.shifted[rows] = 0
    table.block_count[rows] = 0
    table.block_n[rows], table.block_sum[rows] = 0, 0.0
    table.ramp[rows] = 0.0


def _locate(window: F64) -> tuple[Rows, F64]:
    """Where in each window the level jumps, and by how much."""
    places = range(WINDOW - SETTLED - 8, WINDOW - 5)
    heights = np.stack([window[:, p:].mean(axis=1) - window[:, p - 12 : p].mean(axis=1) for p in places], axis=1)
    # The mean of m readings is worth the square root of m of them.
    worth = np.abs(heights) / np.sqrt(np.array([1.0 / (WINDOW - p) + 1.0 / 12.0 for p in places]))
    best = worth.argmax(axis=1)
    return best + places.start, heights[np.arange(len(window)), best]


def _fill_blocks(table: Table, profiles: Profiles, view: View) -> None:
    """Blocks take in readings `FINAL` late, when spikes are out of them."""
    d = view.d
    value = table.window[d, WINDOW - 1 - FINAL]
    counted = table.block_n[d] + 1
    total = table.block_sum[d] + value
    full = np.flatnonzero((counted == BLOCK) & view.active)
    table.block_n[d] = np.where(counted >= BLOCK, 0, counted)
    table.block_sum[d] = np.where(counted >= BLOCK, 0.0, total)
    if not full.size:
        return
    rows = d[full]
    mean = total[full] / BLOCK
    blocks = table.blocks[rows]
    new = table.block_count[rows] == 0
    blocks[new] = mean[new, None]
    blocks[:, :-1] = blocks[:, 1:]
    blocks[:, -1] = mean
    table.blocks[rows] = blocks
    count = table.block_count[rows] + 1
    table.block_count[rows] = count
    code = table.sensor[rows]
    raw = profiles.apply(profiles.ramp_filters, blocks, code)
    power = table.block_power[rows]
    z = raw / np.sqrt(power)
    there = count[:, None] >= _LENGTHS + _BEFORE
    rate = there / (np.minimum(count, _MEMORY) + _PRIOR)[:, None]
    power += rate * (np.minimum(np.square(raw), _CLIP**2 * power) / _CLIPPED - power)
    table.block_power[rows] = power
    limit = profiles.ramp_limits[code]
    ratio = np.where(there, np.abs(z) / limit, 0.0)
    best = ratio.argmax(axis=1)
    each = np.arange(len(rows))
    strongest = ratio[each, best]
    went_on = (table.ramp[rows] >= 1.0) & (strongest >= _GOES_ON)
    table.ramp[rows] = np.where(went_on, np.maximum(strongest, 1.0), strongest)
    slope = raw[each, best] / profiles.ramp_strength[code, best]
    table.ramp_size[rows] = slope * _LENGTHS[best]
    table.ramp_ms[rows] = view.t[full] - (_LENGTHS[best] * BLOCK * view.interval[full]).astype(np.int64)
    view.ramp_rows, view.ramp_statistics = full, np.where(there, z, np.nan)


def block_means(values: F64) -> F64:
    """The means of the whole blocks in a series, as `judge` makes them."""
    n = len(values) // BLOCK
    means: F64 = values[: n * BLOCK].reshape(n, BLOCK).mean(axis=1)
    return means[-max(n, BLOCKS) :]
