"""Where training takes its history from, a device at a time, so that memory stays bounded."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Protocol

import numpy as np
import pymongo
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract import documents
from backend.contract.documents import LeftOut
from backend.contract.limits import FIRST_TIME_MS, MAX_DEVICE_ID_CHARS
from backend.contract.names import COLLECTION_MESSAGES, DATABASE
from backend.contract.times import to_datetime
from backend.predictor.errors import TrainingError
from backend.scoring.layout import F64, I64

Document = dict[str, Any]
_LIST_TIMEOUT_S: Final = 120.0
_READ_TIMEOUT_S: Final = 60.0
#: The end of the year 9999.
_LAST_TIME_MS: Final = 253_402_300_799_999


class Source(Protocol):
    """History within a time frame."""

    def devices(self, sensor: str) -> Mapping[str, int]:
        """How many readings each device has.

        Raises:
            TrainingError: it cannot be had.
        """
        ...

    def readings(self, device_id: str, sensor: str, limit: int) -> tuple[I64, F64]:
        """The newest `limit` readings: times in epoch ms and values, in any order.

        Raises:
            TrainingError: they cannot be had.
        """
        ...


class MongoSource:
    """The raw readings in MongoDB.

    Args:
        client: Of MongoDB; its owner closes it.
        from_ms, to_ms: Time frame, epoch ms; None = open.
        left_out: Counts damaged readings.
    """

    def __init__(
        self, client: MongoClient[Document], *, from_ms: int | None, to_ms: int | None, left_out: LeftOut | None = None
    ) -> None:
        self._raw = client[DATABASE][COLLECTION_MESSAGES]
        self._left_out = left_out or LeftOut()
        # Bounded on both sides in any case: only dates match a date, and only those that Python can hold match both.
        begin_ms = FIRST_TIME_MS if from_ms is None else max(from_ms, FIRST_TIME_MS)
        end_ms = _LAST_TIME_MS if to_ms is None else min(to_ms, _LAST_TIME_MS)
        self._when: Document = {"timestamp": {"$gte": to_datetime(begin_ms), "$lt": to_datetime(end_ms)}}

    def devices(self, sensor: str) -> Mapping[str, int]:
        stages: list[Document] = [
            {"$match": {"sensor": sensor, **self._when}},
            {"$group": {"_id": "$device_id", "count": {"$sum": 1}}},
        ]
        try:
            with pymongo.timeout(_LIST_TIMEOUT_S):
                rows = list(self._raw.aggregate(stages, allowDiskUse=True))
        except PyMongoError as error:
            raise _unavailable(error) from error
        return dict(self._left_out.read(COLLECTION_MESSAGES, rows, _device))

    def readings(self, device_id: str, sensor: str, limit: int) -> tuple[I64, F64]:
        query = {"device_id": device_id, "sensor": sensor, **self._when}
        wanted = {"timestamp": True, "value": True}
        times, values = np.empty(limit, dtype=np.int64), np.empty(limit)
        n = 0
        try:
            with pymongo.timeout(_READ_TIMEOUT_S):
                cursor = self._raw.find(query, wanted).sort("timestamp", pymongo.DESCENDING).limit(limit).batch_size(10_000)
                for time_ms, value in self._left_out.read(COLLECTION_MESSAGES, cursor, partial(_reading, sensor)):
                    times[n], values[n] = time_ms, value
                    n += 1
        except PyMongoError as error:
            raise _unavailable(error) from error
        return times[:n], values[:n]


def _device(row: Mapping[str, Any]) -> tuple[str, int]:
    return documents.text(row, "_id", most=MAX_DEVICE_ID_CHARS), documents.count(row, "count")


def _reading(sensor: str, row: Mapping[str, Any]) -> tuple[int, float]:
    return documents.time_ms(row, "timestamp"), documents.sensor_value(row, "value", sensor)


def _unavailable(error: PyMongoError) -> TrainingError:
    return TrainingError(f"MongoDB could not give the history: {str(error)[:200]}. Try again when it answers.")


class ArraySource:
    """Series in memory: the evaluation's and the tests'.

    Args:
        series: Times and values by sensor and device.
    """

    def __init__(self, series: Mapping[str, Mapping[str, tuple[I64, F64]]]) -> None:
        self._series = series

    def devices(self, sensor: str) -> Mapping[str, int]:
        return {device_id: len(t_ms) for device_id, (t_ms, _) in self._series.get(sensor, {}).items()}

    def readings(self, device_id: str, sensor: str, limit: int) -> tuple[I64, F64]:
        t_ms, values = self._series[sensor][device_id]
        return t_ms[-limit:], values[-limit:]
