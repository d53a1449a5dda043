"""Small made-up fleets for tests of scoring: readings that wander, repeat, go missing, come late and twice."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.scoring.layout import SENSOR_CODES
from backend.scoring.learn import learn_profile
from backend.scoring.profile import SensorProfile

START_MS = 1_700_000_000_000
F64 = npt.NDArray[np.float64]


def wander(seed: int, n: int, *, noise: float = 1.0, step: float = 0.1, level: float = 20.0) -> F64:
    """A level that wanders by `step` a reading, and white noise upon it."""
    random = np.random.default_rng(seed)
    series: F64 = level + np.cumsum(random.normal(0.0, step, n)) + random.normal(0.0, noise, n)
    return series


def profile(sensor: str = "temperature", *, noise: float = 1.0, step: float = 0.1) -> SensorProfile:
    """What `wander` looks like."""
    return learn_profile(sensor, [wander(1000 + i, 3000, noise=noise, step=step) for i in range(4)])


@dataclass
class Arrivals:
    """Readings in the order of their arrival; arrays of the same length."""

    ids: list[str]
    sensors: npt.NDArray[np.int8]
    t_ms: npt.NDArray[np.int64]
    values: F64

    def part(self, a: int, b: int) -> tuple[list[str], npt.NDArray[np.int8], npt.NDArray[np.int64], F64]:
        """The arguments of `Engine.score` for some of them."""
        return self.ids[a:b], self.sensors[a:b], self.t_ms[a:b], self.values[a:b]

    def __len__(self) -> int:
        return len(self.ids)


def fleet(seed: int, *, devices: int = 5, seconds: int = 700) -> Arrivals:
    """Devices of two sensors with every kind of fault, and a value that is none."""
    random = np.random.default_rng(seed)
    rows: list[tuple[float, str, int, int, float]] = []
    for d in range(devices):
        sensor = ("temperature", "humidity")[d % 2]
        series = wander(seed * 97 + d, seconds, level=40.0)
        series[random.integers(60, seconds, 4)] += 12.0
        shift = int(random.integers(200, seconds - 100))
        series[shift:] += 9.0 * (d % 3 == 0)
        frozen = int(random.integers(310, seconds - 60))
        series[frozen : frozen + 30] = series[frozen]
        gone = int(random.integers(60, seconds - 60))
        for i in range(seconds):
            if gone <= i < gone + 20 and d % 2:
                continue
            delay = 5.0 if random.random() < 0.01 else 0.0
            value = float("nan") if random.random() < 0.002 else float(series[i])
            t_ms = START_MS + i * 1000 + d * 37
            rows.append((i + delay, f"device-{d}", SENSOR_CODES[sensor], t_ms, value))
            if random.random() < 0.01:
                rows.append((i + delay + 0.5, f"device-{d}", SENSOR_CODES[sensor], t_ms, value))
    rows.sort(key=lambda row: row[0])
    return Arrivals(
        [row[1] for row in rows],
        np.array([row[2] for row in rows], dtype=np.int8),
        np.array([row[3] for row in rows], dtype=np.int64),
        np.array([row[4] for row in rows]),
    )
