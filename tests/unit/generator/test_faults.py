"""Ground truth against values: the same fleet is run with and without faults, and every difference must stand in the log."""

import itertools
from collections import defaultdict

import numpy as np
import pytest
from pydantic import ValidationError

from backend.contract.devices import DEVICE_TYPES
from backend.generator.faultlog import FaultEvent, FaultLog
from backend.generator.faultplan import FaultPlan
from backend.generator.faults import EVENT_KINDS, Faults, FaultState, Measured
from backend.generator.signals import Signals

START_MS = 1_790_000_000_000


class Rig:
    """A fleet that measures every second."""

    def __init__(self, plan: dict[str, object], n: int = 40, seed: int = 3) -> None:
        self.ids = [f"d{i}" for i in range(n)]
        self.signals = Signals.build(seed, self.ids, [i % 4 for i in range(n)])
        self.log = FaultLog()
        self.faults = Faults(log=self.log, plan=FaultPlan.model_validate(plan))
        self.faults.state = FaultState.build(n)
        self.rows, self.now_ms = np.arange(n), START_MS

    def step(self) -> Measured:
        sensed = self.signals.sample(self.rows, self.now_ms)
        measured = self.faults.apply(self.signals, self.rows, self.ids, sensed, self.now_ms, 1000)
        self.now_ms += 1000
        return measured

    def run(self, steps: int) -> list[Measured]:
        return [self.step() for _ in range(steps)]

    def touched(self, events: list[FaultEvent], steps: int) -> np.ndarray:
        """Shape (steps, devices): which readings the log says are touched."""
        times = START_MS + np.arange(steps) * 1000
        result = np.zeros((steps, len(self.ids)), dtype=bool)
        for e in events:
            result[:, self.ids.index(e.device_id)] |= (times >= e.start_ms) & (times < e.end_ms)
        return result


def values(measured: list[Measured]) -> np.ndarray:
    return np.array([m.values for m in measured])


def test_without_faults_nothing_is_touched() -> None:
    rig = Rig({})
    for measured in rig.run(20):
        assert measured.sent.all()
        assert not measured.active.any()
        assert not measured.late_ms.any()
        assert not measured.copy_ms.any()
    assert rig.log.after(0) == []


def test_spikes_displace_by_their_magnitude_exactly_where_the_log_says() -> None:
    clean, rig = Rig({}), Rig({"spike": {"share": 0.1, "magnitude": 20, "duration_s": 3}})
    expected, got = values(clean.run(300)), values(rig.run(300))
    events = rig.log.after(0)
    touched = rig.touched(events, 300)
    assert len(events) > 100
    np.testing.assert_array_equal(expected != got, touched)
    moved = np.abs(got - expected)
    size = np.broadcast_to(20 * rig.signals.noise, moved.shape)
    inside = touched & (expected > 1) & (expected < 99)  # away from where humidity is clamped
    np.testing.assert_allclose(moved[inside], size[inside], atol=1.01 * rig.signals.resolution.max())
    by_device = defaultdict(list)
    for e in events:
        by_device[e.device_id].append(e)
        at = (e.start_ms - START_MS) // 1000
        device = rig.ids.index(e.device_id)
        assert np.sign(got[at, device] - expected[at, device]) == np.sign(e.magnitude)
    for own in by_device.values():
        assert all(a.end_ms <= b.start_ms for a, b in itertools.pairwise(own))


def test_drift_grows_by_its_magnitude_a_minute() -> None:
    clean, rig = Rig({}, n=8), Rig({"drift": {"share": 1.0, "magnitude": 30, "duration_s": 600}}, n=8)
    expected, got = values(clean.run(120)), values(rig.run(120))
    first = {e.device_id: e for e in reversed(rig.log.after(0))}
    for i, name in enumerate(rig.ids):
        e = first[name]
        seconds = min(e.end_ms - START_MS, 120_000) // 1000 - 1
        if seconds < 60:
            continue
        want = np.sign(e.magnitude) * 30 * rig.signals.noise[i] * seconds / 60
        assert got[seconds, i] - expected[seconds, i] == pytest.approx(want, abs=1.01 * rig.signals.resolution[i])


def test_a_stuck_device_repeats_what_it_said_last() -> None:
    clean, rig = Rig({}), Rig({"stuck": {"share": 0.2, "duration_s": 30}})
    expected, got = values(clean.run(200)), values(rig.run(200))
    touched = rig.touched(rig.log.after(0), 200)
    assert 0.1 < touched.mean() < 0.3
    np.testing.assert_array_equal(got[~touched], expected[~touched])
    follows = touched[1:]
    np.testing.assert_array_equal(got[1:][follows], got[:-1][follows])


def test_a_device_that_drops_out_is_silent_exactly_where_the_log_says() -> None:
    rig = Rig({"dropout": {"share": 0.3, "duration_s": 10}})
    silent = np.array([~m.sent for m in rig.run(200)])
    np.testing.assert_array_equal(silent, rig.touched(rig.log.after(0), 200))


@pytest.mark.parametrize("kind", EVENT_KINDS)
@pytest.mark.parametrize("duration_s", [0.5, 20.0, 300.0])
def test_the_share_holds_at_any_time(kind: str, duration_s: float) -> None:
    rig = Rig({kind: {"share": 0.2, "magnitude": 5, "duration_s": duration_s}}, n=1000)
    column = EVENT_KINDS.index(kind)
    shares = np.array([m.active[:, column].mean() for m in rig.run(200)])
    assert abs(shares[:5].mean() - 0.2) < 0.05  # from the first reading on
    assert abs(shares[-100:].mean() - 0.2) < 0.04


def test_late_and_duplicate_hit_their_share_of_readings_and_are_logged() -> None:
    rig = Rig({"late": {"share": 0.1, "magnitude": 7}, "duplicate": {"share": 0.05, "duration_s": 0.5}}, n=400)
    measured = rig.run(50)
    late, copies = np.array([m.late_ms for m in measured]), np.array([m.copy_ms for m in measured])
    times = (START_MS + np.arange(50) * 1000)[:, None]
    assert abs((late > 0).mean() - 0.1) < 0.01
    assert abs((copies > 0).mean() - 0.05) < 0.01
    assert set((late - times)[late > 0].tolist()) == {7000}
    assert set((copies - times)[copies > 0].tolist()) == {500, 7500}  # a late reading's copy comes after it
    logged = {(e.kind, e.device_id, e.start_ms, e.end_ms) for e in rig.log.after(0)}
    seen = {("late", f"d{d}", START_MS + s * 1000, int(late[s, d])) for s, d in zip(*np.nonzero(late), strict=True)}
    seen |= {("duplicate", f"d{d}", START_MS + s * 1000, int(copies[s, d])) for s, d in zip(*np.nonzero(copies), strict=True)}
    assert logged == seen


def test_a_silent_device_is_neither_late_nor_doubled() -> None:
    rig = Rig({"dropout": {"share": 1}, "late": {"share": 1}, "duplicate": {"share": 1}})
    (measured,) = rig.run(1)
    assert not measured.sent.any()
    assert not measured.late_ms.any()
    assert not measured.copy_ms.any()


def test_the_seed_makes_the_faults() -> None:
    def events(seed: int) -> list[FaultEvent]:
        rig = Rig({"seed": seed, "spike": {"share": 0.1}, "late": {"share": 0.1}})
        rig.run(50)
        return rig.log.after(0)

    assert events(1) == events(1)
    assert events(1) != events(2)


def test_faulty_values_stay_acceptable() -> None:
    rig = Rig({"spike": {"share": 1, "magnitude": 1e6}})
    got = values(rig.run(3))
    for i in range(len(rig.ids)):
        kind = DEVICE_TYPES[i % 4]
        assert ((got[:, i] >= kind.minimum) & (got[:, i] <= kind.maximum)).all()


def test_switching_off_ends_the_events_in_the_log_too() -> None:
    clean, rig = Rig({}), Rig({"spike": {"share": 0.5, "magnitude": 20, "duration_s": 1000}})
    expected, got = values(clean.run(30)), values(rig.run(20))
    running = rig.faults.running(rig.now_ms)["spike"]
    assert running > 0
    before = len(rig.log.after(0))
    rig.faults.configure(FaultPlan(), rig.signals, rig.ids, rig.now_ms)
    assert len(rig.log.after(before)) == running
    got = np.concatenate((got, values(rig.run(10))))
    last = {(e.device_id, e.kind, e.start_ms): e for e in rig.log.after(0)}
    np.testing.assert_array_equal(expected != got, rig.touched(list(last.values()), 30))


def test_changing_one_kind_leaves_the_others_going() -> None:
    rig = Rig({"stuck": {"share": 0.5, "duration_s": 1000}})
    rig.run(5)
    before, n = rig.faults.running(rig.now_ms), len(rig.log.after(0))
    plan = FaultPlan.model_validate({"stuck": {"share": 0.5, "duration_s": 1000}, "late": {"share": 0.1}})
    rig.faults.configure(plan, rig.signals, rig.ids, rig.now_ms)
    assert rig.faults.running(rig.now_ms) == before
    assert len(rig.log.after(0)) == n


def test_the_events_of_a_device_that_leaves_end() -> None:
    rig = Rig({"dropout": {"share": 1, "duration_s": 1000}}, n=3)
    rig.step()
    rig.faults.leave(np.array([1]), rig.signals, rig.ids, rig.now_ms)
    (event,) = rig.log.after(3)
    assert (event.device_id, event.end_ms) == ("d1", rig.now_ms)


@pytest.mark.parametrize(
    "plan",
    [
        {"spike": {"share": 1.1}},
        {"spike": {"share": -0.1}},
        {"spike": {"share": True}},
        {"spike": {"share": "0.5"}},
        {"spike": {}},
        {"spike": {"share": float("nan")}},
        {"drift": {"share": 0.1, "magnitude": -1}},
        {"drift": {"share": 0.1, "magnitude": float("inf")}},
        {"stuck": {"share": 0.1, "duration_s": 0}},
        {"late": {"share": 0.1, "magnitude": 3601}},
        {"spikes": {"share": 0.1}},
        {"seed": -1},
        {"seed": 1.5},
    ],
)
def test_bad_plans_are_refused(plan: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FaultPlan.model_validate(plan)
