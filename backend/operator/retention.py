"""Removes raw readings that are too old or too much, and windows that are too old, a slice at a time.

Raw goes by when it was stored (the time in `_id`), not by when it was measured: readings from the past are accepted.
A slice is small and the next waits as long as the last took, so that at most half of the time goes into removing.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, MongoClient
from pymongo.errors import PyMongoError

from backend.contract import names
from backend.contract.devices import THERMOSTAT
from backend.operator.keeper import Finding

log = logging.getLogger("kafka-operator")

Document = dict[str, Any]

#: Slices in one step; the next step goes on where this one stopped.
MAX_SLICES = 20
#: Age of a deployment's test reading at which it is removed.
CANARY_S = 300


class RetentionKeeper:
    """See the module.

    Attributes:
        removed: Documents removed since the start.
    """

    name = "retention"

    def __init__(
        self,
        *,
        client: "MongoClient[Document]",
        raw_hours: float,
        raw_bytes: int,
        aggregate_days: float,
        slice_documents: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], object] = time.sleep,
        database: str = names.DATABASE,
    ) -> None:
        """Args:
        pause: Called with the seconds to wait between two slices; returns something true to stop early.
        """
        self._client, self._database = client, database
        self._raw_hours, self._raw_bytes, self._aggregate_days = raw_hours, raw_bytes, aggregate_days
        self._slice, self._now, self._pause = slice_documents, now, pause
        self.removed = 0

    def step(self) -> Finding:
        """One bounded round. `converged` is False when there is more to remove."""
        try:
            self._remove_canary()
            done = self._remove_old_raw() and self._remove_old_windows() and self._remove_surplus_raw()
        except PyMongoError as error:
            return Finding(False, f"waits for MongoDB: {str(error)[:120]}", waiting=True)
        return Finding(done)

    def _remove_canary(self) -> None:
        """A deployment's test reading is removed by who sent it, where that one may; here once nobody waits for it any more."""
        before = self._now() - timedelta(seconds=CANARY_S)
        identity = {"device_id": names.CANARY_DEVICE_ID, "sensor": THERMOSTAT.sensor, "timestamp": {"$lt": before}}
        self._client[self._database][names.COLLECTION_MESSAGES].delete_many(identity)

    def _remove_old_raw(self) -> bool:
        oldest = ObjectId.from_datetime(self._now() - timedelta(hours=self._raw_hours))
        return self._remove(names.COLLECTION_MESSAGES, {"_id": {"$lt": oldest}}, "_id")

    def _remove_old_windows(self) -> bool:
        oldest = self._now() - timedelta(days=self._aggregate_days)
        return self._remove(names.COLLECTION_AGGREGATES, {"window.end": {"$lt": oldest}}, "window.end")

    def _remove_surplus_raw(self) -> bool:
        """Remove the oldest until the data are below the limit; the share to remove is reckoned from the average size."""
        stats = self._client[self._database].command("collStats", names.COLLECTION_MESSAGES)
        size, count = int(stats.get("size", 0)), int(stats.get("count", 0))
        surplus = size - self._raw_bytes
        if surplus <= 0 or count == 0:
            return True
        log.warning("retention: raw readings take %d bytes, %d too many; the oldest are removed", size, surplus)
        return self._remove(names.COLLECTION_MESSAGES, {}, "_id", most=max(1, surplus * count // size))

    def _remove(self, collection: str, condition: Document, field: str, *, most: int | None = None) -> bool:
        """Remove what matches, oldest first. Returns whether nothing is left to remove."""
        target = self._client[self._database][collection]
        removed = 0
        for _ in range(MAX_SLICES):
            size = self._slice if most is None else min(self._slice, most - removed)
            if size <= 0:
                break
            began = time.monotonic()
            # The key of the slice's last document bounds the delete: two indexed range operations, no list of ids.
            last = list(target.find(condition, {field: 1}).sort(field, ASCENDING).skip(size - 1).limit(1))
            if last:
                bound = last[0]
                for part in field.split("."):
                    bound = bound[part]
                # The window index has many documents for one key: all of one key go together.
                count = target.delete_many({field: {"$lte": bound}}).deleted_count
            else:
                count = target.delete_many(condition).deleted_count if most is None else 0
            removed += count
            self.removed += count
            if not last:
                break
            if self._pause(time.monotonic() - began):
                return False
        else:
            return False
        if removed:
            log.info("retention: %d documents removed from %s", removed, collection)
        return True

    def close(self) -> None:
        """The client is closed by the keeper of the schema."""
