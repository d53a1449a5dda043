"""The value axis's own autoscale: padded, on round numbers, and with hysteresis so that it does not jitter. No Qt."""

import math
from typing import Final

from desktop.plots.ticks import nice_step

#: Share of the data's extent left free above and below.
PADDING: Final = 0.08
#: The axis shrinks only when the data use less than this share of it.
SHRINK_BELOW: Final = 0.55
#: Round numbers: about so many of them between the ends.
_DIVISIONS: Final = 8


class ValueRange:
    """Remembers the range in force and changes it only when the data ask for it.

    Attributes:
        low, high: The range in force, `low` < `high`.
        auto: Whether `fit` may change it.
        minimum_extent: Least extent; a constant signal is not blown up to its noise.
        known: Whether data or the user have set the range; until then it means nothing.
    """

    def __init__(self, *, minimum_extent: float = 0.1, low: float = 0.0, high: float = 1.0) -> None:
        self.low, self.high = low, high
        self.auto = True
        self.known = False
        self.minimum_extent = minimum_extent
        self._fresh = True

    def fit(self, low: float, high: float) -> bool:
        """Take the extent of the visible data.

        Returns:
            Whether the range in force changed.
        """
        if (self.known and not self.auto) or not (math.isfinite(low) and math.isfinite(high)):
            return False
        self.known = True
        wanted_low, wanted_high = self._padded(low, high)
        holds = self.low <= low and high <= self.high
        used = (wanted_high - wanted_low) / (self.high - self.low)
        if holds and used >= SHRINK_BELOW and not self._fresh:
            return False
        self._fresh = False
        changed = (wanted_low, wanted_high) != (self.low, self.high)
        self.low, self.high = wanted_low, wanted_high
        return changed

    def set(self, low: float, high: float) -> None:
        """A range of the user's choice; switches autoscale off."""
        if high > low:
            self.low, self.high = low, high
            self.auto, self.known = False, True

    def zoom(self, factor: float, anchor: float) -> None:
        """Scale about `anchor`; switches autoscale off. Without effect while the range is not known."""
        if self.known:
            self.set(anchor - (anchor - self.low) * factor, anchor + (self.high - anchor) * factor)

    def reset(self) -> None:
        """Autoscale again, at the next `fit` and without hysteresis."""
        self.auto = True
        self._fresh = True

    def _padded(self, low: float, high: float) -> tuple[float, float]:
        extent = max(high - low, self.minimum_extent)
        middle = (low + high) / 2
        pad = extent * (0.5 + PADDING)
        step = nice_step(2 * pad / _DIVISIONS)
        return math.floor((middle - pad) / step) * step, math.ceil((middle + pad) / step) * step
