"""Learns a sensor's profile: how its readings move when nothing is wrong.

Each statistic is a matched filter: for readings whose windows have the covariance C, the filter for a shape h is C⁻¹h, scaled
to variance one. It gives the shape its largest ratio of signal to noise, and little to whatever the sensor does by itself: a
slow wander, a breath's rhythm, a climb in steps. No filter sees the level.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from backend.contract.devices import spoken
from backend.scoring.drift import block_means
from backend.scoring.errors import ProfileError
from backend.scoring.layout import (
    BLOCKS,
    BURST_COLUMNS,
    F64,
    INNOVATION,
    JUMP_PART,
    RAMPS,
    SHIFT,
    SPIKE,
    SPIKE_EARLY,
    STATISTICS,
    STEP,
    STEP_COLUMNS,
    WINDOW,
    ramps,
    templates,
)
from backend.scoring.profile import SensorProfile

#: Variance given to the level, so that every filter sums to nothing.
_LEVEL: Final = 1e4
#: Part of the mean variance added to the diagonal.
_RIDGE: Final = 1e-3
#: Windows with an innovation beyond this many times the noise teach nothing.
_OUTLIER: Final = 4.5
_PASSES: Final = 3
#: Windows that are used of all sensors' devices together.
_MOST: Final = 60_000
_LEAST: Final = 500
#: False alarms that each statistic may cause in as many readings as a day has seconds.
BUDGET: Final = {SPIKE_EARLY: 0.04, SPIKE: 0.36, SHIFT: 0.08}
_BURST_BUDGET, _RAMP_BUDGET = 0.015, 0.008
_DAY: Final = 86_400.0
#: A ramp whose limit would be beyond this is something that the sensor does by itself: it is not looked for. What of the tail
#: was not seen yet would be false alarms.
_HOPELESS, _NEVER = 7.0, 1e6
#: A sensor that jumps so far by itself is taken to have large ramps as well, until enough of those were seen.
_RESTLESS: Final = 6.0
#: Sizes from which a tail can be continued, and from which their largest say anything; the limit is so far beyond those.
_TAIL, _FEW, _BEYOND = 2000, 100, 1.25
#: A tail that is seen to be heavier than its begin tells may raise a limit so far.
_BELIEVED: Final = 1.5
#: Further where the begin of the tail itself is heavier than a normal one by this: then what lies far out is the sensor's own.
_HEAVY, _BELIEVED_HEAVY = 1.5, 2.5


def learn_profile(sensor: str, series: Sequence[F64]) -> SensorProfile:
    """A profile with limits as of normal noise; see `calibrate`.

    Args:
        sensor: Whose.
        series: Readings at equal intervals without gaps, one array a stretch of a device.

    Raises:
        ProfileError: too few readings, or readings that do not move at all.
    """
    long = [np.asarray(s, dtype=np.float64) for s in series if len(s) >= WINDOW]
    scales = np.array([noise_of(s) for s in long])
    moving = [(s / scale, scale) for s, scale in zip(long, scales, strict=True) if scale > 0]
    if long and not moving:
        raise ProfileError(f"the {spoken(sensor)} readings never move: a constant sensor has nothing to be learnt")
    total = sum(len(s) for s, _ in moving)
    if total < _LEAST:
        raise ProfileError(
            f"{total} {spoken(sensor)} readings in stretches of {WINDOW} and more without a gap are too few to learn from;"
            f" at least {_LEAST} are needed"
        )
    stride = max(1, total // _MOST)
    windows = np.concatenate([sliding_window_view(s, WINDOW)[::stride] for s, _ in moving])
    filters, strength = _robust_filters(windows, templates())
    blocks = [b for b in (block_means(s) for s, _ in moving) if len(b) >= 8]
    ramp_filters, ramp_strength = _ramp_filters(blocks)
    return SensorProfile(
        sensor=sensor,
        filters=filters,
        strength=strength,
        noise=float(np.median([scale for _, scale in moving])),
        limits=default_limits(),
        ramp_filters=ramp_filters,
        ramp_strength=ramp_strength,
        ramp_limits=np.full(len(RAMPS), 5.0),
        repeats=float(np.clip(np.mean([np.mean(np.diff(s) == 0) for s, _ in moving]), 0.3, 0.9)),
        readings=total,
    )


def noise_of(series: F64) -> float:
    """Standard deviation of what is not smooth, from second differences; large ones count less."""
    second = np.diff(series, n=2)
    size = float(np.sqrt(np.mean(np.square(second))))
    for _ in range(5):
        size = float(np.sqrt(np.mean(np.minimum(np.square(second), 9.0 * size * size))))
    return size / float(np.sqrt(6.0))


def default_limits() -> F64:
    """Limits as if statistics were normal; no limit for those that are only compared with others."""
    limits = np.full(STATISTICS, _NEVER)
    limits[[SPIKE_EARLY, SPIKE, SHIFT]] = 4.6, 4.4, 4.8
    limits[BURST_COLUMNS] = 5.0
    return limits


def _robust_filters(windows: F64, shapes: F64) -> tuple[F64, F64]:
    clean = np.ones(len(windows), dtype=np.bool_)
    for _ in range(_PASSES):
        filters, strength = matched(windows[clean], shapes)
        innovation = np.abs(windows @ filters[:, INNOVATION])
        scale = np.median(innovation) / 0.6745
        if not scale > 0:
            scale = float(np.sqrt(np.mean(np.square(innovation)))) or 1.0
        odd = innovation > _OUTLIER * scale
        # An outlier spoils each window that holds it, not only the one that ends with it; those are found by their middle.
        odd |= np.abs(windows @ filters[:, SPIKE]) > _OUTLIER * scale
        if odd.mean() > 0.2:
            break
        clean = ~odd
    return filters, strength


def matched(windows: F64, shapes: F64, *, ridge: float = _RIDGE) -> tuple[F64, F64]:
    """Matched filters for shapes in noise like these windows.

    Args:
        windows: Shape (n, length).
        shapes: Shape (length, k).
        ridge: Regularisation, as a part of the mean variance.

    Returns:
        Filters of shape (length, k), and what each gives for its shape of height 1.
    """
    centred = windows - windows.mean(axis=1, keepdims=True)
    covariance = centred.T @ centred / len(windows)
    size = len(covariance)
    covariance += np.eye(size) * (ridge * np.trace(covariance) / size + 1e-12)
    covariance += _LEVEL * np.trace(covariance) / size * np.ones((size, size))
    weights = np.linalg.solve(covariance, shapes)
    strength = np.sqrt(np.einsum("ij,ij->j", shapes, weights))
    return weights / strength, strength


def _ramp_filters(blocks: Sequence[F64]) -> tuple[F64, F64]:
    """From the means of blocks; from their steps alone where no stretch is long enough."""
    long = [b for b in blocks if len(b) >= BLOCKS]
    if sum(len(b) - BLOCKS + 1 for b in long) >= 4 * BLOCKS:
        windows = np.concatenate([sliding_window_view(b, BLOCKS) for b in long])
        steps = np.concatenate([np.diff(b) for b in long])
        size = 1.4826 * float(np.median(np.abs(steps))) or float(np.std(steps)) or 1.0
        calm = np.abs(np.diff(windows, axis=1)).max(axis=1) < 12.0 * size
        if calm.sum() >= 2 * BLOCKS:
            windows = windows[calm]
        return matched(windows, ramps(), ridge=1e-2)
    steps = np.concatenate([np.diff(b) for b in blocks]) if blocks else np.ones(1)
    variance = float(np.mean(np.square(np.clip(steps, *np.quantile(steps, (0.02, 0.98)))))) or 1.0
    place = np.arange(BLOCKS)
    wander = variance * np.minimum.outer(place, place).astype(np.float64)
    root = np.linalg.cholesky(wander + 1e-6 * variance * np.eye(BLOCKS))
    return matched(np.concatenate((root.T, -root.T)) * np.sqrt(BLOCKS), ramps(), ridge=1e-2)


def calibrate(profile: SensorProfile, statistics: F64, *, per_readings: float = _DAY) -> SensorProfile:
    """The profile with limits at which its own statistics cause no more false alarms than budgeted.

    Args:
        profile: Whose statistics.
        statistics: Shape (n, STATISTICS + ramps), from an engine that explains; NaN where there was none. Anomalies among them
            do little harm: the limit follows the tail of what is usual.
        per_readings: The budgets are for so many readings.
    """
    limits, ramp_limits = profile.limits.copy(), profile.ramp_limits.copy()
    sizes = np.abs(statistics)
    jump = sizes[:, STEP_COLUMNS].max(axis=1)
    best = np.nan_to_num(sizes[:, SPIKE:STEP]).argmax(axis=1) + SPIKE
    for column in (SPIKE_EARLY, *range(SPIKE, STEP), SHIFT):
        size, budget = sizes[:, column], BUDGET.get(column, _BURST_BUDGET)
        if column != SHIFT:  # the others count only where nothing else explains more; see `spikes`
            part = JUMP_PART if column in (SPIKE_EARLY, SPIKE) else 1.0
            size = size[(size > part * jump) & ((best == column) | (column == SPIKE_EARLY))]
        limits[column] = tail_limit(size, budget / per_readings * len(statistics) / max(len(size), 1), least=4.0)
    blocks = statistics[:, STATISTICS:]
    for i in range(len(RAMPS)):
        size = np.abs(blocks[:, i])
        seen = int(np.isfinite(size).sum())
        ramp_limits[i] = tail_limit(size, _RAMP_BUDGET / per_readings * len(statistics) / max(seen, 1), least=3.5)
        restless = seen < _TAIL and limits[SHIFT] > _RESTLESS
        if ramp_limits[i] > _HOPELESS or seen < _FEW or restless:
            ramp_limits[i] = _NEVER
    values = {name: getattr(profile, name) for name in profile.__dataclass_fields__}
    return SensorProfile(**{**values, "limits": limits, "ramp_limits": ramp_limits})


def tail_limit(size: F64, chance: float, *, least: float, most: float = 14.0) -> float:
    """The size that is exceeded with this chance, however rarely that was seen.

    The tail between the 1 % and the 0.1 % largest is continued: −log(chance) is taken for a power of the size, which it is for
    a normal (2) and an exponential tail (1). Where there are enough sizes to see a heavier tail, it is believed up to a point:
    it may be made of anomalies.
    """
    size, chance = np.sort(size[np.isfinite(size)]), min(chance, 0.05)
    n = len(size)
    if n < _TAIL:
        # Too few to continue a tail from: beyond what was seen.
        seen = _BEYOND * float(size[int(0.99 * n)]) if n >= _FEW else 0.0
        return float(np.clip(max(4.8, seen), least, most))
    parts = np.geomspace(1e-2, max(1e-3, 20.0 / n), 12)
    at = size[np.minimum((n * (1.0 - parts)).astype(int), n - 1)]
    x, y = np.log(np.maximum(at, 1e-9)), np.log(-np.log(parts))
    spread = float(np.var(x))
    power = float(np.clip(np.cov(x, y)[0, 1] / spread if spread > 1e-12 else 2.0, 0.7, 2.2))
    anchor = float(np.mean(y - power * x))
    limit = float(np.exp((np.log(-np.log(chance)) - anchor) / power))
    heavy = power < _HEAVY
    if chance * n >= 1.0 or heavy:
        seen = float(size[-int(chance * n) - 1])
        limit = max(limit, min(seen, (_BELIEVED_HEAVY if heavy else _BELIEVED) * limit))
    return float(np.clip(limit, least, most))
