"""How each sensor moves: daily cycle, slow noise, offset and resolution of its own, rest and activity of a heart.

value = base + daily and half-daily waves + weather shared by all barometers + Ornstein–Uhlenbeck process + heart activity
        + white noise, then rounded to the sensor's resolution and kept within the accepted limits.

Everything is a function of (seed, device id, times of the readings). No I/O; vectorised over devices.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from backend.contract.devices import BAROMETER, DEVICE_TYPES, HEART_RATE_METER
from backend.generator.columns import F64, I8, I64, U64, Bool, Columns, Rows
from backend.generator.noise import device_keys, normals, uniform

_DAY_S: Final = 86_400.0
_HEART: Final = DEVICE_TYPES.index(HEART_RATE_METER)
_BAROMETER: Final = DEVICE_TYPES.index(BAROMETER)

# Streams of random numbers; each use has its own.
_S_STEP, _S_START, _S_PARAMETERS, _S_ACTIVITY = 0, 1, 100, 200

# One row a type, in the order of DEVICE_TYPES: thermostat, barometer, hygrometer, heart rate meter.
_BASE: Final = np.array([21.0, 1008.0, 48.0, 66.0])
_BASE_SPREAD: Final = np.array([2.0, 12.0, 9.0, 9.0])
_DAILY: Final = np.array([1.8, 0.4, 5.0, 0.0])  # amplitude of the daily wave
_DAILY_PEAK_S: Final = np.array([15.5, 10.0, 5.0, 0.0]) * 3600.0  # time of day, UTC; humid when it is cool
_HALF_DAILY: Final = np.array([0.0, 0.9, 0.0, 0.0])  # the atmospheric tide
_SLOW_SIGMA: Final = np.array([0.35, 1.2, 1.6, 2.2])
_SLOW_TAU_S: Final = np.array([1800.0, 21_600.0, 2700.0, 45.0])
_WHITE: Final = np.array([0.06, 0.08, 0.25, 0.8])
#: A device has one of these resolutions.
_RESOLUTIONS: Final = np.array([[0.1, 0.1, 0.01], [0.1, 0.01, 0.01], [0.1, 0.5, 0.1], [1.0, 1.0, 1.0]])
_MINIMUM: Final = np.array([t.minimum for t in DEVICE_TYPES])
_MAXIMUM: Final = np.array([t.maximum for t in DEVICE_TYPES])

#: Fronts that pass over all barometers: amplitude in hPa, period in days, phase in turns.
_WEATHER: Final = ((4.5, 7.7, 0.1), (3.0, 4.1, 0.6), (1.8, 2.3, 0.3))

# The heart: a part of a day is a sequence of stretches of rest, walking or exercise; the rate follows with a lag.
_STRETCH_S: Final = (420.0, 1200.0)
_LIGHT_FROM, _EXERCISE_FROM = 0.66, 0.92  # shares of stretches spent at rest, then walking, then exercising
_RISE_TAU_S, _FALL_TAU_S = 25.0, 70.0
_SLEEP: Final = -8.0  # beats/min
_BREATH_S, _BREATH_AMPLITUDE = 4.3, 1.5


@dataclass
class Signals(Columns):
    """State and parameters of the sensors; each field has one entry a device.

    Attributes:
        keys: Random keys.
        kind: Index of the type in DEVICE_TYPES.
        base, daily, daily_peak_s, half_daily, slow_sigma, slow_tau_s, white, resolution, stretch_s: Parameters.
        noise: Short-term noise of what it reports, white noise and rounding together, in the sensor's unit.
        slow: State of the Ornstein–Uhlenbeck process, in the sensor's unit.
        activity: State of the heart's activity, beats/min above rest.
        last_ms: Time of the newest reading, epoch ms; 0 before the first.
    """

    keys: U64
    kind: I8
    base: F64
    daily: F64
    daily_peak_s: F64
    half_daily: F64
    slow_sigma: F64
    slow_tau_s: F64
    white: F64
    resolution: F64
    stretch_s: F64
    noise: F64
    slow: F64
    activity: F64
    last_ms: I64

    @classmethod
    def build(cls, seed: int, device_ids: Sequence[str], kinds: npt.ArrayLike) -> "Signals":
        """Sensors for these devices.

        Args:
            seed: Of the signals.
            device_ids: n ids.
            kinds: n indexes into DEVICE_TYPES.
        """
        keys = device_keys(seed, device_ids)
        kind = np.asarray(kinds, dtype=np.int8)

        def draw(stream: int, low: float = 0.0, high: float = 1.0) -> F64:
            return low + (high - low) * uniform(keys, 0, _S_PARAMETERS + stream)

        white = _WHITE[kind] * draw(0, 0.7, 1.5)
        resolution = _RESOLUTIONS[kind, (draw(1) * _RESOLUTIONS.shape[1]).astype(np.intp)]
        slow_sigma = _SLOW_SIGMA[kind] * draw(2, 0.7, 1.3)
        return cls(
            keys=keys,
            kind=kind,
            base=_BASE[kind] + _BASE_SPREAD[kind] * draw(3, -1.0, 1.0),
            daily=_DAILY[kind] * draw(4, 0.6, 1.4),
            daily_peak_s=_DAILY_PEAK_S[kind] + draw(5, -3600.0, 3600.0),
            half_daily=_HALF_DAILY[kind] * draw(6, 0.8, 1.2),
            slow_sigma=slow_sigma,
            slow_tau_s=_SLOW_TAU_S[kind] * draw(7, 0.7, 1.4),
            white=white,
            resolution=resolution,
            stretch_s=draw(8, *_STRETCH_S),
            noise=np.hypot(white, resolution / np.sqrt(12.0)),
            slow=slow_sigma * normals(keys, 0, _S_START)[0],
            activity=np.zeros(len(keys)),
            last_ms=np.zeros(len(keys), dtype=np.int64),
        )

    def sample(self, rows: Rows, at_ms: int) -> F64:
        """What the sensors at `rows` sense at `at_ms` (epoch ms), before rounding. Moves their state on to that time."""
        seconds = at_ms / 1000.0
        keys, kind = self.keys[rows], self.kind[rows]
        last_ms = self.last_ms[rows]
        fresh = last_ms == 0
        dt_s = np.where(fresh, 0, np.maximum(at_ms - last_ms, 0)) / 1000.0
        self.last_ms[rows] = at_ms

        white, step = normals(keys, at_ms, _S_STEP)
        decay = np.exp(-dt_s / self.slow_tau_s[rows])
        slow = decay * self.slow[rows] + self.slow_sigma[rows] * np.sqrt(1.0 - decay * decay) * step
        self.slow[rows] = slow

        turn = 2.0 * np.pi * (seconds - self.daily_peak_s[rows]) / _DAY_S
        value: F64 = self.base[rows] + slow + self.white[rows] * white
        value += self.daily[rows] * np.cos(turn) + self.half_daily[rows] * np.cos(2.0 * turn)
        value += np.where(kind == _BAROMETER, _weather(seconds), 0.0)
        hearts = np.flatnonzero(kind == _HEART)
        if hearts.size:
            value[hearts] += self._heart(rows[hearts], seconds, dt_s[hearts], fresh[hearts])
        return value

    def _heart(self, rows: Rows, seconds: float, dt_s: F64, fresh: Bool) -> F64:
        """Beats/min above the resting rate."""
        keys = self.keys[rows]
        stretch = (seconds / self.stretch_s[rows] + uniform(keys, 0, _S_ACTIVITY)).astype(np.int64)
        choice, strength = uniform(keys, stretch, _S_ACTIVITY + 1), uniform(keys, stretch, _S_ACTIVITY + 2)
        target = np.where(choice < _LIGHT_FROM, 6.0 * strength, 15.0 + 20.0 * strength)
        target = np.where(choice >= _EXERCISE_FROM, 45.0 + 45.0 * strength, target)
        # People go to bed at different times: daily_peak_s is uniform over two hours here.
        hour = (seconds - self.daily_peak_s[rows]) % _DAY_S / 3600.0
        target = np.where((hour >= 23.0) | (hour < 6.5), _SLEEP, target)
        before = np.where(fresh, target, self.activity[rows])
        tau_s = np.where(target > before, _RISE_TAU_S, _FALL_TAU_S)
        activity: F64 = target + (before - target) * np.exp(-dt_s / tau_s)
        self.activity[rows] = activity
        breath: F64 = _BREATH_AMPLITUDE * np.sin(2.0 * np.pi * (seconds / _BREATH_S + uniform(keys, 0, _S_ACTIVITY + 3)))
        return activity + breath

    def report(self, rows: Rows, sensed: F64) -> F64:
        """What the sensors say for what they sense: rounded to their resolution, within the limits that paai accepts."""
        resolution, kind = self.resolution[rows], self.kind[rows]
        rounded = np.round(np.rint(sensed / resolution) * resolution, 4)  # 4 decimals: 21.4, not 21.400000000000002
        clipped: F64 = np.clip(rounded, _MINIMUM[kind], _MAXIMUM[kind])
        return clipped


def _weather(seconds: float) -> float:
    turns = ((amplitude, seconds / (_DAY_S * days) + phase) for amplitude, days, phase in _WEATHER)
    return sum(amplitude * float(np.sin(2.0 * np.pi * turn)) for amplitude, turn in turns)
