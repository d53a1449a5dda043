"""Shapes that everything in this package agrees on: the window, the statistics computed on it, the forecaster's features."""

from typing import Final

import numpy as np
import numpy.typing as npt

from backend.contract.devices import BY_SENSOR, SENSORS

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
I8 = npt.NDArray[np.int8]
Bool = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

#: Changes with anything that makes a model or a stored state of before unusable.
FEATURE_VERSION: Final = 1

#: The contract's sensors, and any other series.
SENSOR_NAMES: Final = (*SENSORS, "custom")
SENSOR_CODES: Final = {name: code for code, name in enumerate(SENSOR_NAMES)}
LIMITS: Final[F64] = np.array(
    [(BY_SENSOR[s].minimum, BY_SENSOR[s].maximum) if s in BY_SENSOR else (-np.inf, np.inf) for s in SENSOR_NAMES]
)
UNITS: Final = tuple(BY_SENSOR[s].unit if s in BY_SENSOR else "" for s in SENSOR_NAMES)

#: Readings in a window, the newest last.
WINDOW: Final = 48
#: Readings after a suspect that are looked at before the first and the last decision about it.
EARLY, FINAL = 2, 6
#: Readings after a jump before it is decided that the level stays.
SETTLED: Final = 16
#: Lengths of bursts, in readings.
BURSTS: Final = (2, 3, 5, 8)

#: Columns of the statistics on the window: a single reading odd, bursts, and jumps that began 0, 1, … readings ago.
INNOVATION, SPIKE_EARLY, SPIKE, BURST = 0, 1, 2, 3
STEP: Final = BURST + len(BURSTS)
SHIFT: Final = STEP + SETTLED - 1
STATISTICS: Final = STEP + SETTLED
#: A single odd reading stands out when its statistic is larger than this part of every jump's: a spike makes some jump look
#: likely too, and a jump no spike as large.
JUMP_PART: Final = 0.8
BURST_COLUMNS: Final = slice(BURST, STEP)
STEP_COLUMNS: Final = slice(STEP, STATISTICS)

#: Slow movements are looked at in means of so many readings, so many of them.
BLOCK, BLOCKS = 20, 64
#: Lengths of ramps, in blocks.
RAMPS: Final = (6, 15, 30, 60)

#: How many of the newest readings of a device keep their verdict in the state, so that it can be revised.
RECENT: Final = 32

FEATURES: Final = (
    "predicted_step",
    "innovation_1",
    "innovation_2",
    "innovation_3",
    "rate_1",
    "rate_2",
    "near_level",
    "middle_level",
    "slow_level",
    "spread",
    "day_sin",
    "day_cos",
    "fleet",
    "repeats",
)


def templates() -> F64:
    """What each statistic looks for, shape (WINDOW, STATISTICS)."""
    shapes = np.zeros((WINDOW, STATISTICS))
    shapes[-1, INNOVATION] = 1.0
    shapes[-1 - EARLY, SPIKE_EARLY] = 1.0
    shapes[-1 - FINAL, SPIKE] = 1.0
    for i, length in enumerate(BURSTS):
        shapes[WINDOW - FINAL - length : WINDOW - FINAL, BURST + i] = 1.0
    for lag in range(SETTLED):
        shapes[WINDOW - 1 - lag :, STEP + lag] = 1.0
    return shapes


def ramps() -> F64:
    """Slow movements that go on until now, shape (BLOCKS, len(RAMPS))."""
    place = np.arange(BLOCKS)[:, None]
    shapes: F64 = np.maximum(0.0, place - (BLOCKS - 1.0 - np.array(RAMPS)[None, :]))
    return shapes
