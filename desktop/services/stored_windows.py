"""Documents of `aggregated_messages` → `Window`, and MongoDB's conditions for those that are not damaged."""

from typing import Any, Final

from backend.contract import documents, times
from backend.contract.devices import BY_SENSOR
from backend.contract.documents import IS_NUMBER, DamagedError, Document
from backend.contract.limits import FIRST_TIME_MS
from desktop.model.windows import Window

#: An average of readings at the end of the range may be beyond it by rounding.
AVERAGE_SLACK: Final = 1e-6
_NO_ARRAY: Final = {"$not": {"$type": "array"}}
_IS_DATE: Final = {"$gte": times.to_datetime(FIRST_TIME_MS), **_NO_ARRAY}


#: Readings that one window of one device can have at most; a larger count is damaged.
MOST_READINGS: Final = 1_000_000_000


def _in_range(sensor: str) -> dict[str, Any]:
    low, high = _range(sensor)
    return {**IS_NUMBER, "$gte": low, "$lte": high}


def _range(sensor: str) -> tuple[float, float]:
    known = BY_SENSOR[sensor]
    return known.minimum - AVERAGE_SLACK, known.maximum + AVERAGE_SLACK


#: A window of a sensor in force that `stored_window` accepts.
GOOD_WINDOW: Final[dict[str, Any]] = {
    "window": _NO_ARRAY,
    "window.start": _IS_DATE,
    "device_id": {"$type": "string", **_NO_ARRAY},
    "count": {**IS_NUMBER, "$gte": 1, "$lte": MOST_READINGS},
    "$or": [{"sensor": sensor} | dict.fromkeys(("avg", "min", "max"), _in_range(sensor)) for sensor in BY_SENSOR],
}


def stored_window(row: Document) -> Window:
    """Return a device's window.

    Raises:
        DamagedError: a field is missing, of the wrong type or outside the sensor's range.
    """
    return _window(row, device_id=documents.device_id(row))


def fleet_window(row: Document) -> Window | None:
    """Return the window of a combination of devices' windows; None when a damaged one is among them."""
    try:
        if documents.count(row, "numbers") != documents.count(row, "rows"):
            return None
        count = documents.number(row, "count")
        average = documents.number(row, "total") / count
        window = {"start": row["_id"].get("start"), "end": row["end"]}
        combined = {"window": window, "sensor": row["_id"].get("sensor"), "avg": average, "count": int(count)}
        return _window({**row, **combined}, device_id=None)
    except (DamagedError, ZeroDivisionError):
        return None


def combination(match: Document) -> list[Document]:
    """Return the aggregation that combines windows over devices, for `fleet_window`; `numbers` counts the whole ones."""
    numbers = {"$isNumber": {"$add": ["$avg", "$min", "$max", "$count"]}}
    return [
        {"$match": match},
        {
            "$group": {
                "_id": {"start": "$window.start", "sensor": "$sensor"},
                "end": {"$max": "$window.end"},
                "total": {"$sum": {"$multiply": ["$avg", "$count"]}},
                "count": {"$sum": "$count"},
                "min": {"$min": "$min"},
                "max": {"$max": "$max"},
                "rows": {"$sum": 1},
                "numbers": {"$sum": {"$cond": [numbers, 1, 0]}},
            }
        },
    ]


def _window(row: Document, *, device_id: str | None) -> Window:
    sensor = documents.text(row, "sensor")
    start_ms, end_ms = documents.time_ms(row, "window.start"), documents.time_ms(row, "window.end")
    if end_ms <= start_ms:
        raise DamagedError("window.end is not after window.start")
    numbers = {path: documents.number(row, path) for path in ("avg", "min", "max")}
    if sensor in BY_SENSOR:
        low, high = _range(sensor)
        for path, value in numbers.items():
            if not low <= value <= high:
                raise DamagedError(f"{path} is outside the range of {sensor}")
    count = documents.count(row, "count", least=1)
    if device_id is not None and count > MOST_READINGS:
        raise DamagedError(f"count is more than {MOST_READINGS}")
    return Window(
        sensor=sensor,
        device_id=device_id,
        start_ms=start_ms,
        end_ms=end_ms,
        avg=numbers["avg"],
        low=numbers["min"],
        high=numbers["max"],
        count=count,
    )
