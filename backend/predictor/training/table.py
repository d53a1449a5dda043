"""One sensor's history as the engine sees it: features, innovations and statistics of every reading, in the order of time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backend.predictor.training.clean import Series
from backend.scoring.engine import Engine
from backend.scoring.layout import F64, I8, I64, INNOVATION, RAMPS, SENSOR_CODES, STATISTICS, Bool, Rows
from backend.scoring.profile import SensorProfile

_CHUNK = 20_000
#: Readings before and after an anomaly that may be touched by it.
_AROUND = 8


@dataclass(frozen=True, slots=True)
class Table:
    """One row a reading, sorted by time.

    Attributes:
        device: Number of the device.
        t_ms, values: The readings.
        features: Shape (n, features).
        statistics: Shape (n, STATISTICS + ramps).
        scale: Normal size of the innovation, in the sensor's unit.
        score, kind: The verdict after all revisions.
        good: Nothing odd is near and there is enough before it: fit to learn from.
    """

    device: Rows
    t_ms: I64
    values: F64
    features: F64
    statistics: F64
    scale: F64
    score: F64
    kind: I8
    good: Bool

    @property
    def innovation(self) -> F64:
        """Surprise of each reading, in multiples of its normal size."""
        return self.statistics[:, INNOVATION]

    def of(self, which: Rows | Bool) -> "Table":
        """Some of the rows."""
        return Table(*(getattr(self, name)[which] for name in self.__slots__))


def merged(series: Sequence[Series]) -> tuple[Rows, I64, F64]:
    """The readings of all devices in the order of time: number of the device, time, value."""
    device = np.repeat(np.arange(len(series)), [len(s.t_ms) for s in series])
    t_ms = np.concatenate([s.t_ms for s in series])
    values = np.concatenate([s.values for s in series])
    order = np.argsort(t_ms, kind="stable")
    return device[order], t_ms[order], values[order]


def build(
    sensor: str,
    profile: SensorProfile,
    device: Rows,
    t_ms: I64,
    values: F64,
    *,
    step: Callable[[int], None],
) -> Table:
    """Run the readings through the engine.

    Args:
        sensor, profile: Of all of them.
        device, t_ms, values: As `merged` gives them.
        step: Told how many readings were done since the last time; may raise to end it.
    """
    engine = Engine({sensor: profile}, explain=True)
    names = [f"{i:06d}" for i in range(int(device.max()) + 1)]
    rows, fresh = engine.state.rows(names, [SENSOR_CODES[sensor]] * len(names))
    n = len(t_ms)
    parts_f, parts_s = [], np.empty((n, STATISTICS + len(RAMPS)), dtype=np.float32)
    score, scale, kind = np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int8)
    place: dict[tuple[int, int], int] = {}
    for a in range(0, n, _CHUNK):
        b = min(n, a + _CHUNK)
        scored = engine.score_rows(rows[device[a:b]], fresh, t_ms[a:b], values[a:b])
        fresh = fresh[:0]
        assert scored.features is not None  # noqa: S101 - an engine that explains
        assert scored.statistics is not None  # noqa: S101
        assert scored.scale is not None  # noqa: S101
        scale[a:b] = scored.scale
        parts_f.append(scored.features.astype(np.float32))
        parts_s[a:b] = scored.statistics
        score[a:b], kind[a:b] = scored.verdicts.score, scored.verdicts.kind
        revised = scored.revised
        for i in range(len(revised)):
            at = place.get((int(revised.device[i]), int(revised.t_ms[i])))
            if at is not None:
                score[at], kind[at] = revised.score[i], revised.kind[i]
        # A revision reaches back a few readings of each device, which are in the last chunk.
        place = {(int(d), int(t)): a + i for i, (d, t) in enumerate(zip(rows[device[a:b]], t_ms[a:b], strict=True))}
        step(b - a)
    features = np.concatenate(parts_f).astype(np.float64)
    statistics = parts_s.astype(np.float64)
    good = np.isfinite(features).all(axis=1) & np.isfinite(statistics[:, INNOVATION]) & ~_around(device, kind > 0)
    return Table(device, t_ms, values, features, statistics, scale, score, kind, good)


def _around(device: Rows, odd: Bool) -> Bool:
    """Readings with an odd one of the same device near them."""
    result = np.zeros(len(odd), dtype=np.bool_)
    order = np.argsort(device, kind="stable")
    marks = odd[order].astype(np.int64)
    near = np.convolve(marks, np.ones(2 * _AROUND + 1, dtype=np.int64), mode="same") > 0
    result[order] = near
    return result
