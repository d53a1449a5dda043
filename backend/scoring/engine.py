"""Scores batches of readings against a shard's state.

Each device's readings are taken one after the other, all devices at once: round r takes the r-th reading of each device of the
batch. Rounds keep the window, judge by the profile's statistics, and note findings. The forecaster, which needs what rounds saw
but changes nothing for them, is then asked once for the whole batch.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from backend.scoring import delivery, drift, features, spikes, stuck
from backend.scoring.corrections import Corrections
from backend.scoring.fleet import FleetMeans
from backend.scoring.layout import F64, FEATURES, I8, I64, LIMITS, RAMPS, RECENT, SENSOR_NAMES, STATISTICS, Rows
from backend.scoring.profile import SensorProfile
from backend.scoring.state import ShardState, Table
from backend.scoring.updates import Findings, odd_score, slots
from backend.scoring.verdicts import Kind, Scored, Silence, Verdicts
from backend.scoring.window import Profiles, push


class Forecaster(Protocol):
    """What is expected of the next reading, from the features of the ones before."""

    def predict(self, sensor: str, rows: F64) -> F64:
        """Middle, lower and upper quantile of the innovation, in multiples of its normal size.

        Args:
            sensor: Of all rows.
            rows: Shape (n, features).

        Returns:
            Shape (n, 3).
        """
        ...


#: A single reading this many times its normal surprise would be an anomaly, were it not for what follows it.
_SURPRISE = 6.0
#: Score of a reading that no detector found odd stays below 0.5.
_UNREMARKABLE = 0.49


class Engine:
    """Scores a shard. Owned by one thread at a time.

    Attributes:
        state: Devices and what is known about them.
    """

    def __init__(
        self,
        profiles: Mapping[str, SensorProfile],
        *,
        forecaster: Forecaster | None = None,
        state: ShardState | None = None,
        explain: bool = False,
    ) -> None:
        """Args:
        profiles: By sensor. Readings of a sensor without one get delivery verdicts only.
        forecaster: Without it, the profile's own linear forecast and a normal band of 90 % are used.
        state: Goes on from there.
        explain: Give the statistics in each answer.
        """
        self.state = state or ShardState()
        self._profiles = Profiles(profiles)
        self._forecaster, self._explain = forecaster, explain

    def replace(self, profiles: Mapping[str, SensorProfile], forecaster: Forecaster | None) -> None:
        """Go on with another model; what is known about the devices stays."""
        self._profiles, self._forecaster = Profiles(profiles), forecaster

    def score(self, device_ids: Sequence[str], sensors: I8, t_ms: I64, values: F64) -> Scored:
        """Score readings in the order of their arrival.

        Args:
            device_ids: n ids.
            sensors: n codes, see `layout.SENSOR_CODES`.
            t_ms: n times, epoch ms.
            values: n values; one that is not finite says nothing and leaves no trace.
        """
        rows, fresh = self.state.rows(device_ids, np.asarray(sensors).tolist())
        return self.score_rows(rows, fresh, np.asarray(t_ms, dtype=np.int64), np.asarray(values, dtype=np.float64))

    def score_rows(self, rows: Rows, fresh: Rows, t_ms: I64, values: F64) -> Scored:
        """As `score`, for devices whose rows in the state are known. `fresh`: rows that are new."""
        state, table, n = self.state, self.state.table, len(rows)
        self._profiles.prepare(table, fresh)
        verdicts = Verdicts.blank(rows, t_ms, values.copy())  # a correction changes them
        first_number = table.count[rows]
        numbers = np.full(n, -1, dtype=np.int64)
        finite = np.isfinite(values)
        code = table.sensor[rows]
        possible = finite & (values >= LIMITS[code, 0]) & (values <= LIMITS[code, 1])
        impossible = np.flatnonzero(finite & ~possible)
        verdicts.kind[impossible], verdicts.score[impossible] = Kind.LIMIT, 1.0
        verdicts.since_ms[impossible] = verdicts.found_ms[impossible] = t_ms[impossible]
        findings = Findings()
        corrections = Corrections(table, verdicts, numbers, first_number)
        silences: list[Silence] = []
        seen = features.Seen.blank(n, explain=self._explain)
        clock = delivery.clock_before(state, t_ms, possible)
        pauses = delivery.find_pauses(state, rows, t_ms, clock, possible)
        for batch in _rounds(rows, possible):
            new = delivery.take(table, batch, rows, t_ms, clock, pauses, verdicts, silences)
            corrections.take(batch[verdicts.kind[batch] == Kind.DUPLICATE])
            # What is not new remembers how many were before it: -2 - (their number - 1).
            numbers[batch] = -1 - table.count[rows[batch]]
            if new.size:
                d = rows[new]
                numbers[new] = table.count[d]
                self._round(d, new, t_ms[new], values[new], seen, findings)
        delivery.sweep(state, silences)
        fleet = FleetMeans(state.fleet).take(code, t_ms, seen.innovation)
        self._forecast(rows, code, t_ms, seen, fleet, verdicts)
        revised = self._settle(rows, first_number, numbers, findings, corrections, verdicts)
        answer = Scored(verdicts, revised, silences)
        if self._explain:
            answer.features, answer.statistics, answer.scale = seen.features, seen.statistics, seen.scale
        return answer

    def _round(self, d: Rows, i: Rows, t: I64, v: F64, seen: features.Seen, findings: Findings) -> None:
        """One new reading of each of the devices `d`; `i`: their places in the batch."""
        table = self.state.table
        view = push(table, self._profiles, d, t, v)
        features.note(table, view, i, self._profiles, seen)
        stuck.judge(table, self._profiles.repeats, view, findings)
        spikes.judge(table, self._profiles, view, findings)
        drift.judge(table, self._profiles, view, findings)
        if self._explain and view.ramp_statistics is not None:
            seen.statistics[i[view.ramp_rows], STATISTICS : STATISTICS + len(RAMPS)] = view.ramp_statistics
        runs = table.run[d] / table.stuck_from[d]
        seen.suspicion[i] = np.where(view.active, np.minimum(np.maximum(table.ramp[d], runs), 1.0), 0.0)
        table.count[d] += 1

    def _forecast(self, rows: Rows, code: I8, t_ms: I64, seen: features.Seen, fleet: F64, verdicts: Verdicts) -> None:
        """Expected values and bands of the whole batch."""
        seen.features[:, FEATURES.index("fleet")] = fleet
        ready = np.isfinite(seen.linear)
        quantiles = np.empty((len(rows), 3))
        quantiles[:] = 0.0, -1.645, 1.645
        if self._forecaster is not None:
            for sensor in np.unique(code[ready]).tolist():
                if SENSOR_NAMES[sensor] in self._profiles.known:
                    of = np.flatnonzero(ready & (code == sensor) & seen.settled)
                    if of.size:
                        quantiles[of] = self._forecaster.predict(SENSOR_NAMES[sensor], seen.features[of])
        low, high = LIMITS[code, 0], LIMITS[code, 1]
        for column, target in enumerate((verdicts.expected, verdicts.lower, verdicts.upper)):
            target[ready] = np.clip(seen.linear + quantiles[:, column] * seen.scale, low, high)[ready]
        surprise = np.abs(seen.innovation - np.where(seen.settled, quantiles[:, 0], 0.0)) / _SURPRISE
        usual = ready & (verdicts.kind == 0)
        # A suspicion is worth less than the same part of a surprise: it is shared by many readings.
        ratio = np.maximum(np.nan_to_num(surprise), np.square(seen.suspicion))
        verdicts.score[usual] = np.minimum(odd_score(ratio[usual]), _UNREMARKABLE)

    def _settle(
        self, rows: Rows, first: I64, numbers: I64, findings: Findings, corrections: Corrections, verdicts: Verdicts
    ) -> Verdicts:
        """Put findings into this batch's verdicts and into the recent ones of the state; say which old ones changed."""
        table = self.state.table
        places = _Places(rows, numbers)
        found = findings.settled()
        at = places.find(found.rows, found.numbers)
        here = at >= 0
        stronger = here.copy()
        stronger[here] = found.scores[here] >= verdicts.score[at[here]]
        i = at[stronger]
        verdicts.score[i], verdicts.kind[i] = found.scores[stronger], found.kinds[stronger]
        verdicts.amount[i], verdicts.since_ms[i] = found.amounts[stronger], found.since_ms[stronger]
        verdicts.found_ms[i] = found.found_ms[stronger]

        old = ~here & (found.numbers >= 0)
        d, s = found.rows[old], slots(found.numbers[old])
        better = found.scores[old] >= table.recent_score[d, s]
        d, s = d[better], s[better]
        table.recent_score[d, s], table.recent_kind[d, s] = found.scores[old][better], found.kinds[old][better]
        table.recent_amount[d, s], table.recent_since_ms[d, s] = found.amounts[old][better], found.since_ms[old][better]
        table.recent_found_ms[d, s] = found.found_ms[old][better]
        corrected = corrections.revised()
        revised = _recent(table, np.r_[d, corrected[0]], np.r_[s, corrected[1]])

        newest = np.flatnonzero((numbers >= 0) & (numbers >= table.count[rows] - RECENT))
        self._fill_late(rows, first, numbers, places, verdicts)
        d, s = rows[newest], slots(numbers[newest])
        table.recent_ms[d, s], table.recent_value[d, s] = verdicts.t_ms[newest], verdicts.value[newest]
        table.recent_expected[d, s] = verdicts.expected[newest]
        table.recent_lower[d, s], table.recent_upper[d, s] = verdicts.lower[newest], verdicts.upper[newest]
        table.recent_score[d, s], table.recent_kind[d, s] = verdicts.score[newest], verdicts.kind[newest]
        table.recent_amount[d, s], table.recent_since_ms[d, s] = verdicts.amount[newest], verdicts.since_ms[newest]
        table.recent_found_ms[d, s] = verdicts.found_ms[newest]
        return revised

    def _fill_late(self, rows: Rows, first: I64, numbers: I64, places: "_Places", verdicts: Verdicts) -> None:
        """A reading that came late or twice is shown what was expected of the newest reading before it."""
        table = self.state.table
        odd = np.flatnonzero((numbers < 0) & ((verdicts.kind == Kind.LATE) | (verdicts.kind == Kind.DUPLICATE)))
        if not odd.size:
            return
        before = -numbers[odd] - 2  # see `score_rows`
        at = places.find(rows[odd], before)
        d, s = rows[odd], slots(before)
        for name in ("expected", "lower", "upper"):
            target = getattr(verdicts, name)
            target[odd] = np.where(at >= 0, target[at], getattr(table, f"recent_{name}")[d, s])


class _Places:
    """Where in the batch the reading of a device with a number stands."""

    def __init__(self, rows: Rows, numbers: I64) -> None:
        self._at = np.flatnonzero(numbers >= 0)
        keys = _key(rows[self._at], numbers[self._at])
        order = np.argsort(keys, kind="stable")
        self._at, self._keys = self._at[order], keys[order]

    def find(self, rows: Rows, numbers: I64) -> Rows:
        """Places; -1 for readings of earlier batches."""
        if not self._keys.size or not rows.size:
            return np.full(len(rows), -1, dtype=np.intp)
        keys = _key(rows, numbers)
        near = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where((self._keys[near] == keys) & (numbers >= 0), self._at[near], -1)


def _key(rows: Rows, numbers: I64) -> I64:
    return rows.astype(np.int64) * (1 << 40) + numbers


def _recent(table: Table, d: Rows, s: Rows) -> Verdicts:
    return Verdicts(
        d, table.recent_ms[d, s], table.recent_value[d, s], table.recent_expected[d, s], table.recent_lower[d, s],
        table.recent_upper[d, s], table.recent_score[d, s], table.recent_kind[d, s], table.recent_amount[d, s],
        table.recent_since_ms[d, s],
        table.recent_found_ms[d, s], np.zeros(len(d)),
    )  # fmt: skip


def _rounds(rows: Rows, possible: np.typing.NDArray[np.bool_]) -> list[Rows]:
    """Places in the batch, cut so that each part has each device once, in order."""
    places = np.flatnonzero(possible)
    if not places.size:
        return []
    by_device = places[np.argsort(rows[places], kind="stable")]
    of = rows[by_device]
    starts = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])
    rank = np.arange(len(of)) - np.repeat(starts, np.diff(np.r_[starts, len(of)]))
    order = np.argsort(rank, kind="stable")
    cuts = np.flatnonzero(np.diff(rank[order])) + 1
    return [np.sort(part) for part in np.split(by_device[order], cuts)]
