"""How readings arrive: late, twice, or not at all. The shard's clock is the newest time of any reading so far.

While nobody sends, no device is silent: the stream stands, because the system or the fleet was stopped. Such a pause is a jump
of the clock after several devices had sent in turn; where only one or two send, a jump is their silence.
"""

from typing import NamedTuple

import numpy as np

from backend.scoring.layout import F64, I64, Bool, Rows
from backend.scoring.state import ShardState, Table
from backend.scoring.verdicts import Kind, Silence, Verdicts

#: A device is silent after so many of its intervals, and not before so many milliseconds.
_SILENT_INTERVALS, _SILENT_MS = 5.0, 3000.0
#: Readings before a device's interval is believed.
_KNOWN = 8
#: A reading is late when it is behind its device's usual lag by so many milliseconds and by this part of its interval.
_LATE_MS, _LATE_INTERVALS = 2500.0, 0.3
_LAG_RATE = 0.02
#: So many different devices among the senders of the last readings before a jump of the clock make it a pause of the stream.
_SENDERS, _AMONG = 3, 8


class Pauses(NamedTuple):
    """The last pause of the stream at each reading of a batch: begin and end, epoch ms; equal where there was none."""

    begin_ms: I64
    end_ms: I64

    def at(self, places: Rows) -> "Pauses":
        """Those of some readings."""
        return Pauses(self.begin_ms[places], self.end_ms[places])

    def within(self, begin_ms: I64, end_ms: I64) -> I64:
        """How much of begin … end was pause, ms."""
        overlap: I64 = np.minimum(self.end_ms, end_ms) - np.maximum(self.begin_ms, begin_ms)
        return np.maximum(overlap, 0)


def find_pauses(state: ShardState, rows: Rows, t_ms: I64, clock: I64, possible: Bool) -> Pauses:
    """The pauses in a batch, in the order of arrival; the state remembers the last one, and who sent last.

    Args:
        state: Of the shard.
        rows, t_ms: Of the batch.
        clock: The shard's clock before each reading.
        possible: Which readings count.
    """
    places = np.flatnonzero(possible)
    senders = np.r_[np.array(state.senders, dtype=np.intp), rows[places]]
    jumps = np.flatnonzero(t_ms[places] - clock[places] > _SILENT_MS)
    before = len(state.senders) + jumps[:, None] - np.arange(1, _AMONG + 1)
    # -1 where not so many have sent yet; it counts for none.
    last = np.sort(np.where(before >= 0, senders[np.maximum(before, 0)], -1), axis=1)
    different = (np.diff(last, axis=1, prepend=-1) > 0).sum(axis=1)
    at = places[jumps[different >= _SENDERS]]
    begin, end = np.r_[state.pause_ms[0], clock[at]], np.r_[state.pause_ms[1], t_ms[at]]
    state.pause_ms, state.senders = (int(begin[-1]), int(end[-1])), senders[-_AMONG:].tolist()
    latest = np.searchsorted(at, np.arange(len(rows)), side="right")
    return Pauses(begin[latest], end[latest])


def clock_before(state: ShardState, t_ms: I64, possible: Bool) -> I64:
    """The shard's clock before each reading; moves the state's clock on past all of them."""
    times = np.where(possible, t_ms, state.clock_ms)
    after = np.maximum.accumulate(np.r_[state.clock_ms, times])
    state.clock_ms = int(after[-1])
    clock: I64 = after[:-1]
    return clock


def _patience_ms(table: Table, d: Rows) -> F64:
    patience: F64 = np.maximum(_SILENT_INTERVALS * table.interval_ms[d], _SILENT_MS)
    return np.ceil(patience)


def take(
    table: Table,
    places: Rows,
    rows: Rows,
    t_ms: I64,
    clock: I64,
    pauses: Pauses,
    verdicts: Verdicts,
    silences: list[Silence],
) -> Rows:
    """Judge the delivery of one reading of each device.

    Args:
        table: Of the shard.
        places: Of the readings in the batch.
        rows, t_ms, clock, pauses: Of the whole batch.
        verdicts, silences: Get what was found.

    Returns:
        Places of those that are new; the others came late or twice and say nothing more.
    """
    d, t = rows[places], t_ms[places]
    known = table.count[d] > 0
    gap = t - table.last_ms[d]
    now = np.maximum(clock[places], t)
    lag = now - t
    interval, trusted = table.interval_ms[d], table.count[d] >= _KNOWN

    patience, paused = _patience_ms(table, d), pauses.at(places)
    quiet = now - table.heard_ms[d] - paused.within(table.heard_ms[d], now)
    alone = gap - paused.within(table.last_ms[d], t)
    silent = trusted & ~table.silent[d] & (np.maximum(alone, quiet) > patience)
    silences.extend(_silence(table, int(d[k]), int(patience[k])) for k in np.flatnonzero(silent).tolist())
    ended = trusted & (alone > patience)
    verdicts.gap_s[places[ended]] = gap[ended] / 1000.0
    table.heard_ms[d] = now
    table.silent[d] = False

    old = known & (gap <= 0)
    twice = old & (table.times[d] == t[:, None]).any(axis=1)
    behind = lag - table.lag_ms[d]
    late = ~twice & (old | (trusted & (behind > np.maximum(_LATE_MS, _LATE_INTERVALS * interval))))
    # Whether a repeated reading has another value is for `corrections` to say.
    for kind, which, amount in ((Kind.LATE, late, lag / 1000.0), (Kind.DUPLICATE, twice, np.zeros(len(d)))):
        at = places[which]
        verdicts.kind[at], verdicts.score[at] = kind, 0.5
        verdicts.amount[at], verdicts.since_ms[at], verdicts.found_ms[at] = amount[which], t[which], now[which]
    fresh = ~old
    step = np.where(table.count[d] == 0, lag, table.lag_ms[d] + _LAG_RATE * (lag - table.lag_ms[d]))
    table.lag_ms[d[fresh]] = step[fresh]
    return places[fresh]


def sweep(state: ShardState, silences: list[Silence]) -> None:
    """Find the devices that have been silent up to now."""
    table, n = state.table, len(state)
    everyone, heard = np.arange(n, dtype=np.intp), table.heard_ms[:n]
    begin_ms, end_ms, now = np.array([[*state.pause_ms, state.clock_ms]], dtype=np.int64).T
    quiet = now - heard - Pauses(begin_ms, end_ms).within(heard, now) > _patience_ms(table, everyone)
    for row in np.flatnonzero(quiet & ~table.silent[:n] & (table.count[:n] >= _KNOWN)).tolist():
        table.silent[row] = True
        silences.append(_silence(table, row, int(_patience_ms(table, everyone[row : row + 1])[0])))


def _silence(table: Table, row: int, patience_ms: int) -> Silence:
    last = int(table.last_ms[row])
    table.event_from[row, Kind.DROPOUT], table.event_to[row, Kind.DROPOUT] = last, last + patience_ms
    return Silence(row, last + patience_ms, last, float(table.interval_ms[row]) / 1000.0)
