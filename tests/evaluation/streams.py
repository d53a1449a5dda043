"""Labelled streams in memory, made by the generator's own signals and faults: what `history` writes, as arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backend.contract.devices import DEVICE_TYPES
from backend.generator.faultlog import FaultEvent, FaultLog
from backend.generator.faultplan import FaultPlan
from backend.generator.faults import Faults, FaultState
from backend.generator.fleet import TAGS, of_type
from backend.generator.signals import Signals
from backend.scoring.layout import F64, I8, I64, SENSOR_CODES, Rows

START_MS = 1_767_225_600_000  # 2026-01-01


@dataclass
class Part:
    """Readings in the order of their arrival.

    Attributes:
        device: Number of the device.
        t_ms, values: The readings.
    """

    device: Rows
    t_ms: I64
    values: F64


@dataclass
class Stream:
    """A fleet of all types with faults, an interval of a second.

    Attributes:
        seed: Of signals and faults.
        per_type: Devices of each type.
        hours: Length.
        plan: The faults, as the generator takes them.
        events: What was injected; complete once the parts were gone through.
        start_ms: First reading.
    """

    seed: int
    per_type: int
    hours: float
    plan: Mapping[str, Any] = field(default_factory=dict)
    events: list[FaultEvent] = field(default_factory=list)
    start_ms: int = START_MS

    def __post_init__(self) -> None:
        members = [m for tag in TAGS for m in of_type(tag, self.per_type)]
        self.ids = [m.device_id for m in members]
        self.kinds = [m.kind for m in members]
        self.sensors: I8 = np.array([SENSOR_CODES[DEVICE_TYPES[k].sensor] for k in self.kinds], dtype=np.int8)
        self.index = {device_id: i for i, device_id in enumerate(self.ids)}

    @property
    def device_days(self) -> float:
        """Length times devices."""
        return self.hours / 24.0 * len(self.ids)

    @property
    def end_ms(self) -> int:
        """After the last reading."""
        return self.start_ms + int(self.hours * 3600) * 1000

    def parts(self, *, seconds: int = 600) -> Iterator[Part]:
        """The stream in parts of so many seconds by arrival."""
        plan = FaultPlan.model_validate(dict(self.plan))
        log = FaultLog(max_events=1_000_000)
        signals = Signals.build(self.seed, self.ids, self.kinds)
        faults = Faults(log=log, plan=plan)
        faults.state = FaultState.build(len(self.ids))
        rows = np.arange(len(self.ids))
        waiting: list[tuple[I64, Rows, I64, F64]] = []
        steps = int(self.hours * 3600)
        for first in range(0, steps, seconds):
            last = min(first + seconds, steps)
            for step in range(first, last):
                at_ms = self.start_ms + step * 1000
                measured = faults.apply(signals, rows, self.ids, signals.sample(rows, at_ms), at_ms, 1000)
                sent = np.flatnonzero(measured.sent)
                late, copy = measured.late_ms[sent], measured.copy_ms[sent]
                arrival = np.where(late > 0, late, at_ms)
                twice = np.flatnonzero(copy > 0)
                device = np.r_[sent, sent[twice]]
                times = np.full(len(device), at_ms, dtype=np.int64)
                waiting.append((np.r_[arrival, copy[twice]], device, times, measured.values[device]))
            self.events += log.drain()
            arrival, device, t_ms, values = (np.concatenate(columns) for columns in zip(*waiting, strict=True))
            order = np.argsort(arrival, kind="stable")
            arrival, device, t_ms, values = arrival[order], device[order], t_ms[order], values[order]
            cut = len(arrival) if last == steps else int(np.searchsorted(arrival, self.start_ms + last * 1000))
            yield Part(device[:cut], t_ms[:cut], values[:cut])
            waiting = [(arrival[cut:], device[cut:], t_ms[cut:], values[cut:])]

    def series(self) -> dict[str, dict[str, tuple[I64, F64]]]:
        """Everything, by sensor and device: a history to train on."""
        parts = list(self.parts())
        device = np.concatenate([p.device for p in parts])
        t_ms, values = np.concatenate([p.t_ms for p in parts]), np.concatenate([p.values for p in parts])
        result: dict[str, dict[str, tuple[I64, F64]]] = {}
        for i, device_id in enumerate(self.ids):
            of = device == i
            sensor = DEVICE_TYPES[self.kinds[i]].sensor
            result.setdefault(sensor, {})[device_id] = (t_ms[of], values[of])
        return result


def drawn_plans(seed: int, count: int) -> list[dict[str, Any]]:
    """Fault plans whose magnitudes and lengths are drawn evenly from what is asked for: spikes of 4–8 noises, drifts of 0.5–2
    noises a minute over 5–15 minutes, stuck and dropout of 10–120 s. A spike is one reading, as the generator makes it.
    """
    random = np.random.default_rng(seed)

    def even(low: float, high: float) -> F64:
        places = (random.permutation(count) + random.random(count)) / count
        return low + (high - low) * places

    columns = zip(even(4, 8), even(0.5, 2), even(300, 900), even(10, 120), even(10, 120), strict=True)
    return [
        {
            "seed": int(random.integers(1, 2**31)),
            "spike": {"share": 0.0008, "magnitude": round(float(spike), 3)},
            "drift": {"share": 0.04, "magnitude": round(float(drift), 3), "duration_s": round(float(drift_s))},
            "stuck": {"share": 0.01, "duration_s": round(float(stuck_s))},
            "dropout": {"share": 0.01, "duration_s": round(float(dropout_s))},
            "late": {"share": 0.0005, "magnitude": 5.0},
            "duplicate": {"share": 0.0005},
        }
        for spike, drift, drift_s, stuck_s, dropout_s in columns
    ]
