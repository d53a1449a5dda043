"""Statistics over stored readings that leave out damaged ones.

The quick pipeline takes every reading and shows whether one of them was damaged; only then the careful one is asked, which
costs half as much again and takes the good ones alone. Both are plain aggregations, which the stand-ins for MongoDB know too.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from prometheus_client import Counter
from pymongo.asynchronous.collection import AsyncCollection

from backend.contract.devices import BY_SENSOR
from backend.contract.documents import IS_NUMBER, DamagedError, LeftOut, is_number, sensor_value, time_ms
from backend.contract.limits import FIRST_TIME_MS
from backend.contract.names import COLLECTION_MESSAGES
from backend.contract.times import from_datetime, to_datetime
from backend.paai.stored import Statistics

log = logging.getLogger("paai")

Document = dict[str, Any]

#: No stored reading is earlier; text and other types never match a bound that is a date.
FIRST_TIME: Final = to_datetime(FIRST_TIME_MS)
#: The last time that an answer can name: the end of the year 9999.
LAST_TIME: Final = to_datetime(253_402_300_799_999)
#: Accumulators of a `$group` stage over readings; `numbers` differs from `count` where a value is damaged.
ACCUMULATORS: Final[Mapping[str, Any]] = {
    "average": {"$avg": "$value"},
    "maximum": {"$max": "$value"},
    "minimum": {"$min": "$value"},
    "count": {"$sum": 1},
    "numbers": {"$sum": {"$cond": [{"$isNumber": "$value"}, 1, 0]}},
    "first": {"$min": "$timestamp"},
}
#: Damaged readings that are named at most, by one answer.
_MOST_NAMED: Final = 1_000


class DamagedReadings:
    """Counts the stored readings that answers leave out, and logs them once.

    Args:
        counter: Metric that counts each of them once, in this process.
    """

    def __init__(self, counter: Counter | None = None) -> None:
        self._counter = counter
        self._left_out = LeftOut(lambda sentence: log.warning("%s", sentence))

    @property
    def total(self) -> int:
        """How many were left out since the start."""
        return self._left_out.total()

    def note(self, key: object, why: str) -> None:
        """Count one; `key` tells it from others."""
        before = self._left_out.total()
        self._left_out.note(COLLECTION_MESSAGES, key, why)
        if self._counter is not None and self._left_out.total() > before:
            self._counter.inc()

    def report(self) -> None:
        """Log what is new; after an answer."""
        self._left_out.report()


async def summarise(
    raw: AsyncCollection[Document],
    device_ids: Sequence[str],
    sensor: str,
    times: Mapping[str, datetime],
    damaged: DamagedReadings,
) -> list[Statistics]:
    """Return the statistics of one sensor, of those devices that have a good reading.

    Args:
        raw: The readings.
        device_ids: Whose.
        sensor: Which of their sensors.
        times: Condition on `timestamp`, bounded below by a date.
        damaged: Counts the readings that are left out.
    """
    match = {"device_id": _any_of(device_ids), "sensor": sensor, "timestamp": dict(times)}
    rows, unclear = _sorted_out(await _group(raw, match))
    return rows + await _summarise_good(raw, [device_id for device_id, _ in unclear], sensor, times, damaged)


async def summarise_devices(
    raw: AsyncCollection[Document],
    device_ids: Sequence[str],
    sensors: Sequence[str],
    times: Mapping[str, datetime],
    damaged: DamagedReadings,
) -> list[Statistics]:
    """Return the statistics of several devices and sensors, in any order. Arguments as of `summarise`."""
    found = await _group(raw, {"device_id": _any_of(device_ids), "timestamp": dict(times)})
    rows, unclear = _sorted_out({key: row for key, row in found.items() if key[1] in sensors})
    for sensor in sensors:
        devices = [device_id for device_id, its in unclear if its == sensor]
        rows += await _summarise_good(raw, devices, sensor, times, damaged)
    return rows


def to_statistics(device_id: str, sensor: str, found: Mapping[str, Any]) -> Statistics | None:
    """Return the result of `ACCUMULATORS`; None when a damaged reading is in it."""
    average, maximum, minimum, first = (found.get(key) for key in ("average", "maximum", "minimum", "first"))
    if not (is_number(average) and is_number(maximum) and is_number(minimum) and isinstance(first, datetime)):
        return None
    known = BY_SENSOR[sensor]
    if found["numbers"] != found["count"] or minimum < known.minimum or maximum > known.maximum:
        return None
    return Statistics(
        device_id, sensor, float(average), float(maximum), float(minimum), int(found["count"]), from_datetime(first)
    )


def _any_of(device_ids: Sequence[str]) -> str | Document:
    # One of the stand-ins walks a range of the index for a plain value only.
    return device_ids[0] if len(device_ids) == 1 else {"$in": list(device_ids)}


async def _group(raw: AsyncCollection[Document], *conditions: Document) -> dict[tuple[str, str], Document]:
    """`ACCUMULATORS` of what meets all conditions, by device and sensor."""
    match = conditions[0] if len(conditions) == 1 else {"$and": list(conditions)}
    group = {"$group": {"_id": {"device_id": "$device_id", "sensor": "$sensor"}, **ACCUMULATORS}}
    async with await raw.aggregate([{"$match": match}, group]) as cursor:
        return {(str(row["_id"].get("device_id")), str(row["_id"].get("sensor"))): row async for row in cursor}


def _sorted_out(found: Mapping[tuple[str, str], Document]) -> tuple[list[Statistics], list[tuple[str, str]]]:
    """Results, and those devices and sensors whose result has a damaged reading in it."""
    results = {key: to_statistics(*key, row) for key, row in found.items()}
    return [row for row in results.values() if row is not None], [key for key, row in results.items() if row is None]


async def _summarise_good(
    raw: AsyncCollection[Document],
    device_ids: Sequence[str],
    sensor: str,
    times: Mapping[str, datetime],
    damaged: DamagedReadings,
) -> list[Statistics]:
    """Statistics of the good readings alone; the others are named."""
    if not device_ids:
        return []
    match = {"device_id": _any_of(device_ids), "sensor": sensor, "timestamp": dict(times)}
    good = _good(sensor)
    async with raw.find({"$and": [match, {"$nor": [good]}]}, {"timestamp": 1, "value": 1}, limit=_MOST_NAMED) as cursor:
        async for document in cursor:
            damaged.note(document.get("_id"), _fault(document, sensor))
    damaged.report()
    return _sorted_out(await _group(raw, match, good))[0]


def _good(sensor: str) -> Document:
    """What a good reading matches besides its identity."""
    known = BY_SENSOR[sensor]
    value = {**IS_NUMBER, "$gte": known.minimum, "$lte": known.maximum}
    return {"value": value, "timestamp": {"$not": {"$type": "array"}}}


def _fault(document: Document, sensor: str) -> str:
    try:
        sensor_value(document, "value", sensor)
        time_ms(document, "timestamp")
    except DamagedError as error:
        return str(error)
    return "value is not a number"
