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
    match: Mapping[str, Any],
    device_ids: Sequence[str],
    sensors: Sequence[str],
    damaged: DamagedReadings,
) -> list[Statistics]:
    """Return the statistics of those devices and sensors that have a good reading, in any order.

    Args:
        raw: The readings.
        match: Which of them; `timestamp` must be bounded below by a date.
        device_ids, sensors: Whose; others that `match` finds are left out.
        damaged: Counts the readings that are left out.
    """
    found = await _group(raw, match, device_ids, sensors)
    rows = [row for row in found.values() if row is not None]
    for sensor in sensors:
        unclear = [device_id for (device_id, its), row in found.items() if row is None and its == sensor]
        if not unclear:
            continue
        careful, good = {**match, "device_id": {"$in": unclear}, "sensor": sensor}, _good(sensor)
        bad = {"$and": [careful, {"$nor": [good]}]}
        async with raw.find(bad, {"timestamp": 1, "value": 1}, limit=_MOST_NAMED) as cursor:
            async for document in cursor:
                damaged.note(document.get("_id"), _fault(document, sensor))
        again = await _group(raw, {"$and": [careful, good]}, unclear, [sensor])
        rows += [row for row in again.values() if row is not None]
    damaged.report()
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


async def _group(
    raw: AsyncCollection[Document], match: Mapping[str, Any], device_ids: Sequence[str], sensors: Sequence[str]
) -> dict[tuple[str, str], Statistics | None]:
    """By device and sensor; None where a damaged reading is in the result."""
    group = {"$group": {"_id": {"device_id": "$device_id", "sensor": "$sensor"}, **ACCUMULATORS}}
    async with await raw.aggregate([{"$match": match}, group]) as cursor:
        found = [(row["_id"].get("device_id"), row["_id"].get("sensor"), row) async for row in cursor]
    # An array matches a condition with any of its elements.
    asked = ((d, s, row) for d, s, row in found if d in device_ids and s in sensors)
    return {(d, s): to_statistics(d, s, row) for d, s, row in asked}


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
