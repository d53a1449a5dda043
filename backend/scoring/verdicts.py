"""What scoring says about readings: one verdict a reading, later revisions of some, and silences, which have no reading."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from backend.scoring.layout import F64, I8, I64, Rows


class Kind(IntEnum):
    """What is odd about a reading."""

    NONE = 0
    SPIKE = 1
    DRIFT = 2
    STUCK = 3
    DROPOUT = 4
    LATE = 5
    DUPLICATE = 6
    LIMIT = 7
    SHAPE = 8


@dataclass(slots=True)
class Verdicts:
    """One entry a reading, in the order given.

    Attributes:
        device: Row in the shard's state.
        t_ms, value: The reading.
        expected, lower, upper: In the sensor's unit; NaN while nothing can be expected.
        score: 0 … 1; from 0.5 on it is an anomaly.
        kind: A `Kind`.
        amount: What the kind is about: displacement in the sensor's unit, seconds of silence or delay, repetitions.
        since_ms: Begin of the event that the reading belongs to, epoch ms; 0 for none.
        found_ms: Time of the reading that brought it out, epoch ms; 0 for none.
        gap_s: Length of the silence that the reading ends, seconds; 0 for none.
    """

    device: Rows
    t_ms: I64
    value: F64
    expected: F64
    lower: F64
    upper: F64
    score: F64
    kind: I8
    amount: F64
    since_ms: I64
    found_ms: I64
    gap_s: F64

    @classmethod
    def blank(cls, device: Rows, t_ms: I64, value: F64) -> "Verdicts":
        """Nothing known, nothing odd."""
        n, none = len(device), np.zeros(len(device), dtype=np.int64)
        return cls(
            device,
            t_ms,
            value,
            np.full(n, np.nan),
            np.full(n, np.nan),
            np.full(n, np.nan),
            np.zeros(n),
            np.zeros(n, dtype=np.int8),
            np.zeros(n),
            none,
            none.copy(),
            np.zeros(n),
        )

    def __len__(self) -> int:
        return len(self.device)

    @property
    def anomaly(self) -> np.typing.NDArray[np.bool_]:
        """Which readings are odd."""
        return self.kind > 0


class Silence(NamedTuple):
    """A device says nothing.

    Attributes:
        device: Row in the shard's state.
        t_ms: When its silence became a dropout, epoch ms.
        since_ms: Its last reading.
        usual_s: Its interval, seconds.
    """

    device: int
    t_ms: int
    since_ms: int
    usual_s: float


@dataclass(slots=True)
class Scored:
    """Answer to one batch.

    Attributes:
        verdicts: Of its readings, with what later readings of the same batch revised.
        revised: New verdicts of readings of earlier batches.
        silences: Devices that went silent.
        features: Shape (readings, features): what the forecaster saw; NaN where there was none. Only when asked for.
        statistics: Shape (readings, STATISTICS + ramps): the detectors' statistics as multiples of their normal size; NaN where
            there was none. Only when asked for.
        scale: Normal size of each reading's innovation, in the sensor's unit; NaN where unknown. Only when asked for.
    """

    verdicts: Verdicts
    revised: Verdicts
    silences: list[Silence] = field(default_factory=list)
    features: F64 | None = None
    statistics: F64 | None = None
    scale: F64 | None = None
