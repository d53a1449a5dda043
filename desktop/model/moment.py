"""What somebody wants to look at: a device's sensor at some time."""

from dataclasses import dataclass
from typing import Final

#: Shown before and after, so that one sees what was usual.
AROUND_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of one device's readings.

    Attributes:
        device_id, sensor: Whose.
        start, end: Seconds since the epoch.
    """

    device_id: str
    sensor: str
    start: float
    end: float

    def around(self) -> tuple[float, float]:
        """What a chart shows of it."""
        return self.start - AROUND_S, self.end + AROUND_S
