"""When in the interval each device measures: phases on a grid of slots, so that what is due together travels together."""

from collections import Counter
from collections.abc import Iterable
from math import gcd
from typing import Final

SLOT_MS: Final = 50

#: Multiples of the golden ratio's fraction lie well apart, however many there are.
_GOLDEN: Final = 0.6180339887498949


def slot_count(interval_ms: int) -> int:
    """Slots in one interval; each is at least SLOT_MS long."""
    return max(1, interval_ms // SLOT_MS)


def phase_ms(slot: int, interval_ms: int) -> int:
    """When in the interval a slot is due."""
    return slot * interval_ms // slot_count(interval_ms)


def assign(n: int, taken: Iterable[int], slots: int) -> list[int]:
    """Slots for `n` devices that join: always one of the emptiest, in an order in which neighbours lie far apart.

    Args:
        n: How many join.
        taken: Slot of each present device; they keep theirs.
        slots: Of the interval.
    """
    load = Counter(taken)
    step = _stride(slots)
    level = min(load.values()) if len(load) == slots else 0
    result: list[int] = []
    while len(result) < n:
        slot = 0
        for _ in range(slots):
            if load[slot] <= level:
                load[slot] += 1
                result.append(slot)
                if len(result) == n:
                    break
            slot = (slot + step) % slots
        level += 1
    return result


def _stride(slots: int) -> int:
    """A step that visits every slot and whose first visits are spread evenly."""
    step = max(1, round(slots * _GOLDEN))
    while gcd(step, slots) != 1:
        step += 1
    return step
