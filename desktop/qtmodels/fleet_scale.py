"""The sliders' scale: every single device at the low end, round hundreds at the high end. Pure."""

from bisect import bisect_left
from typing import Final

from backend.contract.devices import MAX_FLEET_PER_TYPE

#: From, to (exclusive), step: 171 stops over a slider of about 190 pixels.
_BANDS: Final = ((0, 50, 1), (50, 200, 5), (200, 1000, 20), (1000, MAX_FLEET_PER_TYPE + 1, 100))

STOPS: Final[tuple[int, ...]] = tuple(n for start, end, step in _BANDS for n in range(start, end, step))
LAST: Final = len(STOPS) - 1


def count_at(position: int) -> int:
    """Devices at a slider position 0 … LAST."""
    return STOPS[min(max(position, 0), LAST)]


def position_of(count: int) -> int:
    """The position nearest to `count`; zero only for zero."""
    i = bisect_left(STOPS, count)
    if i > LAST:
        return LAST
    if i and STOPS[i] - count > count - STOPS[i - 1]:
        i -= 1
    return max(i, 1) if count > 0 else 0
