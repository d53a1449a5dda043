"""Devices with stored readings, in the order of the index (device_id, sensor, timestamp).

Two ways, since there are two kinds of database:
- MongoDB steps from one device to the next through the index, whatever lies between (`SteppingListing`).
- Its stand-in reads a whole range before it gives the first document of it, but groups a collection quickly
  (`GroupedListing`).
"""

import asyncio
import time
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final, Protocol

from pymongo.asynchronous.collection import AsyncCollection

from backend.contract import documents
from backend.contract.canary import is_canary
from backend.contract.devices import SENSORS
from backend.contract.limits import MAX_DEVICE_ID_CHARS
from backend.paai.concurrency import run_all
from backend.paai.stored import StoredDevice
from backend.paai.summary import FIRST_TIME, LAST_TIME, DamagedReadings

Document = dict[str, Any]
Pair = tuple[str, str]

#: Times that an answer can name; an array matches a bound with any of its elements.
_TIMES: Final[Document] = {"$gte": FIRST_TIME, "$lte": LAST_TIME, "$not": {"$type": "array"}}
_GROUP: Final[Document] = {
    "$group": {
        "_id": {"device_id": "$device_id", "sensor": "$sensor"},
        "first": {"$min": "$timestamp"},
        "last": {"$max": "$timestamp"},
        "count": {"$sum": 1},
    }
}


class Listing(Protocol):
    """Finds devices. Leaves out those of which only the test reading of a deployment is stored."""

    async def rows_after(
        self, after: Pair, *, prefix: str, sensors: Sequence[str], limit: int
    ) -> tuple[list[StoredDevice], Pair, bool]:
        """Sorted rows behind `after` (device and sensor), with these sensors and this prefix of the device id.

        Args:
            after: The last pair known; two empty strings at the beginning.
            prefix: Of the device id.
            sensors: Which.
            limit: How many rows are wanted; more may come, or fewer.

        Returns:
            The rows, the pair to go on behind, and whether there are no more.
        """
        ...


class SteppingListing:
    """A few steps of the index per device, however many readings it has; only its count takes their number."""

    #: Devices found before their rows are looked up.
    STEPS: Final = 32
    PARALLEL: Final = 8

    def __init__(self, raw: AsyncCollection[Document], damaged: DamagedReadings) -> None:
        self._raw, self._damaged = raw, damaged

    async def rows_after(
        self, after: Pair, *, prefix: str, sensors: Sequence[str], limit: int
    ) -> tuple[list[StoredDevice], Pair, bool]:
        device_id, sensor = after
        wanted = sorted(sensors)
        pairs = [(device_id, s) for s in wanted if s > sensor] if device_id and device_id.startswith(prefix) else []
        last, complete = after, False
        bounds: Document = {"$gt": device_id} if device_id >= prefix else {"$gte": prefix}
        for _ in range(min(limit, self.STEPS)):
            among = {"device_id": {**bounds, "$not": {"$type": "array"}}}
            found = await self._raw.find_one(among, {"_id": 0, "device_id": 1}, sort=[("device_id", 1)])
            if found is None or not found["device_id"].startswith(prefix):
                complete = True
                break
            device_id = found["device_id"]
            if 0 < len(device_id) <= MAX_DEVICE_ID_CHARS:
                pairs += [(device_id, s) for s in wanted]
            last = (device_id, max(SENSORS))
            bounds = {"$gt": device_id}
        return await self._rows(pairs), last, complete

    async def _rows(self, pairs: Sequence[Pair]) -> list[StoredDevice]:
        waiting = iter(pairs)
        rows: list[StoredDevice] = []

        async def work() -> None:
            for device_id, sensor in waiting:  # shared by the workers: each takes the next one
                row = await self._row(device_id, sensor)
                if row is not None:
                    rows.append(row)

        await run_all(work() for _ in range(self.PARALLEL))
        return sorted(rows, key=lambda row: (row.device_id, row.sensor))

    async def _row(self, device_id: str, sensor: str) -> StoredDevice | None:
        of_pair: Document = {"device_id": device_id, "sensor": sensor, "timestamp": _TIMES}
        only_time = {"_id": 0, "timestamp": 1}
        first = await self._raw.find_one(of_pair, only_time, sort=[("timestamp", 1)])
        if first is None:
            return None
        last = await self._raw.find_one(of_pair, only_time, sort=[("timestamp", -1)])
        # With bounds alone: the index then gives the number without a look at the documents.
        bounds = {"$gte": FIRST_TIME, "$lte": LAST_TIME}
        number = await self._raw.count_documents({"device_id": device_id, "sensor": sensor, "timestamp": bounds})
        if last is None or not number:
            return None  # removed in between
        begin, end = documents.time_ms(first, "timestamp"), documents.time_ms(last, "timestamp")
        if is_canary(device_id, end):
            return None
        return StoredDevice(device_id, sensor, begin, end, number)


class GroupedListing:
    """Groups the collection, and remembers the result for a few times as long as that took.

    So looking never keeps the database busy, and what is listed is as old as that at most. A prefix with few readings behind
    it is always looked up afresh.
    """

    #: Remembered for so many times the duration of the scan.
    KEEP: Final = 5.0
    #: A prefix with at most so many readings is looked up by itself.
    FEW: Final = 50_000

    def __init__(self, raw: AsyncCollection[Document], damaged: DamagedReadings) -> None:
        self._raw, self._damaged = raw, damaged
        self._lock = asyncio.Lock()
        self._all: list[StoredDevice] = []
        self._valid_until = 0.0

    async def rows_after(
        self, after: Pair, *, prefix: str, sensors: Sequence[str], limit: int
    ) -> tuple[list[StoredDevice], Pair, bool]:
        async with self._lock:
            if time.monotonic() >= self._valid_until:
                begun = time.monotonic()
                self._all = await self._group([])
                now = time.monotonic()
                self._valid_until = now + self.KEEP * (now - begun)
        rows = self._all
        if prefix and sum(row.count for row in rows if row.device_id.startswith(prefix)) <= self.FEW:
            rows = await self._group([{"$match": {"device_id": {"$gte": prefix, "$lt": prefix + "\U0010ffff"}}}])
        begin = bisect_right(rows, after, key=lambda row: (row.device_id, row.sensor))
        found: list[StoredDevice] = []
        for row in rows[begin:]:
            if row.sensor in sensors and row.device_id.startswith(prefix) and not is_canary(row.device_id, row.last_ms):
                found.append(row)
                if len(found) == limit:
                    return found, (row.device_id, row.sensor), False
        return found, after, True

    async def _group(self, before: list[Document]) -> list[StoredDevice]:
        rows: list[StoredDevice] = []
        async with await self._raw.aggregate([*before, _GROUP], allowDiskUse=True) as cursor:
            found = [row async for row in cursor]
        for row in found:
            try:
                rows.append(_stored_device(row))
            except documents.DamagedError as error:
                self._damaged.note(row["_id"], str(error))
                if (good := await self._good(row["_id"])) is not None:
                    rows.append(good)
        self._damaged.report()
        return sorted(rows, key=lambda row: (row.device_id, row.sensor))

    async def _good(self, pair: Document) -> StoredDevice | None:
        """Look a pair up again without its readings that have no time; None for what is no pair."""
        try:
            match = {"device_id": documents.device_id(pair), "sensor": documents.text(pair, "sensor"), "timestamp": _TIMES}
        except documents.DamagedError:
            return None
        async with await self._raw.aggregate([{"$match": match}, _GROUP]) as cursor:
            async for row in cursor:
                return _stored_device(row)
        return None


def _stored_device(row: Document) -> StoredDevice:
    """A row of `_GROUP`.

    Raises:
        DamagedError: a field of one of its readings is damaged.
    """
    return StoredDevice(
        documents.text(row, "_id.device_id", most=MAX_DEVICE_ID_CHARS),
        documents.text(row, "_id.sensor"),
        documents.time_ms(row, "first"),
        documents.time_ms(row, "last"),
        documents.count(row, "count", least=1),
    )
