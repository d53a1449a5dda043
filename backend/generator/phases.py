"""When in the interval each device measures: phases on a grid of slots, so that what is due together travels together."""

from collections import Counter
from collections.abc import Iterable, Iterator
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
    """Slots for `n` devices that join: always one of the emptiest, in an order whose first ones lie far apart.

    Args:
        n: How many join.
        taken: Slot of each present device; they keep theirs.
        slots: Of the interval.
    """
    load = Counter(taken)
    level = min(load.values()) if len(load) == slots else 0
    result: list[int] = []
    while len(result) < n:
        for slot in _order(slots):
            if load[slot] <= level:  # whoever was filled at a lower level stands at this one now
                result.append(slot)
                if len(result) == n:
                    break
        level += 1
    return result


def _order(slots: int) -> Iterator[int]:
    """Every slot once; whatever the number of first ones taken, they lie well apart."""
    seen: set[int] = set()
    i = 0
    while len(seen) < slots:
        slot = int(i * _GOLDEN % 1.0 * slots)
        if slot not in seen:
            seen.add(slot)
            yield slot
        i += 1
