"""Series as public collections have them: servers, taxis, machines, hearts, counters; with labelled windows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from backend.predictor.series.read import TimedValues
from backend.scoring.layout import F64

#: Labelled stretches, first and last place.
Windows = list[tuple[int, int]]
_N: Final = 4032
_DAY: Final = 288


@dataclass(frozen=True)
class Made:
    """A series and what is odd in it; no window means that nothing is."""

    name: str
    series: TimedValues
    windows: Windows


def _made(name: str, values: F64, windows: Windows, *, interval_ms: int = 300_000) -> Made:
    t_ms = 1_396_310_400_000 + interval_ms * np.arange(len(values), dtype=np.int64)
    return Made(name, TimedValues(t_ms, values, 0), windows)


def _office(random: np.random.Generator, n: int = _N) -> F64:
    """High by day, low at night, as artificial server metrics are."""
    hour = np.arange(n) % _DAY
    values: F64 = np.where((hour >= 108) & (hour < 216), 80.0, 20.0) + random.uniform(-8.0, 8.0, n)
    return values


def _around(place: int, width: int = 200) -> tuple[int, int]:
    return place - width // 4, place + width


def daily_jumps_up(random: np.random.Generator) -> Made:
    """A day far higher than all others."""
    values = _office(random)
    values[2988:3096] += 60.0
    return _made("daily, jumps up", values, [_around(2988)])


def daily_jumps_down(random: np.random.Generator) -> Made:
    """A day's middle falls to night."""
    values = _office(random)
    values[3000:3090] -= 60.0
    return _made("daily, jumps down", values, [_around(3000)])


def daily_flat_middle(random: np.random.Generator) -> Made:
    """A day on which the values hardly move."""
    values = _office(random)
    values[2988:3096] = 50.0 + random.uniform(-2.0, 2.0, 108)
    return _made("daily, flat middle", values, [_around(2988)])


def daily_no_jump(random: np.random.Generator) -> Made:
    """A day that stays a night."""
    values = _office(random)
    values[2988:3096] = 20.0 + random.uniform(-8.0, 8.0, 108)
    return _made("daily, no jump", values, [_around(2988)])


def spikes_denser(random: np.random.Generator) -> Made:
    """Spikes are usual; a stretch has many times as many."""
    values = random.uniform(18.0, 22.0, _N)
    values[random.choice(_N, 40, replace=False)] += 40.0
    values[3000 + random.choice(150, 30, replace=False)] += 40.0
    return _made("spikes get denser", values, [_around(3000)])


def server_cpu(random: np.random.Generator) -> Made:
    """Low and steady, with a lonely peak and a level that is left for hours."""
    values = np.abs(2.0 + random.normal(0.0, 0.15, _N))
    values[1800] = 9.0
    values[3200:3260] += 3.0
    return _made("server CPU", values, [_around(1800), _around(3200)])


def network(random: np.random.Generator) -> Made:
    """Bytes in heavy tailed bursts, in millions; one beyond all of them."""
    values = 1e5 * np.exp(random.normal(0.0, 1.0, _N))
    values[2500:2506] = 4e7
    return _made("network bytes", values, [_around(2500)])


def taxi(random: np.random.Generator) -> Made:
    """Demand each half hour with days and weeks; a holiday and a storm."""
    n = 48 * 7 * 16
    at = np.arange(n)
    day = 0.6 - 0.4 * np.cos(2 * np.pi * (at % 48 - 6) / 48) + 0.15 * np.cos(4 * np.pi * (at % 48) / 48)
    week = np.where((at // 48) % 7 >= 5, 0.8, 1.0)
    values = 15_000.0 * day * week * (1.0 + random.normal(0.0, 0.04, n))
    values[48 * 60 : 48 * 61] *= 0.4
    values[48 * 90 : 48 * 91] *= 0.3
    return _made("taxi demand", values, [(48 * 60, 48 * 61), (48 * 90, 48 * 91)], interval_ms=1_800_000)


def machine(random: np.random.Generator) -> Made:
    """Wanders, and falls slowly before it fails."""
    values = 85.0 + 4.0 * np.sin(np.arange(_N) / 130.0) + random.normal(0.0, 0.8, _N)
    values[3000:3100] -= np.linspace(0.0, 35.0, 100)
    values[3100:3130] = 20.0 + random.normal(0.0, 2.0, 30)
    return _made("machine temperature", values, [_around(3000)])


def heart(random: np.random.Generator) -> Made:
    """Beats of one shape; one comes wide and early."""
    beat = np.exp(-np.square((np.arange(64) - 20) / 2.0)) + 0.2 * np.exp(-np.square((np.arange(64) - 44) / 6.0))
    values = np.tile(beat, 80) + random.normal(0.0, 0.02, 64 * 80)
    place = 64 * 55
    values[place : place + 64] = 0.8 * np.exp(-np.square((np.arange(64) - 24) / 9.0)) + random.normal(0.0, 0.02, 64)
    return _made("heart beats", values, [(place, place + 64)], interval_ms=4)


def new_level(random: np.random.Generator) -> Made:
    """A level that stays: one alarm, not for ever."""
    values = random.normal(0.0, 1e-6, _N) + 5e-5
    values[2400:] += 4e-5
    return _made("new level", values, [_around(2400)])


def counter(random: np.random.Generator) -> Made:
    """Only grows; nothing is odd."""
    return _made("counter", np.cumsum(random.poisson(100.0, _N)).astype(np.float64) + 1e9, [])


def quiet_days(random: np.random.Generator) -> Made:
    """Nothing is odd."""
    return _made("daily, nothing odd", _office(random), [])


MAKERS: Final[tuple[Callable[[np.random.Generator], Made], ...]] = (
    daily_jumps_up, daily_jumps_down, daily_flat_middle, daily_no_jump, spikes_denser, server_cpu, network, taxi, machine,
    heart, new_level, counter, quiet_days,
)  # fmt: skip
