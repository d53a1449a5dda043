"""What the forecaster sees of the readings before the one to be forecast. Nothing of that reading itself goes in."""

from dataclasses import dataclass

import numpy as np

from backend.scoring.layout import F64, FEATURES, INNOVATION, RAMPS, STATISTICS, WINDOW, Bool, Rows
from backend.scoring.state import Table
from backend.scoring.window import Profiles, View

#: The time of day says something only after two days.
_TWO_DAYS_MS = 2 * 86_400_000
_TURN_PER_MS = 2.0 * np.pi / 86_400_000
#: Features are kept within this many times the noise.
_BOUND = 50.0
#: Readings that the slow level averages over.
_SLOW = 1000.0
#: Readings in a window before the forecaster is asked.
_SETTLED = 16


@dataclass(slots=True)
class Seen:
    """Filled by rounds; one entry a reading of the batch, NaN where nothing was seen.

    Attributes:
        features: Shape (n, features).
        linear: The profile's forecast, in the sensor's unit.
        scale: Normal size of the error of that forecast, in the sensor's unit.
        innovation: (value − linear) / scale.
        settled: There is enough in the window to forecast from.
        suspicion: How far a slow movement or a run of one value is towards its limit, 0 … 1.
        statistics: Shape (n, STATISTICS + ramps).
    """

    features: F64
    linear: F64
    scale: F64
    innovation: F64
    settled: Bool
    suspicion: F64
    statistics: F64

    @classmethod
    def blank(cls, n: int, *, explain: bool = False) -> "Seen":
        """For a batch of n readings."""
        nan = np.full(n, np.nan)
        statistics = np.full((n if explain else 0, STATISTICS + len(RAMPS)), np.nan)
        return cls(
            np.full((n, len(FEATURES)), np.nan), nan, nan.copy(), nan.copy(), np.zeros(n, np.bool_), np.zeros(n), statistics
        )


def note(table: Table, view: View, i: Rows, profiles: Profiles, seen: Seen) -> None:
    """Note what the devices' windows say about the readings at the places `i` of the batch, and move the levels on."""
    strength = profiles.strength[table.sensor[view.d], INNOVATION]
    scale = view.scale[:, INNOVATION] / strength
    linear = view.v - view.raw[:, INNOVATION] / strength
    before = view.window[:, :-1]
    last = before[:, -1]
    near, middle = before[:, -8:].mean(axis=1), before[:, -32:].mean(axis=1)
    slow = np.where(view.number == 0, view.v, table.slow[view.d])
    innovation = view.z[:, INNOVATION]
    previous = table.innovations[view.d]
    turn = _TURN_PER_MS * (view.t % 86_400_000)
    known_day = view.t - table.first_ms[view.d] >= _TWO_DAYS_MS
    columns = (
        (linear - last) / scale,
        previous[:, 0],
        previous[:, 1],
        previous[:, 2],
        (last - before[:, -2]) / scale,
        (before[:, -2] - before[:, -3]) / scale,
        (last - near) / scale,
        (near - middle) / scale,
        (middle - slow) / scale,
        np.log(view.scale[:, INNOVATION] / profiles.noise[table.sensor[view.d]]),
        np.where(known_day, np.sin(turn), 0.0),
        np.where(known_day, np.cos(turn), 0.0),
        np.zeros(len(i)),
        np.minimum(table.run[view.d], WINDOW),
    )
    told = view.active & (view.number > 0)
    row = np.clip(np.stack(columns, axis=1), -_BOUND, _BOUND)
    seen.features[i[told]] = row[told]
    seen.linear[i[told]], seen.scale[i[told]] = linear[told], scale[told]
    seen.settled[i] = told & (view.joined > _SETTLED)
    calm = seen.settled[i]
    seen.innovation[i[calm]] = innovation[calm]
    if len(seen.statistics):
        seen.statistics[i[calm], :STATISTICS] = view.z[calm]
    table.innovations[view.d] = np.stack((np.clip(innovation, -_BOUND, _BOUND), previous[:, 0], previous[:, 1]), axis=1)
    rate = 1.0 / np.minimum(view.number + 1.0, _SLOW)
    # An outlier moves the level by no more than a few times the noise.
    table.slow[view.d] = slow + rate * np.clip(view.v - slow, -20.0 * scale, 20.0 * scale)
