"""The engine as a whole: the same verdicts however a history is cut, and what it finds."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.scoring.engine import Engine
from backend.scoring.layout import F64, SENSOR_CODES
from backend.scoring.profile import SensorProfile
from backend.scoring.state import ShardState
from backend.scoring.verdicts import Kind, Silence, Verdicts
from tests.helpers.series import START_MS, Arrivals, fleet, profile, wander

PROFILES = {name: profile(name) for name in ("temperature", "humidity")}
FIELDS = ("expected", "lower", "upper", "score", "kind", "amount", "since_ms", "found_ms", "gap_s", "value")


class Stub:
    """A forecaster whose answer depends on every feature."""

    def predict(self, sensor: str, rows: F64) -> F64:
        middle = np.tanh(rows).sum(axis=1) / 20.0 + (sensor == "humidity") * 0.01
        return np.stack((middle, middle - 1.5, middle + 1.5), axis=1)


Result = tuple[list[list[float]], set[Silence], ShardState]


def score(
    arrivals: Arrivals, cuts: Sequence[int], *, stored: bool = False, profiles: dict[str, SensorProfile] = PROFILES
) -> Result:
    """Final verdicts in the order of arrival, silences, the state at the end."""
    engine = Engine(profiles, forecaster=Stub())
    table: list[list[float]] = []
    where: dict[tuple[int, int], int] = {}
    silences: list[Silence] = []

    def enter(verdicts: Verdicts, i: int) -> list[float]:
        return [float(getattr(verdicts, name)[i]) for name in FIELDS]

    edges = [0, *sorted(set(cuts)), len(arrivals)]
    for a, b in pairwise(edges):
        if stored:
            engine = Engine(profiles, forecaster=Stub(), state=ShardState.from_bytes(engine.state.to_bytes()))
        scored = engine.score(*arrivals.part(a, b))
        for i in range(b - a):
            if scored.verdicts.kind[i] not in (Kind.LATE, Kind.DUPLICATE):
                where.setdefault((int(scored.verdicts.device[i]), int(scored.verdicts.t_ms[i])), len(table))
            table.append(enter(scored.verdicts, i))
        for i in range(len(scored.revised)):
            row = where[int(scored.revised.device[i]), int(scored.revised.t_ms[i])]
            gap = table[row][FIELDS.index("gap_s")]
            table[row] = enter(scored.revised, i)
            table[row][FIELDS.index("gap_s")] = gap
        silences += scored.silences
    assert len(set(silences)) == len(silences)
    return table, set(silences), engine.state


ARRIVALS = fleet(5, devices=4, seconds=420)
WHOLE = score(ARRIVALS, [])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(1, len(ARRIVALS) - 1), max_size=25), st.booleans())
def test_verdicts_do_not_depend_on_how_the_history_is_cut(cuts: list[int], stored: bool) -> None:
    assert_same(score(ARRIVALS, cuts, stored=stored), WHOLE)


def test_one_reading_at_a_time_gives_the_same_too() -> None:
    assert_same(score(ARRIVALS, range(1, len(ARRIVALS))), WHOLE)


def assert_same(found: Result, whole: Result) -> None:
    np.testing.assert_allclose(np.array(found[0]), np.array(whole[0]), rtol=0, atol=1e-8, equal_nan=True)
    assert found[1] == whole[1]
    assert found[2].clock_ms == whole[2].clock_ms
    assert (found[2].pause_ms, found[2].senders) == (whole[2].pause_ms, whole[2].senders)
    np.testing.assert_array_equal(found[2].fleet, whole[2].fleet)


def paused(arrivals: Arrivals, after_ms: int, length_ms: int) -> Arrivals:
    """Nobody sends for a while; then all go on."""
    later = np.where(arrivals.t_ms > after_ms, length_ms, 0)
    return Arrivals(arrivals.ids, arrivals.sensors, arrivals.t_ms + later, arrivals.values)


HEALTHY = fleet(6, devices=4, seconds=420)
#: In the middle of a second, at a time when nobody is silent.
PAUSE_AT = START_MS + 390_020
PAUSED = paused(HEALTHY, PAUSE_AT, 60_000)
PAUSED_WHOLE = score(PAUSED, [])


def test_while_the_whole_stream_stands_no_device_is_silent() -> None:
    assert all(s.since_ms < PAUSE_AT - 10_000 for s in PAUSED_WHOLE[1])
    assert {s.device for s in PAUSED_WHOLE[1]} == {s.device for s in score(HEALTHY, [])[1]}
    long_gap = [row[FIELDS.index("gap_s")] for row in PAUSED_WHOLE[0] if row[FIELDS.index("gap_s")] > 30]
    assert long_gap == []


def test_a_device_that_does_not_come_back_with_the_stream_is_silent() -> None:
    gone = np.array([(i == "device-2") and t > PAUSE_AT for i, t in zip(PAUSED.ids, PAUSED.t_ms.tolist(), strict=True)])
    rest = np.flatnonzero(~gone)
    without = Arrivals([PAUSED.ids[i] for i in rest], PAUSED.sensors[rest], PAUSED.t_ms[rest], PAUSED.values[rest])
    new = score(without, [])[1] - PAUSED_WHOLE[1]
    assert [s.device for s in new] == [2]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(1, len(PAUSED) - 1), max_size=25), st.booleans())
def test_a_pause_does_not_depend_on_how_the_history_is_cut(cuts: list[int], stored: bool) -> None:
    assert_same(score(PAUSED, cuts, stored=stored), PAUSED_WHOLE)


def test_what_comes_later_never_changes_what_was_expected() -> None:
    half = len(ARRIVALS) // 2
    changed = Arrivals(ARRIVALS.ids, ARRIVALS.sensors, ARRIVALS.t_ms, ARRIVALS.values.copy())
    changed.values[half:] = 55.0
    expected = slice(0, FIELDS.index("upper") + 1)

    table, _, _ = score(changed, [])

    np.testing.assert_array_equal(
        np.array([row[expected] for row in table[:half]]), np.array([row[expected] for row in WHOLE[0][:half]])
    )


def test_every_kind_of_fault_is_found() -> None:
    kinds = {int(row[FIELDS.index("kind")]) for row in WHOLE[0]}

    assert kinds == {Kind.NONE, Kind.SPIKE, Kind.DRIFT, Kind.STUCK, Kind.LATE, Kind.DUPLICATE}
    assert {s.device for s in WHOLE[1]} == {1, 3}


def one(values: F64, *, sensor: str = "temperature", step_ms: int = 1000) -> Arrivals:
    n = len(values)
    codes = np.full(n, SENSOR_CODES[sensor], dtype=np.int8)
    return Arrivals(["d"] * n, codes, START_MS + np.arange(n, dtype=np.int64) * step_ms, values)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_spike_is_told_at_its_reading_with_its_height(sign: float) -> None:
    values = wander(3, 400)
    values[300] += sign * 9.0

    table, _, _ = score(one(values), [])

    odd = [i for i, row in enumerate(table) if row[FIELDS.index("kind")]]
    assert odd == [300]
    assert table[300][FIELDS.index("amount")] == pytest.approx(sign * 9.0, abs=3.0)
    assert table[300][FIELDS.index("score")] >= 0.5
    assert table[300][FIELDS.index("since_ms")] == START_MS + 300_000


def test_a_jump_that_stays_is_a_shift_and_no_spike() -> None:
    values = wander(4, 500)
    values[300:] += 10.0

    table, _, _ = score(one(values), [])

    odd = {i: int(row[FIELDS.index("kind")]) for i, row in enumerate(table) if row[FIELDS.index("kind")]}
    assert set(odd.values()) == {Kind.DRIFT}
    assert len(odd) == 2
    assert set(odd) <= {298, 299, 300, 301}


def test_a_constant_sensor_is_never_called_stuck() -> None:
    values = np.full(5000, 21.5)
    values[::700] += 0.1

    table, _, _ = score(one(values), [])

    assert not [row for row in table if row[FIELDS.index("kind")] == Kind.STUCK]


def test_values_that_are_none_leave_no_trace() -> None:
    values = wander(6, 300)
    spoiled = np.insert(values, [50, 51, 200], [np.nan, np.inf, -np.inf])
    arrivals = one(values)
    where = np.insert(np.arange(300), [50, 51, 200], [0, 0, 0])
    with_them = Arrivals(["d"] * 303, np.zeros(303, np.int8), arrivals.t_ms[where], spoiled)

    table, _, _ = score(with_them, [])
    clean, _, _ = score(arrivals, [])

    kept = [row for row, value in zip(table, spoiled, strict=True) if np.isfinite(value)]
    np.testing.assert_array_equal(np.array(kept), np.array(clean))


def test_a_value_that_the_sensor_cannot_measure_is_told_and_forgotten() -> None:
    values = wander(7, 300)
    impossible = values.copy()
    impossible[100] = 5000.0

    table, _, _ = score(one(impossible), [])

    assert table[100][FIELDS.index("kind")] == Kind.LIMIT
    assert not any(row[FIELDS.index("kind")] for row in table[101:])


def test_a_sensor_without_profile_is_judged_by_its_delivery_only() -> None:
    values = wander(8, 300, level=1000.0)
    values[200] += 50.0
    whole = one(values, sensor="pressure")
    heard = np.r_[0:100, 130:300]
    arrivals = Arrivals(["d"] * len(heard), whole.sensors[heard], whole.t_ms[heard], whole.values[heard])

    table, silences, _ = score(arrivals, [], profiles={})

    assert not any(row[FIELDS.index("kind")] for row in table)
    assert len(silences) == 1


def corrected(*, after: int, by: float) -> tuple[Arrivals, int]:
    """One device whose reading 300 comes again with another value, `after` readings later; and where the second one stands."""
    plain = one(wander(11, 340))
    at = 301 + after

    return (
        Arrivals(
            plain.ids[:at] + plain.ids[:1] + plain.ids[at:],
            np.insert(plain.sensors, at, plain.sensors[0]),
            np.insert(plain.t_ms, at, plain.t_ms[300]),
            np.insert(plain.values, at, plain.values[300] + by),
        ),
        at,
    )


@pytest.mark.parametrize("after", [0, 1, 5, 31])
@pytest.mark.parametrize("cuts", [[], [301], [310], list(range(1, 341))])
def test_a_corrected_reading_shows_its_last_value_however_the_history_is_cut(after: int, cuts: list[int]) -> None:
    arrivals, at = corrected(after=after, by=0.5)
    verdicts, _, state = score(arrivals, cuts)

    assert verdicts[300][FIELDS.index("value")] == arrivals.values[300] + 0.5
    assert (verdicts[at][FIELDS.index("kind")], verdicts[at][FIELDS.index("amount")]) == (Kind.DUPLICATE, 1.0)
    assert state.table.count[0] == 340  # it was scored once


def test_a_value_that_is_corrected_at_once_leaves_no_trace() -> None:
    arrivals, at = corrected(after=0, by=0.0)
    arrivals.values[300] += 25.0
    verdicts, _, _ = score(arrivals, [])

    assert [row[FIELDS.index("kind")] for i, row in enumerate(verdicts) if i != at] == [Kind.NONE] * 340


@pytest.mark.parametrize("cuts", [[], [301], list(range(1, 341))])
def test_later_readings_are_judged_by_the_last_value(cuts: list[int]) -> None:
    arrivals, at = corrected(after=0, by=0.0)
    clean = score(arrivals, [])[0]
    arrivals.values[300] += 0.5

    found = score(arrivals, cuts)[0]

    expected = [row[: FIELDS.index("upper") + 1] for row in clean[at + 20 :]]
    np.testing.assert_allclose([row[: FIELDS.index("upper") + 1] for row in found[at + 20 :]], expected, atol=0.3)
