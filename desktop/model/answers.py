"""What the store answers when it is asked for a moment or a range."""

from dataclasses import dataclass

from desktop.model.readings import ValueArray


@dataclass(frozen=True, slots=True)
class ValueAt:
    """What both sources say about one moment; NaN and None where one has nothing.

    Attributes:
        raw: Of a device its last reading before the moment, of the fleet the mean around it.
        raw_low, raw_high: The fleet's extremes around the moment; of a device equal to `raw`.
        raw_t: Time of what `raw` shows, seconds since the epoch, or NaN.
        aggregate, aggregate_low, aggregate_high: The window that holds the moment.
        window_start, window_end: Its edges, or NaN.
        provisional: The window was computed from raw readings here.
    """

    raw: float = float("nan")
    raw_low: float = float("nan")
    raw_high: float = float("nan")
    raw_t: float = float("nan")
    aggregate: float = float("nan")
    aggregate_low: float = float("nan")
    aggregate_high: float = float("nan")
    window_start: float = float("nan")
    window_end: float = float("nan")
    provisional: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class RawRange:
    """Raw readings of a time range, ascending in time then device.

    Attributes:
        device_ids: n ids.
        t: float64[n], seconds since the epoch.
        value: float64[n].
    """

    device_ids: list[str]
    t: ValueArray
    value: ValueArray
