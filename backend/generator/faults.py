"""Faults as they happen: which devices misbehave at a reading's time, and what that does to the reading.

Spike, drift, stuck and dropout are events of a device: it is healthy for a random time, misbehaves for `duration_s`, and so
on, such that `share` of all devices misbehave at any time, from the first reading on. Late and duplicate are drawn for each
reading. Every event goes into the log. Deterministic from (plan seed, device, times of the readings); vectorised over devices.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from backend.contract.devices import DEVICE_TYPES
from backend.generator.columns import F64, I64, U64, Bool, Columns, Rows
from backend.generator.faultlog import FaultLog
from backend.generator.faultplan import FAULT_KINDS, Fault, FaultKind, FaultPlan
from backend.generator.noise import derived_keys, uniform
from backend.generator.signals import Signals

#: Kinds that are events of a device, in the order in which they act on the value.
EVENT_KINDS: Final[tuple[FaultKind, ...]] = ("spike", "drift", "stuck", "dropout")
_SPIKE, _DRIFT, _STUCK, _DROPOUT = range(4)
_LATE_STREAM, _DUPLICATE_STREAM = 101, 102


@dataclass
class FaultState(Columns):
    """What goes on at each device; two-dimensional fields have one column for each of EVENT_KINDS.

    Attributes:
        until_ms: End of the running or last event; 0 where there was none.
        start_ms: Its start.
        sign: Its direction, −1 or 1.
        untried: No reading since this kind was switched on.
        frozen: What a stuck device says.
        last: What the device said last; NaN before its first reading.
    """

    until_ms: I64
    start_ms: I64
    sign: F64
    untried: Bool
    frozen: F64
    last: F64

    @classmethod
    def build(cls, n: int) -> "FaultState":
        """Healthy devices."""
        shape = (n, len(EVENT_KINDS))
        return cls(
            until_ms=np.zeros(shape, dtype=np.int64),
            start_ms=np.zeros(shape, dtype=np.int64),
            sign=np.ones(shape),
            untried=np.ones(shape, dtype=np.bool_),
            frozen=np.full(n, np.nan),
            last=np.full(n, np.nan),
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """Readings of one moment; all arrays have one entry a device asked for.

    Attributes:
        values: What is reported, in the sensor's unit.
        active: Shape (devices, 4): which of EVENT_KINDS go on.
        late_ms: When to send instead, epoch ms; 0 = at once.
        copy_ms: When to send a second time, epoch ms; 0 = not.
    """

    values: F64
    active: Bool
    late_ms: I64
    copy_ms: I64

    @property
    def sent(self) -> Bool:
        """False where the device says nothing."""
        return ~self.active[:, _DROPOUT]


class Faults:
    """Injects the plan's faults into a fleet's readings."""

    def __init__(self, *, log: FaultLog, plan: FaultPlan | None = None) -> None:
        self.log = log
        self.plan = plan or FaultPlan()
        self.state = FaultState.build(0)

    def configure(self, plan: FaultPlan, signals: Signals, device_ids: Sequence[str], now_ms: int) -> None:
        """Follow another plan from now on. Events of kinds whose settings stay go on; the others end now."""
        for column, kind in enumerate(EVENT_KINDS):
            if plan.seed != self.plan.seed or plan.of(kind) != self.plan.of(kind):
                self._cut(column, np.arange(len(self.state)), signals, device_ids, now_ms)
                self.state.untried[:, column] = True
        self.plan = plan

    def leave(self, rows: Rows, signals: Signals, device_ids: Sequence[str], now_ms: int) -> None:
        """The devices at `rows` are about to go: their events end now."""
        for column in range(len(EVENT_KINDS)):
            self._cut(column, rows, signals, device_ids, now_ms)

    def running(self, now_ms: int) -> dict[str, int]:
        """How many devices misbehave now, by kind."""
        counts = np.count_nonzero(self.state.until_ms > now_ms, axis=0)
        return {kind: int(count) for kind, count in zip(EVENT_KINDS, counts, strict=True)}

    def apply(
        self, signals: Signals, rows: Rows, device_ids: Sequence[str], sensed: F64, at_ms: int, interval_ms: int
    ) -> Measured:
        """What the devices report of what they sensed.

        Args:
            signals: Of the fleet.
            rows: The n devices that are due.
            device_ids: Of the whole fleet.
            sensed: n values before rounding.
            at_ms: Time of the readings, epoch ms.
            interval_ms: Between two readings of a device.
        """
        state, n = self.state, len(rows)
        active = np.zeros((n, len(EVENT_KINDS)), dtype=np.bool_)
        nothing = np.zeros(n, dtype=np.int64)
        if not any(self.plan.of(kind) for kind in FAULT_KINDS):
            values = signals.report(rows, sensed)
            state.last[rows] = values
            return Measured(values, active, nothing, nothing)

        keys = derived_keys(signals.keys[rows], self.plan.seed)
        noise, value = signals.noise[rows], sensed.copy()
        for column, kind in enumerate(EVENT_KINDS):
            fault = self.plan.of(kind)
            if fault is None:
                continue
            on, begins = self._events(column, fault, keys, rows, at_ms, interval_ms)
            active[:, column] = on
            sign = state.sign[rows, column]
            if column == _SPIKE:
                value += np.where(on, sign * fault.magnitude * noise, 0.0)
            elif column == _DRIFT:
                minutes = (at_ms - state.start_ms[rows, column]) / 60_000.0
                value += np.where(on, sign * fault.magnitude * noise * minutes, 0.0)
            elif column == _STUCK and begins.size:
                before = state.last[rows[begins]]
                fallback = signals.report(rows[begins], value[begins])
                state.frozen[rows[begins]] = np.where(np.isnan(before), fallback, before)
            self._log(column, fault, rows[begins], signals, device_ids)
        values = np.where(active[:, _STUCK], state.frozen[rows], signals.report(rows, value))
        state.last[rows] = values

        talks = ~active[:, _DROPOUT]
        late, duplicate = self.plan.of("late"), self.plan.of("duplicate")
        late_ms = _hit(late, late.magnitude if late else 0.0, uniform(keys, at_ms, _LATE_STREAM), talks, at_ms)
        copy_draw = uniform(keys, at_ms, _DUPLICATE_STREAM)
        copy_ms = _hit(duplicate, duplicate.duration_s if duplicate else 0.0, copy_draw, talks, at_ms)
        copy_ms += np.where((late_ms > 0) & (copy_ms > 0), late_ms - at_ms, 0)  # the copy comes after its original
        for kind, fault, sent_ms in (("late", late, late_ms), ("duplicate", duplicate, copy_ms)):
            if fault is not None:
                for i in np.flatnonzero(sent_ms):
                    row = int(rows[i])
                    sensor = DEVICE_TYPES[signals.kind[row]].sensor
                    self.log.add(device_ids[row], sensor, kind, at_ms, int(sent_ms[i]), fault.magnitude)
        return Measured(values, active, late_ms, copy_ms)

    def _events(self, column: int, fault: Fault, keys: U64, rows: Rows, at_ms: int, interval_ms: int) -> tuple[Bool, Rows]:
        """Which devices misbehave now, and the positions in `rows` of those that begin to."""
        state = self.state
        on: Bool = state.until_ms[rows, column] > at_ms
        untried = state.untried[rows, column]
        # An event covers m readings, a healthy stretch (1-p)/p of them on average: share = m / (m + (1-p)/p).
        readings = max(1, math.ceil(fault.duration_s * 1000.0 / interval_ms))
        chance = 1.0 / (1.0 + readings * (1.0 - fault.share) / fault.share)
        draw = uniform(keys, at_ms, 3 * column)
        begins = np.flatnonzero(~on & (draw < np.where(untried, fault.share, chance)))
        state.untried[rows, column] = False
        if begins.size:
            # The first ones are in the middle of it, else all that begin together would end together.
            part = np.where(untried[begins], uniform(keys[begins], at_ms, 3 * column + 1), 1.0)
            duration_ms = np.maximum(np.rint(part * fault.duration_s * 1000.0), 1.0).astype(np.int64)
            target = rows[begins]
            state.start_ms[target, column] = at_ms
            state.until_ms[target, column] = at_ms + duration_ms
            state.sign[target, column] = np.where(uniform(keys[begins], at_ms, 3 * column + 2) < 0.5, -1.0, 1.0)
            on[begins] = True
        return on, begins

    def _log(self, column: int, fault: Fault, rows: Rows, signals: Signals, device_ids: Sequence[str]) -> None:
        for row in rows.tolist():
            self._enter(column, fault, row, signals, device_ids, int(self.state.until_ms[row, column]))

    def _enter(self, column: int, fault: Fault, row: int, signals: Signals, device_ids: Sequence[str], end_ms: int) -> None:
        sign = float(self.state.sign[row, column]) if column in (_SPIKE, _DRIFT) else 1.0
        sensor = DEVICE_TYPES[signals.kind[row]].sensor
        start_ms = int(self.state.start_ms[row, column])
        self.log.add(device_ids[row], sensor, EVENT_KINDS[column], start_ms, end_ms, sign * fault.magnitude)

    def _cut(self, column: int, rows: Rows, signals: Signals, device_ids: Sequence[str], now_ms: int) -> None:
        fault = self.plan.of(EVENT_KINDS[column])
        if fault is None:
            return
        for row in rows[self.state.until_ms[rows, column] > now_ms].tolist():
            end_ms = max(now_ms, int(self.state.start_ms[row, column]) + 1)
            self._enter(column, fault, row, signals, device_ids, end_ms)
            self.state.until_ms[row, column] = end_ms


def _hit(fault: Fault | None, delay_s: float, draw: F64, talks: Bool, at_ms: int) -> I64:
    """When to send the readings that are hit, epoch ms; 0 for the others."""
    if fault is None:
        return np.zeros(len(draw), dtype=np.int64)
    hit = talks & (draw < fault.share)
    return np.where(hit, at_ms + max(1, round(delay_s * 1000.0)), 0).astype(np.int64)
