"""Courses that never occurred before: the distance of each window to its nearest one in the past (a left matrix profile).

Windows keep their amplitude and lose their level. The past is thinned so that the work grows with the length, not its square.
"""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from backend.scoring.layout import F64

#: Windows of the past that each one is compared with, fewer beyond so many readings; windows that are compared at once.
_PAST, _LONG = 3000, 50_000
_BLOCK: Final = 1000
SHORTEST, LONGEST = 16, 512


def period_of(values: F64) -> int:
    """Length of a cycle in readings by autocorrelation, between SHORTEST and LONGEST; a default where there is none."""
    n = len(values)
    if n < 4 * SHORTEST:
        return SHORTEST
    low, high = np.quantile(values, (0.01, 0.99))
    centred = np.clip(values, low, high) - np.mean(values)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    correlation = np.fft.irfft(spectrum * np.conj(spectrum), size)[: n // 2]
    if not correlation[0] > 0:
        return 2 * SHORTEST
    correlation = correlation / correlation[0] * (n / (n - np.arange(len(correlation))))
    inner = correlation[1:-1]
    peaks = np.flatnonzero((inner > correlation[:-2]) & (inner >= correlation[2:]) & (inner > 0.3)) + 1
    peaks = peaks[peaks >= SHORTEST // 2]
    if not peaks.size:
        return 2 * SHORTEST
    best = correlation[peaks].max()
    return int(np.clip(peaks[correlation[peaks] >= 0.9 * best][0], SHORTEST, LONGEST))


def distances(values: F64, length: int, *, begin: int) -> F64:
    """Distance of the window that ends at each reading to the nearest earlier one; NaN before `begin`.

    Args:
        values: The series.
        length: Of a window.
        begin: First reading that has enough of a past.
    """
    n = len(values)
    result = np.full(n, np.nan)
    if n < begin or begin < 2 * length + 1:
        return result
    windows = sliding_window_view(values, length)
    for a in range(begin, n, _BLOCK):
        b = min(a + _BLOCK, n)
        # The windows that end before the first of these began.
        last = a - length - (length - 1)
        if last < 1:
            continue
        most = min(last, _PAST * _LONG // max(a, _LONG))
        past = _level(windows[np.unique(np.linspace(0, last - 1, most).astype(np.intp))])
        mine = _level(windows[a - length + 1 : b - length + 1])
        squared = np.square(mine).sum(axis=1)[:, None] + np.square(past).sum(axis=1) - 2.0 * mine @ past.T
        result[a:b] = np.sqrt(np.maximum(squared.min(axis=1), 0.0))
    return result


def _level(windows: F64) -> F64:
    """Without their level."""
    centred: F64 = windows - windows.mean(axis=1, keepdims=True)
    return centred
