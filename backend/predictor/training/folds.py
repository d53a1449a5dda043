"""Cross-validation for series of many devices: fitted on the past of some devices, tried on the later time of others."""

from collections.abc import Iterator

import numpy as np

from backend.scoring.layout import I64, Bool, Rows


def folds(t_ms: I64, device: Rows, *, count: int, gap_ms: int, seed: int) -> Iterator[tuple[Bool, Bool]]:
    """Masks of what to fit on and what to try on.

    Time is cut into count + 1 equal parts of readings; fold k fits on what is at least `gap_ms` before part k + 1, and tries on
    that part. Where there are several devices they are dealt into groups, and a fold never tries on a device that it fitted on.

    Args:
        t_ms: Sorted.
        device: Number of each reading's device.
        count: Folds.
        gap_ms: At least what a feature looks back, so that no reading of the trial went into a feature of the fit.
        seed: Of the dealing.
    """
    devices = np.unique(device)
    groups = np.random.default_rng(seed).permutation(len(devices)) % max(count, 2)
    group = groups[np.searchsorted(devices, device)]
    cuts = np.quantile(t_ms, np.linspace(0, 1, count + 2))
    for k in range(count):
        begin, end = cuts[k + 1], cuts[k + 2]
        fit = t_ms < begin - gap_ms
        trial = (t_ms >= begin) & (t_ms <= end)
        if len(devices) > 1:
            mine = group == k % max(count, 2)
            fit, trial = fit & ~mine, trial & mine
        if fit.any() and trial.any():
            yield fit, trial
