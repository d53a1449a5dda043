"""What the other devices of a sensor did a moment ago: weather that passes over all of them is nobody's anomaly.

Time is cut into blocks. A block's mean counts for the readings of the next one; it is closed by the first reading that is
newer, so what it says does not depend on how the readings are cut into batches. Sums are whole numbers: the same in any order.
"""

from typing import Final

import numpy as np

from backend.scoring.layout import F64, I8, I64

_BLOCK_MS: Final = 10_000
_UNIT: Final = 1e6
_LEAST: Final = 5
#: Columns of the state: current block, sum and count in it, sum and count of the one before.
_BLOCK, _SUM, _COUNT, _LAST_SUM, _LAST_COUNT = range(5)


class FleetMeans:
    """Args:
    state: Shape (sensors, 5), int64; moved on.
    """

    def __init__(self, state: I64) -> None:
        self._state = state

    def take(self, code: I8, t_ms: I64, innovation: F64) -> F64:
        """Mean innovation of the sensor's devices in the block before, for each reading; 0 where too few said something."""
        result = np.zeros(len(code))
        for sensor in np.unique(code).tolist():
            of = np.flatnonzero(code == sensor)
            result[of] = self._one(self._state[sensor], t_ms[of], innovation[of])
        return result

    def _one(self, state: I64, t_ms: I64, innovation: F64) -> F64:
        block = t_ms // _BLOCK_MS
        current = np.maximum.accumulate(np.maximum(block, state[_BLOCK]))
        counts = np.isfinite(innovation) & (block == current)
        units = np.where(counts, np.rint(np.clip(np.nan_to_num(innovation), -5.0, 5.0) * _UNIT), 0.0).astype(np.int64)
        begins = np.flatnonzero(np.r_[True, current[1:] != current[:-1]])
        sums, numbers = np.add.reduceat(units, begins), np.add.reduceat(counts.astype(np.int64), begins)
        blocks = current[begins]
        if blocks[0] == state[_BLOCK]:
            sums[0] += state[_SUM]
            numbers[0] += state[_COUNT]
            before = state[_LAST_SUM], state[_LAST_COUNT]
        else:
            before = _handed_on(state[_BLOCK], state[_SUM], state[_COUNT], blocks[0])
        last_sums, last_numbers = np.r_[before[0], sums[:-1]], np.r_[before[1], numbers[:-1]]
        far = np.r_[False, np.diff(blocks) > 1]
        last_sums[far] = last_numbers[far] = 0
        state[:] = blocks[-1], sums[-1], numbers[-1], last_sums[-1], last_numbers[-1]
        mean = np.where(last_numbers >= _LEAST, last_sums / _UNIT / np.maximum(last_numbers, 1), 0.0)
        result: F64 = np.repeat(mean, np.diff(np.r_[begins, len(t_ms)]))
        return result


def _handed_on(block: np.int64, total: np.int64, count: np.int64, now: np.int64) -> tuple[int, int]:
    return (int(total), int(count)) if now - block == 1 else (0, 0)
