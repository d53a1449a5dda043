"""Expected values of one device and sensor in time order, and the band that a chart draws of them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from desktop.model.predictions.record import Prediction
from desktop.model.series import gaps_after
from desktop.model.snapshot import Expected

#: An hour at 10 readings/s; a faster device keeps less time.
MAX_READINGS: Final = 36_000
_SAMPLE: Final = 64


class Expectations:
    """Ascending, each time once; what came last stays. Arrays are replaced, never written."""

    def __init__(self, max_readings: int = MAX_READINGS) -> None:
        self._max = max_readings
        self._t = np.empty(0, dtype=np.int64)
        self._rows: npt.NDArray[np.float64] = np.empty((0, 3))  # expected, lower, upper

    def add(self, predictions: Sequence[Prediction]) -> None:
        """Merge predictions of this device and sensor, in any order of time. Silences have no place here."""
        mine = [p for p in predictions if p.value == p.value]
        if not mine:
            return
        t = np.concatenate((self._t, np.array([p.t_ms for p in mine], dtype=np.int64)))
        rows = np.concatenate((self._rows, np.array([(p.expected, p.lower, p.upper) for p in mine], dtype=np.float64)))
        order = np.argsort(t, kind="stable")
        t, rows = t[order], rows[order]
        last = np.append(t[1:] != t[:-1], True)
        self._t, self._rows = t[last][-self._max :], rows[last][-self._max :]

    def drop_before(self, limit_ms: int) -> None:
        """Forget what is older."""
        first = int(np.searchsorted(self._t, limit_ms))
        if first:
            self._t, self._rows = self._t[first:].copy(), self._rows[first:].copy()

    def cut(self, device_id: str, begin_ms: int, end_ms: int, pixels: int) -> Expected | None:
        """What is drawn of [begin_ms, end_ms], one beyond either edge included; None for nothing.

        No more than about two points a pixel: expected values move slowly, so that every n-th will do.
        """
        t, rows = self._t, self._rows
        first = max(int(np.searchsorted(t, begin_ms)) - 1, 0)
        last = min(int(np.searchsorted(t, end_ms, side="right")) + 1, len(t))
        if last <= first or t[last - 1] < begin_ms or t[first] > end_ms:
            return None
        interval = float(np.median(np.diff(t[-_SAMPLE:]))) if len(t) > 2 else float("nan")
        t, rows = t[first:last], rows[first:last]
        gaps = gaps_after(t, interval)
        size = max(1, len(t) // max(2 * pixels, 2))
        chosen = np.unique(np.append(np.arange(0, len(t), size), len(t) - 1))
        seconds, drawn = t[chosen] / 1e3, rows[chosen]
        if len(gaps):
            before = np.unique(np.searchsorted(chosen, gaps, side="right"))
            before = before[(before > 0) & (before < len(chosen))]
            seconds = np.insert(seconds, before, (seconds[before - 1] + seconds[before]) / 2)
            drawn = np.insert(drawn, before, np.nan, axis=0)
        expected, lower, upper = (np.ascontiguousarray(drawn[:, i]) for i in range(3))
        for array in (seconds, expected, lower, upper):
            array.flags.writeable = False
        return Expected(device_id, seconds, expected, lower, upper)

    def __len__(self) -> int:
        return len(self._t)

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return self._t.nbytes + self._rows.nbytes
