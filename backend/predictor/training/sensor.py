"""Training for one sensor: profile, forecasters, limits, and how they compare with simple ones on a stretch never seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.metrics import average_precision_score

from backend.contract.devices import spoken
from backend.predictor.errors import TrainingError
from backend.predictor.models.forecasters import COVERAGE, Baseline, Boosting, SensorForecaster, calibrate, coverage, pinball
from backend.predictor.models.outliers import Forest
from backend.predictor.training import leaks, naive
from backend.predictor.training.clean import Series
from backend.predictor.training.folds import folds
from backend.predictor.training.table import Table, build, merged
from backend.scoring import learn
from backend.scoring.errors import ProfileError
from backend.scoring.layout import F64, FEATURES, FINAL, SETTLED, WINDOW, Bool, Rows
from backend.scoring.profile import SensorProfile
from backend.scoring.verdicts import Kind

#: Parts of the time: to fit, to calibrate, and the rest to judge.
_FIT, _CALIBRATE = 0.6, 0.8
#: Readings between the parts: as far as a feature or a late verdict looks.
_GAP: Final = WINDOW + SETTLED + FINAL
_FOLDS: Final = 3
_LEAST_READINGS: Final = 3000
#: Readings of a device from the first to the last: parts of a fifth must be longer than the gaps between them.
_LEAST_SPAN: Final = 8 * _GAP
_MOST_CV, _MOST_FIT = 20_000, 80_000
#: Spikes set into the last stretch to try the detectors: of so many noises, about so many, so many readings apart.
_SPIKE_SIZES, _SPIKES, _SPIKE_APART, _SPIKE_EVERY = (4.0, 8.0), 150, 40, 400
#: Readings of a device that the trial begins before the last stretch with, and most readings in it.
_TRIAL_BEFORE, _TRIAL_MOST = 1000, 6000

Step = Callable[[int], None]


def candidates(seed: int) -> list[SensorForecaster]:
    """What cross-validation chooses from: the baseline, and boosting from strongly to weakly regularised."""
    return [
        Baseline(),
        Boosting(leaves=5, smallest=500, iterations=30, shrinkage=10.0, seed=seed),
        Boosting(leaves=12, smallest=200, iterations=40, shrinkage=1.0, seed=seed),
        Boosting(leaves=24, smallest=100, iterations=60, shrinkage=0.1, seed=seed),
    ]


@dataclass(frozen=True)
class Trained:
    """What came out for one sensor.

    Attributes:
        profile, forecaster: To be served.
        card: Its part of the card.
        beats_naive, beats_rolling: Whether it is better than the naive forecasts, and than rolling median and MAD.
    """

    profile: SensorProfile
    forecaster: SensorForecaster
    card: Mapping[str, Any]
    beats_naive: bool
    beats_rolling: bool


def train_sensor(sensor: str, series: Sequence[Series], *, seed: int, step: Step) -> Trained:
    """Train for one sensor.

    Args:
        sensor: Which.
        series: Its devices' cleaned readings.
        seed: Of everything drawn.
        step: Told how many readings went through the engine; may raise to end it.

    Raises:
        TrainingError: too little history, or a constant sensor.
    """
    device, t_ms, values = merged(series)
    n = len(t_ms)
    interval_ms = float(np.median([s.interval_ms for s in series]))
    if n < _LEAST_READINGS:
        missing_ms = max((_LEAST_READINGS - n) * interval_ms / len(series), _LEAST_SPAN * interval_ms - (t_ms[-1] - t_ms[0]))
        raise TrainingError(
            f"{n:,} usable {spoken(sensor)} readings are too few to train on; at least {_LEAST_READINGS:,} are needed."
            f" {_wait(missing_ms, len(series))}"
        )
    fit_end, calibrate_end = (int(t_ms[int(n * part)]) for part in (_FIT, _CALIBRATE))
    gap_ms, span_ms = int(_GAP * interval_ms), float(t_ms[-1] - t_ms[0])
    if span_ms < _LEAST_SPAN * interval_ms:
        raise TrainingError(
            f"The {spoken(sensor)} readings cover {span_ms / 60_000:.1f} minutes only; at least"
            f" {_LEAST_SPAN * interval_ms / 60_000:.1f} are needed at their interval."
            f" {_wait(_LEAST_SPAN * interval_ms - span_ms, len(series))}"
        )
    try:
        profile = learn.learn_profile(sensor, [part for s in series for part in s.stretches(fit_end)])
    except ProfileError as error:
        raise TrainingError(f"No model for {spoken(sensor)}: {error}.") from error
    longest = max(series, key=lambda s: len(s.t_ms))
    leaks.check(leaks.engine_features(sensor, profile), longest.t_ms, longest.values)
    table = build(sensor, profile, device, t_ms, values, step=step)
    before = table.t_ms < calibrate_end
    profile = learn.calibrate(profile, table.statistics[before])

    random = np.random.default_rng(seed)
    fitting = table.good & (table.t_ms < fit_end)
    calibrating = table.good & (table.t_ms >= fit_end + gap_ms) & before
    judging = np.isfinite(table.features).all(axis=1) & np.isfinite(table.innovation) & (table.t_ms >= calibrate_end + gap_ms)
    for name, mask in (("fit on", fitting), ("calibrate with", calibrating), ("judge by", judging)):
        if np.count_nonzero(mask) < 200:
            raise TrainingError(
                f"Of the {spoken(sensor)} readings too few are left to {name}: devices must have sent"
                f" {WINDOW} readings and more without a gap. Choose a longer time frame."
            )
    forecaster, losses = choose(table.of(fitting), gap_ms=gap_ms, seed=seed)
    rows = _sample(np.flatnonzero(fitting), _MOST_FIT, random)
    forecaster.fit(table.features[rows], table.innovation[rows])
    calibrate(forecaster, table.features[calibrating], table.innovation[calibrating])

    forest = Forest(seed=seed)
    forest.fit(table.statistics[_sample(np.flatnonzero(fitting), 20_000, random)])
    held = _judge(table, judging, forecaster)
    detectors = _try_detectors(sensor, profile, forest, series, calibrate_end, random)
    model, rolling = held["model"], held["rolling_median"]
    naive_mae = min(held["last_value"]["mae"], held["device_mean"]["mae"])
    card = {
        "devices": len(series),
        "readings": n,
        "forecaster": forecaster.name,
        "noise": profile.noise,
        "cross_validation": losses,
        "held_out": held,
        "detectors": detectors,
        "limits": [round(x, 3) for x in profile.limits.tolist() if x < 1e5],
        "reference": {
            name: [round(float(q), 4) for q in np.quantile(table.features[rows, i], (0.05, 0.25, 0.5, 0.75, 0.95))]
            for i, name in enumerate(FEATURES)
        },
    }
    return Trained(
        profile,
        forecaster,
        card,
        beats_naive=model["mae"] < naive_mae,
        beats_rolling=model["pinball"] < rolling["pinball"]
        and detectors["matched_filters"] > detectors["rolling_median"]
        and abs(model["coverage"] - COVERAGE) <= 0.05,
    )


def _wait(missing_ms: float, devices: int) -> str:
    """How to get to enough history."""
    minutes = max(1, int(np.ceil(missing_ms / 60_000)))
    fleet = "the device" if devices == 1 else "the fleet"
    return f"Let {fleet} run for {minutes} more minute{'s' if minutes > 1 else ''}, or choose a longer time frame."


def choose(table: Table, *, gap_ms: int, seed: int) -> tuple[SensorForecaster, dict[str, float]]:
    """The candidate with the least loss in cross-validation, not fitted yet, and everybody's losses.

    Scalers are part of what is fitted in each fold.
    """
    random = np.random.default_rng(seed)
    thin = _sample(np.arange(len(table.t_ms)), _FOLDS * _MOST_CV, random)
    table = table.of(thin)
    all_candidates = candidates(seed)
    losses: list[list[float]] = [[] for _ in all_candidates]
    for fit, trial in folds(table.t_ms, table.device, count=_FOLDS, gap_ms=gap_ms, seed=seed):
        rows = _sample(np.flatnonzero(fit), _MOST_CV, random)
        if len(rows) < 100:
            continue
        for mine, candidate in zip(losses, candidates(seed), strict=True):
            candidate.fit(table.features[rows], table.innovation[rows])
            mine.append(pinball(candidate.predict(table.features[trial]), table.innovation[trial]))
    means = [float(np.mean(mine)) if mine else float("inf") for mine in losses]
    names = {
        f"{c.name} {getattr(c, 'leaves', '')}".strip(): round(mean, 5)
        for c, mean in zip(all_candidates, means, strict=True)
        if np.isfinite(mean)
    }
    return all_candidates[int(np.argmin(means))], names


def _sample(rows: Rows, most: int, random: np.random.Generator) -> Rows:
    """At most so many of the rows, in their order."""
    return rows if len(rows) <= most else np.sort(random.choice(rows, most, replace=False))


def _judge(table: Table, judging: Bool, forecaster: SensorForecaster) -> dict[str, dict[str, float]]:
    """Errors on the last stretch, in multiples of each device's noise."""
    median, mad = naive.rolling(table.device.astype(np.float64), table.values)
    rolling_error, mad = (table.values - median) / table.scale, mad / table.scale
    usable = judging & np.isfinite(rolling_error)
    part = table.of(usable)
    quantiles = forecaster.predict(part.features)
    band = naive.rolling_band(part.innovation, rolling_error[usable], mad[usable])

    def errors(error: F64) -> dict[str, float]:
        return {"mae": round(float(np.mean(np.abs(error))), 5)}

    return {
        "model": {
            **errors(part.innovation - quantiles[:, 0]),
            "pinball": round(pinball(quantiles, part.innovation), 5),
            "coverage": round(coverage(quantiles, part.innovation), 4),
        },
        "rolling_median": {
            **errors(rolling_error[usable]),
            "pinball": round(pinball(band, part.innovation), 5),
            "coverage": round(coverage(band, part.innovation), 4),
        },
        "last_value": errors(naive.last_value(part)),
        "device_mean": errors(naive.device_mean(part)),
    }


def _try_detectors(
    sensor: str, profile: SensorProfile, forest: Forest, series: Sequence[Series], begin_ms: int, random: np.random.Generator
) -> dict[str, float]:
    """Average precision on spikes set into the last stretch, of each detector. What comes before it fills their windows."""
    parts, truth, held = [], [], []
    usual = len(series[0].t_ms) - int(np.searchsorted(series[0].t_ms, begin_ms))
    apart = int(np.clip(min(len(series), 12) * usual / _SPIKES, _SPIKE_APART, _SPIKE_EVERY))
    for s in series[:12]:
        first = int(np.searchsorted(s.t_ms, begin_ms))
        use = slice(max(0, first - _TRIAL_BEFORE), first + _TRIAL_MOST)
        t_ms, values = s.t_ms[use], s.values[use].copy()
        mine = t_ms >= begin_ms
        places = np.flatnonzero(mine)[: -2 * FINAL]
        marks = np.zeros(len(values), dtype=np.bool_)
        for a in range(0, len(places) - len(places) % apart, apart):
            marks[random.choice(places[a : a + apart])] = True
        size = random.uniform(*_SPIKE_SIZES, len(marks)) * random.choice([-1.0, 1.0], len(marks))
        values[marks] += (size * learn.noise_of(s.values))[marks]
        parts.append(Series(s.device_id, t_ms, values, s.interval_ms))
        truth.append(marks)
        held.append(mine)
    device, t_ms, values = merged(parts)
    order = np.argsort(np.concatenate([p.t_ms for p in parts]), kind="stable")
    wanted, counted = np.concatenate(truth)[order], np.concatenate(held)[order]
    if not wanted.any():
        return dict.fromkeys(("matched_filters", "isolation_forest", "rolling_median"), 0.0)
    table = build(sensor, profile, device, t_ms, values, step=lambda _: None)
    median, mad = naive.rolling(device.astype(np.float64), values)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.abs(values - median) / np.maximum(mad, 1e-9)
    # What is said about other kinds is another question.
    spiky = np.where((table.kind == Kind.NONE) | (table.kind == Kind.SPIKE), table.score, 0.0)
    scores = {"matched_filters": spiky, "isolation_forest": forest.score(table.statistics), "rolling_median": distance}
    wanted = wanted[counted]
    return {
        name: round(float(average_precision_score(wanted, np.nan_to_num(s, posinf=1e9)[counted])), 4)
        for name, s in scores.items()
    }
