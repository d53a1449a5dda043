"""Recognises a reading that was already counted, and which of two came last, cheaply and in bounded memory."""

from dataclasses import dataclass

import numpy as np

from desktop.model.readings import IndexArray, IntArray, PlaceArray, TimeArray, ValueArray

#: Milliseconds since the epoch fit into 43 bits until the year 2248; the device index takes the bits above.
_TIME_BITS = np.uint64(43)
_TIME_MASK = np.uint64((1 << 43) - 1)
#: Fibonacci hashing: 2^64 ÷ golden ratio.
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """What became of some readings. All are places in their arrays.

    Attributes:
        fresh: Readings whose identity is new; of several with the same identity the one that came last.
        corrected: Readings that replace one of the same identity and another value.
        replaced: float64, the values that `corrected` replace.
        by_device: All readings, sorted by device, then time.
    """

    fresh: PlaceArray
    corrected: PlaceArray
    replaced: ValueArray
    by_device: PlaceArray


class RecentReadings:
    """A direct-mapped table of one sensor's recent readings: identity (device, time), value, and when the broker took it.

    Never calls a new reading a repeat. A repeat may be missed once its place was taken by another identity, which becomes
    likely after about as many readings as there are slots.
    """

    def __init__(self, bits: int = 18) -> None:
        size = 1 << bits
        self._key = np.zeros(size, dtype=np.uint64)
        self._value = np.zeros(size, dtype=np.float64)
        self._order = np.zeros(size, dtype=np.int64)
        self._shift = np.uint64(64 - bits)

    def settle(self, index: IndexArray, t_ms: TimeArray, value: ValueArray, order: IntArray) -> Settled:
        """Take readings in.

        Args:
            index, t_ms, value: Of the readings.
            order: See `readings.arrival_order`; of equal ones the later place counts as the later reading.
        """
        # 1 is added so that no identity is the empty slot's 0.
        key = ((index.astype(np.uint64) + np.uint64(1)) << _TIME_BITS) | (t_ms.astype(np.uint64) & _TIME_MASK)
        if (order[1:] >= order[:-1]).all():
            by_device = np.argsort(key, kind="stable")
        else:
            by_arrival = np.argsort(order, kind="stable")
            by_device = by_arrival[np.argsort(key[by_arrival], kind="stable")]
        ordered = key[by_device]
        last = np.append(ordered[1:] != ordered[:-1], True)
        place = by_device if last.all() else by_device[last]
        key, value, order = key[place], value[place], order[place]
        slot = ((key * _MIX) >> self._shift).astype(np.intp)
        known = self._key[slot] == key
        newer = ~known | (order >= self._order[slot])
        before = self._value[slot]
        changed = known & newer & (value != before)
        if newer.all():
            self._key[slot], self._value[slot], self._order[slot] = key, value, order
        else:
            kept = slot[newer]
            self._key[kept], self._value[kept], self._order[kept] = key[newer], value[newer], order[newer]
        return Settled(np.sort(place[~known]), place[changed], before[changed], by_device)

    @property
    def nbytes(self) -> int:
        return self._key.nbytes + self._value.nbytes + self._order.nbytes
