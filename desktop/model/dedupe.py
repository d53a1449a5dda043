"""Recognises a reading that was already counted, cheaply and in bounded memory."""

import numpy as np
import numpy.typing as npt

from desktop.model.readings import IndexArray, TimeArray

#: Milliseconds since the epoch fit into 43 bits until the year 2248; the device index takes the bits above.
_TIME_BITS = np.uint64(43)
_TIME_MASK = np.uint64((1 << 43) - 1)
#: Fibonacci hashing: 2^64 ÷ golden ratio.
_MIX = np.uint64(0x9E3779B97F4A7C15)


class RecentKeys:
    """A direct-mapped table of the identities (device, time) of one sensor seen lately.

    Never calls a new reading a repeat. A repeat may be missed once its place was taken by another identity, which becomes
    likely after about as many readings as there are slots.
    """

    def __init__(self, bits: int = 19) -> None:
        self._slots = np.zeros(1 << bits, dtype=np.uint64)
        self._shift = np.uint64(64 - bits)

    def unseen(self, index: IndexArray, t_ms: TimeArray) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
        """Mark these readings as seen.

        Returns:
            bool[n], False for repeats: of an earlier call's reading or of an earlier one in these arrays; and the order
            that sorts the readings by device, then time.
        """
        # 1 is added so that no identity is the empty slot's 0.
        key = ((index.astype(np.uint64) + np.uint64(1)) << _TIME_BITS) | (t_ms.astype(np.uint64) & _TIME_MASK)
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        slot = ((ordered * _MIX) >> self._shift).astype(np.intp)
        new = self._slots[slot] != ordered
        new[1:] &= ordered[1:] != ordered[:-1]
        self._slots[slot] = ordered
        fresh = np.empty(len(key), dtype=np.bool_)
        fresh[order] = new
        return fresh, order

    @property
    def nbytes(self) -> int:
        return self._slots.nbytes
