"""The window of each device's last readings, and the profiles' statistics on it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backend.scoring.layout import (
    BLOCKS,
    F64,
    I64,
    RAMPS,
    SENSOR_CODES,
    SENSOR_NAMES,
    STATISTICS,
    WINDOW,
    Bool,
    Rows,
)
from backend.scoring.profile import SensorProfile
from backend.scoring.state import Table

#: A pause longer than this many intervals breaks the window.
_PAUSE = 2.5
#: Readings whose statistics make up a device's noise, and how many the profile's own counts for.
_MEMORY, _PRIOR = 1500.0, 60.0
#: Larger ones count as this many times normal: an anomaly must not teach that it is normal.
_CLIP = 3.0
#: Mean square of a standard normal that is clipped there.
_CLIPPED = 0.9950
#: Repetitions from which on a run may be a stuck sensor, which says nothing about the noise.
_QUIET_RUN = 8
_LEAST = 1e-9
#: Windows that are multiplied at once: few enough for BLAS to stay on one thread. On a machine that has other things to do,
#: threads that wait for each other take a hundred times longer.
_ROWS = 200


class Profiles:
    """Profiles of all sensors as arrays by sensor code.

    Attributes:
        known: Sensors that have one.
    """

    def __init__(self, profiles: Mapping[str, SensorProfile]) -> None:
        n, r = len(SENSOR_NAMES), len(RAMPS)
        self.known = frozenset(profiles)
        self.has = np.zeros(n, dtype=np.bool_)
        self.filters = np.zeros((n, WINDOW, STATISTICS))
        self.strength = np.ones((n, STATISTICS))
        self.limits = np.full((n, STATISTICS), np.inf)
        self.noise = np.ones(n)
        self.ramp_filters, self.ramp_strength = np.zeros((n, BLOCKS, r)), np.ones((n, r))
        self.ramp_limits = np.full((n, r), np.inf)
        self.repeats = np.full(n, 0.6)
        for name, profile in profiles.items():
            code = SENSOR_CODES[name]
            self.has[code] = True
            self.filters[code], self.strength[code], self.limits[code] = profile.filters, profile.strength, profile.limits
            self.noise[code], self.repeats[code] = profile.noise, profile.repeats
            self.ramp_filters[code], self.ramp_strength[code] = profile.ramp_filters, profile.ramp_strength
            self.ramp_limits[code] = profile.ramp_limits

    def prepare(self, table: Table, fresh: Rows) -> None:
        """Give new devices the noise that their sensor's profile expects."""
        if fresh.size:
            noise = self.noise[table.sensor[fresh]]
            table.power[fresh] = np.square(noise)[:, None]
            table.block_power[fresh] = np.square(noise)[:, None]

    def apply(self, filters: F64, windows: F64, codes: np.typing.NDArray[np.int8]) -> F64:
        """Windows times the filters of each one's sensor."""
        result = np.zeros((len(windows), filters.shape[2]))
        for code in np.flatnonzero(np.bincount(codes, minlength=len(SENSOR_NAMES))).tolist():
            if self.has[code]:
                of = np.flatnonzero(codes == code)
                for a in range(0, len(of), _ROWS):
                    part = of[a : a + _ROWS]
                    result[part] = windows[part] @ filters[code]
        return result


@dataclass(slots=True)
class View:
    """One new reading of each of n devices, as it lies in their windows.

    Attributes:
        d: Rows of the devices.
        t, v: The readings.
        number: How many readings came before.
        interval: Milliseconds between two readings.
        joined: Readings in the window that follow each other without a gap.
        window: Shape (n, WINDOW).
        raw: Statistics in the sensor's unit, shape (n, STATISTICS).
        scale: Their normal size, in the sensor's unit; the noise of the readings.
        z: raw / scale.
        active: The sensor has a profile.
        ramp_rows, ramp_statistics: Places in the view where a block was completed, and the statistics on ramps.
    """

    d: Rows
    t: I64
    v: F64
    number: I64
    interval: F64
    joined: I64
    window: F64
    raw: F64
    scale: F64
    z: F64
    active: Bool
    ramp_rows: Rows
    ramp_statistics: F64 | None = None


def push(table: Table, profiles: Profiles, d: Rows, t: I64, v: F64) -> View:
    """Take one new reading of each of the devices `d` into its window. `last` and `run` stay those of before."""
    number = table.count[d]
    gap = (t - table.last_ms[d]).astype(np.float64)
    first = number == 0
    interval = _interval(table.interval_ms[d], gap, number)
    table.interval_ms[d] = interval
    last = table.last[d]
    broken = ~first & ((gap > _PAUSE * interval) & (number >= 2) | (table.run_told[d] & (v != last)))
    window = table.window[d]
    window[first] = v[first, None]
    if broken.any():
        window[broken] += (v[broken] - window[broken, -1])[:, None]
    window[:, :-1] = window[:, 1:]
    window[:, -1] = v
    table.window[d] = window
    times = table.times[d]
    times[:, :-1] = times[:, 1:]
    times[:, -1] = t
    table.times[d] = times
    joined = np.where(broken | first, 0, table.joined[d]) + 1
    table.joined[d] = joined
    table.first_ms[d] = np.where(first, t, table.first_ms[d])

    codes = table.sensor[d]
    raw = profiles.apply(profiles.filters, window, codes)
    power = table.power[d]
    scale = np.sqrt(power)
    quiet = (v == last) & (table.run[d] + 1 >= _QUIET_RUN)
    learn = (joined >= WINDOW // 2) & ~quiet
    known = table.known[d]
    rate = learn / (np.minimum(known, _MEMORY) + _PRIOR)
    power += rate[:, None] * (np.minimum(np.square(raw), _CLIP**2 * power) / _CLIPPED - power)
    table.power[d] = np.maximum(power, _LEAST**2)
    table.known[d] = known + learn
    return View(
        d, t, v, number, interval, joined, window, raw, scale, raw / scale, profiles.has[codes], np.empty(0, dtype=np.intp)
    )


def _interval(interval: F64, gap: F64, number: I64) -> F64:
    """The usual pause between two readings: of the first few the shortest, then a slow mean that long pauses do not move."""
    step = 0.05 * np.clip(gap - interval, -0.2 * interval, 0.2 * interval)
    later = interval + np.where(gap < _PAUSE * interval, step, 0.0)
    early = np.where(number == 1, gap, np.minimum(interval, gap))
    result: F64 = np.where(number == 0, 0.0, np.where(number < 8, early, later))
    return result
