"""Where training takes its history from, a device at a time, so that memory stays bounded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

import numpy as np
import pymongo
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract.names import CANARY_DEVICE_ID, COLLECTION_MESSAGES, DATABASE
from backend.contract.times import from_datetime, to_datetime
from backend.predictor.errors import TrainingError
from backend.scoring.layout import F64, I64

Document = dict[str, Any]
_LIST_TIMEOUT_S: Final = 120.0
_READ_TIMEOUT_S: Final = 60.0


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
    """

    def __init__(self, client: MongoClient[Document], *, from_ms: int | None, to_ms: int | None) -> None:
        self._raw = client[DATABASE][COLLECTION_MESSAGES]
        times: dict[str, datetime] = {}
        if from_ms is not None:
            times["$gte"] = to_datetime(from_ms)
        if to_ms is not None:
            times["$lt"] = to_datetime(to_ms)
        self._when: Document = {"timestamp": times} if times else {}

    def devices(self, sensor: str) -> Mapping[str, int]:
        stages: list[Document] = [
            {"$match": {"sensor": sensor, **self._when}},
            {"$group": {"_id": "$device_id", "count": {"$sum": 1}}},
        ]
        try:
            with pymongo.timeout(_LIST_TIMEOUT_S):
                found = {str(row["_id"]): int(row["count"]) for row in self._raw.aggregate(stages, allowDiskUse=True)}
        except PyMongoError as error:
            raise _unavailable(error) from error
        found.pop(CANARY_DEVICE_ID, None)
        return found

    def readings(self, device_id: str, sensor: str, limit: int) -> tuple[I64, F64]:
        query = {"device_id": device_id, "sensor": sensor, **self._when}
        wanted = {"_id": False, "timestamp": True, "value": True}
        times, values = np.empty(limit, dtype=np.int64), np.empty(limit)
        n = 0
        try:
            with pymongo.timeout(_READ_TIMEOUT_S):
                cursor = self._raw.find(query, wanted).sort("timestamp", pymongo.DESCENDING).limit(limit).batch_size(10_000)
                for row in cursor:
                    value = row.get("value")
                    times[n] = from_datetime(row["timestamp"])
                    values[n] = value if isinstance(value, int | float) else np.nan
                    n += 1
        except PyMongoError as error:
            raise _unavailable(error) from error
        return times[:n], values[:n]


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
