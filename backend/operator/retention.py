"""Removes raw readings and predictions that are too old or too much, and windows that are too old, a slice at a time.

Raw goes by when it was stored (the time in `_id`), not by when it was measured: readings from the past are accepted.
Predictions go by the reading's time: those of a reading as raw does, anomalies, which are few, as windows do.
A slice is small and the next waits as long as the last took, so that at most half of the time goes into removing.

Looking must cost little too. There are servers that read a whole collection to find its oldest document or its size, and
hold up everybody else meanwhile: so the age of the oldest is remembered until it is due, and a round that took long, or failed,
is repeated after a pause that keeps its share of the time at two hundredths.
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
from backend.contract.canary import CANARY_PREFIX, CANARY_TIME_MS
from backend.contract.devices import THERMOSTAT
from backend.contract.times import to_datetime
from backend.operator.keeper import Finding

log = logging.getLogger("kafka-operator")

Document = dict[str, Any]

#: Slices in one step; the next step goes on where this one stopped.
MAX_SLICES = 20
#: Pause after a round, in its durations.
PAUSE_SHARE = 50
#: A slice that took longer is followed by a pause of ten times that.
SLOW_SLICE_S = 1.0
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
        clock: Callable[[], float] = time.monotonic,
        database: str = names.DATABASE,
    ) -> None:
        """Args:
        pause: Called with the seconds to wait between two slices; returns something true to stop early.
        """
        self._client, self._database = client, database
        self._raw_hours, self._raw_bytes, self._aggregate_days = raw_hours, raw_bytes, aggregate_days
        self._slice, self._now, self._pause, self._clock = slice_documents, now, pause, clock
        self._not_before = 0.0
        #: By collection: when its oldest document was made or ended; until that is too old nothing has to be looked for.
        self._oldest: dict[str, datetime] = {}
        self.removed = 0

    def step(self) -> Finding:
        """One bounded round. `converged` is False when there is more to remove."""
        began = self._clock()
        if began < self._not_before:
            return Finding(True)
        done = False
        try:
            self._remove_canary()
            done = (
                self._remove_old_raw()
                and self._remove_old_windows()
                and self._remove_old_predictions()
                and self._remove_surplus(names.COLLECTION_MESSAGES, "_id")
                and self._remove_surplus(names.COLLECTION_PREDICTIONS, "timestamp")
            )
        except PyMongoError as error:
            took = self._clock() - began
            self._not_before = self._clock() + PAUSE_SHARE * took
            log.info(
                "retention: MongoDB did not answer in %.1f s, next in %.0f s: %s", took, PAUSE_SHARE * took, str(error)[:120]
            )
            return Finding(False, f"waits for MongoDB: {str(error)[:120]}", waiting=True)
        if done:
            self._not_before = self._clock() + PAUSE_SHARE * (self._clock() - began)
        return Finding(done)

    def _remove_canary(self) -> None:
        """A deployment's test reading is removed by who sent it, where that one may; here once nobody waits for it any more."""
        left = {
            "device_id": {"$gte": CANARY_PREFIX, "$lt": CANARY_PREFIX + "~"},
            "sensor": THERMOSTAT.sensor,
            "timestamp": to_datetime(CANARY_TIME_MS),
            "_id": {"$lt": ObjectId.from_datetime(self._now() - timedelta(seconds=CANARY_S))},
        }
        self._client[self._database][names.COLLECTION_MESSAGES].delete_many(left)

    def _remove_old_raw(self) -> bool:
        before = self._now() - timedelta(hours=self._raw_hours)
        return self._remove_old(names.COLLECTION_MESSAGES, "_id", ObjectId.from_datetime(before), before)

    def _remove_old_windows(self) -> bool:
        before = self._now() - timedelta(days=self._aggregate_days)
        return self._remove_old(names.COLLECTION_AGGREGATES, "window.end", before, before)

    def _remove_old_predictions(self) -> bool:
        now = self._now()
        good, odd = now - timedelta(hours=self._raw_hours), now - timedelta(days=self._aggregate_days)
        collection = names.COLLECTION_PREDICTIONS
        return self._remove_old(collection, "timestamp", good, good, among={"anomaly": False}) and self._remove_old(
            collection, "timestamp", odd, odd, among={"anomaly": True}
        )

    def _remove_old(
        self, collection: str, field: str, bound: object, before: datetime, *, among: Document | None = None
    ) -> bool:
        """Remove what is older than `before`, which is `bound` in the field's own type; only of those that match `among`."""
        among = among or {}
        key_of = f"{collection} {among}"
        if self._oldest.get(key_of, before) > before:
            return True
        target = self._client[self._database][collection]
        # The bound has the type of what is looked for: damaged documents, which have another, are not among them.
        too_old = {**among, field: {"$lt": bound}}
        if target.find_one(too_old, {"_id": 1}) is not None:
            return self._remove(collection, too_old, field, among=among)
        first = list(target.find({**among, field: {"$gte": bound}}, {field: 1}).sort(field, ASCENDING).limit(1))
        key = _value(first[0], field) if first else None
        self._oldest[key_of] = _moment(key) or self._now()
        return True

    def _remove_surplus(self, collection: str, field: str) -> bool:
        """Remove the oldest until the data are below the limit; the share to remove is reckoned from the average size."""
        stats = self._client[self._database].command("collStats", collection)
        size, count = int(stats.get("size", 0)), int(stats.get("count", 0))
        surplus = size - self._raw_bytes
        if surplus <= 0 or count == 0:
            return True
        log.warning("retention: %s takes %d bytes, %d too many; the oldest are removed", collection, size, surplus)
        return self._remove(collection, {}, field, most=max(1, surplus * count // size))

    def _remove(
        self, collection: str, condition: Document, field: str, *, among: Document | None = None, most: int | None = None
    ) -> bool:
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
                bound = _value(last[0], field)
                # The window index has many documents for one key: all of one key go together.
                count = target.delete_many({**(among or {}), field: {"$lte": bound}}).deleted_count
                if not count:  # a damaged key, which no comparison finds again
                    count = target.delete_one({"_id": last[0]["_id"]}).deleted_count
            else:
                count = target.delete_many(condition).deleted_count if most is None else 0
            removed += count
            self.removed += count
            if not last:
                break
            took = time.monotonic() - began
            if self._pause(took if took < SLOW_SLICE_S else 10 * took):
                return False
        else:
            return False
        if removed:
            log.info("retention: %d documents removed from %s", removed, collection)
        return True

    def close(self) -> None:
        self._client.close()


def _value(document: Document, path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    found: Any = document
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _moment(key: object) -> datetime | None:
    """When a document was made or ended; None for a key that is damaged."""
    if isinstance(key, ObjectId):
        return key.generation_time
    return key if isinstance(key, datetime) else None
