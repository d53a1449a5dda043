"""The detector on one unseen series, causally: what is said of a reading uses nothing that comes later than its verdict.

The profile is learnt from the beginning of the series, and anew as its past has doubled. Three detectors share the work:
the engine of the fleet (spikes, bursts, jumps, drifts, stuck values), the distance from the usual range, and courses that never
occurred before. Each one's limit follows the tail of its own past.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from backend.contract.times import to_iso
from backend.predictor.series.read import TimedValues
from backend.predictor.series.shapes import distances, period_of
from backend.scoring import learn
from backend.scoring.engine import Engine
from backend.scoring.errors import ProfileError
from backend.scoring.layout import F64, I8, SENSOR_CODES, SETTLED, STATISTICS, WINDOW, Bool, Rows
from backend.scoring.profile import SensorProfile
from backend.scoring.reasons import reason, severity
from backend.scoring.updates import odd_score
from backend.scoring.verdicts import Kind

_SENSOR: Final = "custom"
#: Part of the series that is only learnt from, and its bounds in readings.
_PROBATION, _LEAST, _MOST = 0.15, 200, 5000
#: False alarms are budgeted for so many readings rather than for a day of seconds: a series is short.
_BUDGET_READINGS: Final = 6000.0
_CHUNK: Final = 500
#: The profile is learnt anew when the past has doubled; beyond so many readings when there is four times as much.
_SLOWER: Final = 40_000
#: Readings of a block, and how many before it fill the windows and after it settle its last verdicts; blocks at once.
_BLOCK, _BEFORE, _AFTER, _BLOCKS = 2000, 1000, SETTLED + 8, 200
#: What was in so many windows of the past is usual; how far beyond it something unusual begins. An event is in two at most.
_TIMES, _BEYOND = 4, 1.2
#: The most that a reading scores that is no anomaly.
_UNMARKED: Final = 0.49
#: Outside of this the values are rescaled.
_TINY, _HUGE = 1e-4, 1e9
#: Past distances that a limit is taken from.
_TAIL: Final = 50_000
#: Readings that the usual range is taken from.
_RANGE: Final = 2000
_DELIVERY: Final = (Kind.LATE, Kind.DUPLICATE, Kind.DROPOUT)


@dataclass(frozen=True)
class Detected:
    """One entry a reading.

    Attributes:
        series: The readings.
        score: 0 … 1.
        kind: A `Kind`; delivery is not judged.
        amount: As of the verdicts.
        since_ms: Begin of the event.
        found_ms: When it was known.
        begin: First reading that was judged.
        note: Why nothing could be learnt, or empty.
    """

    series: TimedValues
    score: F64
    kind: I8
    amount: F64
    since_ms: np.typing.NDArray[np.int64]
    found_ms: np.typing.NDArray[np.int64]
    begin: int
    note: str

    @property
    def odd(self) -> Bool:
        """Which readings are anomalies."""
        return self.kind > 0


def detect(series: TimedValues, *, report: Callable[[float], None] = lambda _: None) -> Detected:
    """Judge every reading after the probation."""
    n = len(series.values)
    begin = min(max(int(_PROBATION * n), _LEAST), _MOST, n)
    score, kind, amount = np.zeros(n), np.zeros(n, dtype=np.int8), np.zeros(n)
    since, found = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    result = Detected(series, score, kind, amount, since, found, begin, "")
    if n <= begin:
        note = f"{n} readings are too few: the first {begin} are only learnt from."
        return Detected(series, score, kind, amount, since, found, begin, note)
    # Values far from 1 would meet the floors and ceilings of numbers; by the beginning, since nothing else is known.
    size = float(np.max(np.abs(series.values[:begin] - np.median(series.values[:begin]))))
    unit = 1.0 if size == 0.0 or _TINY < size < _HUGE else size
    result = replace(result, series=replace(series, values=series.values / unit))
    note = _by_engine(result, report)
    _add(
        result,
        _range_ratio(result.series.values, begin),
        Kind.SPIKE,
        result.series.values - _running_median(result.series.values),
    )
    length = period_of(result.series.values[:begin])
    # Before a whole cycle is past, everything is a new course; that is no measure of what is usual.
    course = distances(result.series.values, length, begin=max(begin // 2, 3 * length))
    shape = _tail_ratio(course, begin, apart=max(WINDOW, 2 * length))
    _add(result, shape, Kind.SHAPE, np.zeros(n), reach=length)
    kind[:begin], score[:begin] = 0, 0.0
    _drop_usual(result)
    amount[np.isin(kind, (Kind.SPIKE, Kind.DRIFT))] *= unit
    return Detected(series, score, kind, amount, since, found, begin, note)


def _by_engine(result: Detected, report: Callable[[float], None]) -> str:
    n, a = len(result.series.values), result.begin
    profile: SensorProfile | None = None
    note = ""
    while a < n:
        try:
            profile, note = _learn(result.series, a), ""
            b = min(n, a * (2 if a < _SLOWER else 4))
        except ProfileError as error:
            note = str(error)
            b = min(n, a + max(_CHUNK, a // 4))
        if profile is not None:
            for first in range(a, b, _BLOCKS * _BLOCK):
                _score(result, profile, first, min(first + _BLOCKS * _BLOCK, b))
                report(first / n)
        a = b
    report(1.0)
    return note


def _score(result: Detected, profile: SensorProfile, a: int, b: int) -> None:
    """The readings a … b by one profile, in blocks that the engine takes for devices: it works on all of them at once."""
    series, engine = result.series, Engine({_SENSOR: profile})
    starts = np.arange(a, b, _BLOCK)
    place, block = _laid_out(starts, b, len(series.values))
    code = np.full(len(place), SENSOR_CODES[_SENSOR], dtype=np.int8)
    verdicts = engine.score([str(i) for i in block.tolist()], code, series.t_ms[place], series.values[place]).verdicts
    mine = (place >= starts[block]) & (place < np.minimum(starts[block] + _BLOCK, b)) & ~np.isin(verdicts.kind, _DELIVERY)
    at = place[mine]
    result.score[at], result.kind[at], result.amount[at] = verdicts.score[mine], verdicts.kind[mine], verdicts.amount[mine]
    result.since_ms[at], result.found_ms[at] = verdicts.since_ms[mine], verdicts.found_ms[mine]


def _laid_out(starts: Rows, end: int, n: int) -> tuple[Rows, Rows]:
    """Blocks with what comes before each, and after it, one after the other: places in the series, and number of the block."""
    parts = [np.arange(max(0, s - _BEFORE), min(min(s + _BLOCK, end) + _AFTER, n)) for s in starts.tolist()]
    return np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(p) for p in parts])


def _learn(series: TimedValues, until: int) -> SensorProfile:
    """A profile from the past, with limits by the tails of its own statistics there."""
    first = max(0, until - 20_000)
    t_ms, values = series.t_ms[first:until], series.values[first:until]
    cuts = np.flatnonzero(np.diff(t_ms) > 2.5 * series.interval_ms) + 1
    profile = learn.learn_profile(_SENSOR, np.split(values, cuts))
    engine = Engine({_SENSOR: profile}, explain=True)
    starts = np.arange(0, len(values), _BLOCK)
    place, block = _laid_out(starts, len(values), len(values))
    code = np.full(len(place), SENSOR_CODES[_SENSOR], dtype=np.int8)
    statistics = engine.score([str(i) for i in block.tolist()], code, t_ms[place], values[place]).statistics
    assert statistics is not None  # noqa: S101 - the engine explains
    mine = (place >= starts[block]) & (place < starts[block] + _BLOCK)
    return _usual(learn.calibrate(profile, statistics[mine], per_readings=_BUDGET_READINGS), statistics[mine])


def _usual(profile: SensorProfile, statistics: F64) -> SensorProfile:
    """Limits beyond what came several times: a step each morning is no anomaly."""
    whole = len(statistics) // WINDOW
    if whole <= _TIMES:
        return profile
    sizes = np.nan_to_num(np.abs(statistics[-whole * WINDOW :])).reshape(whole, WINDOW, -1).max(axis=1)
    again = _BEYOND * np.sort(sizes, axis=0)[-_TIMES]
    limits = np.maximum(profile.limits, again[:STATISTICS])
    return replace(profile, limits=limits, ramp_limits=np.maximum(profile.ramp_limits, again[STATISTICS:]))


def _running_median(values: F64) -> F64:
    """Median of the last readings before each one, renewed now and then."""
    result = np.full(len(values), np.nan)
    for a in range(0, len(values), 50):
        past = values[max(0, a - _RANGE) : a]
        result[a : a + 50] = np.median(past) if past.size else values[0]
    return result


def _range_ratio(values: F64, begin: int) -> F64:
    """How far each reading is outside the usual range, as a multiple of its limit."""
    distance = np.zeros(len(values))
    for a in range(50, len(values), 50):
        past = values[max(0, a - _RANGE) : a]
        low, middle, high = np.quantile(past, (0.005, 0.5, 0.995))
        width = max(high - middle, middle - low, 1e-12 + 1e-9 * abs(middle))
        distance[a : a + 50] = np.abs(values[a : a + 50] - middle) / width
    return _tail_ratio(distance, begin)


def _tail_ratio(distance: F64, begin: int, *, apart: int = WINDOW) -> F64:
    """Distances as multiples of the limit that the tail of their own past gives; 0 where there is none.

    Args:
        distance: Of each reading; NaN where there is none.
        begin: First reading that is judged.
        apart: One event is in no more than two stretches of so many readings.
    """
    result = np.zeros(len(distance))
    for a in range(begin, len(distance), _CHUNK):
        b = min(a + _CHUNK, len(distance))
        past = distance[max(0, a - _TAIL) : a]
        past = past[np.isfinite(past)]
        if len(past) < 50:
            continue
        middle = float(np.median(past))
        spread = 1.4826 * float(np.median(np.abs(past - middle)))
        spread = spread if spread > 0 else float(np.std(past)) or 1.0
        # Half as far again as the far end of its past, at least six times its spread.
        far = float(np.quantile(past, 0.999)) - middle
        # And beyond what came several times.
        whole = len(past) // apart
        again = np.sort(past[-whole * apart :].reshape(whole, apart).max(axis=1))[-_TIMES] if whole > _TIMES else middle
        limit = max(6.0 * spread, 1.5 * far, _BEYOND * (float(again) - middle))
        result[a:b] = np.nan_to_num(np.maximum(distance[a:b] - middle, 0.0) / limit)
    return result


def _add(result: Detected, ratio: F64, kind: Kind, amount: F64, *, reach: int = 1) -> None:
    """Let another detector have its say: where it is surer than the others it gives the verdict."""
    score = odd_score(ratio)
    score[ratio < 1.0] = np.minimum(score[ratio < 1.0], _UNMARKED)
    surer = score > result.score
    times = result.series.t_ms
    result.score[surer] = score[surer]
    told = surer & (ratio >= 1.0)
    result.kind[told], result.amount[told] = kind, amount[told]
    place = np.flatnonzero(told)
    result.since_ms[place] = times[np.maximum(place - reach + 1, 0)]
    result.found_ms[place] = times[place]


def _drop_usual(result: Detected) -> None:
    """Take back what was said several times before of something as large: it is how this series is.

    Where spikes are usual and come at random, no limit that is learnt from time to time is right in between.
    """
    for kind in np.unique(result.kind[result.odd]).tolist():
        said = np.flatnonzero(result.kind == kind)
        amount = np.abs(result.amount[said])
        size = np.where(amount > 0.0, amount, result.score[said])
        largest: list[float] = []  # of the events before this one, smallest first
        this, last = 0.0, -WINDOW
        for place, mine in zip(said.tolist(), size.tolist(), strict=True):
            if place - last >= WINDOW:
                if last >= 0:
                    largest = sorted([*largest, this])[-_TIMES:]
                this = 0.0
            this, last = max(this, mine), place
            if len(largest) == _TIMES and mine <= _BEYOND * largest[0]:
                result.kind[place], result.score[place] = 0, min(float(result.score[place]), _UNMARKED)


def event(result: Detected, first: int, last: int) -> dict[str, Any]:
    """One detection for people and JSON: the readings first … last."""
    best = first + int(np.argmax(result.score[first : last + 1]))
    kind = Kind(int(result.kind[best]))
    series = result.series
    text = reason(
        kind,
        sensor=SENSOR_CODES[_SENSOR],
        value=float(series.values[best]),
        expected=float("nan"),
        amount=float(result.amount[best]),
        since_ms=int(result.since_ms[best]),
        t_ms=int(series.t_ms[best]),
    )
    return {
        "start": to_iso(int(series.t_ms[first])),
        "end": to_iso(int(series.t_ms[last])),
        "found": to_iso(int(result.found_ms[first : last + 1].min())),
        "score": round(float(result.score[best]), 4),
        "kind": kind.name.lower(),
        "severity": severity(kind, float(result.score[best])),
        "reason": text,
    }
