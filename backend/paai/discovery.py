"""Which devices have stored readings: finding the next ones in the order of the index (device_id, sensor, timestamp).

Two ways, since there are two kinds of database:
- MongoDB steps from one device to the next through the index, whatever lies between (`SkipScan`).
- Its stand-in reads a whole range before it gives the first document of it, but groups a collection quickly (`GroupScan`).
"""

import asyncio
import time
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final, Protocol

from pymongo.asynchronous.collection import AsyncCollection

from backend.contract.devices import SENSORS

Document = dict[str, Any]
Pair = tuple[str, str]


class Discovery(Protocol):
    """Finds pairs of device and sensor."""

    async def pairs_after(self, after: Pair, *, prefix: str, limit: int, deadline: float) -> tuple[list[Pair], bool]:
        """Sorted pairs that may have readings, behind `after`, with device ids that begin with `prefix`.

        Args:
            after: The last pair known.
            prefix: Of the device id.
            limit: About how many devices are wanted; more may come.
            deadline: Moment of `time.monotonic` at which to be content with what was found.

        Returns:
            The pairs, and whether there are no more behind them. At least one pair unless there are no more or it is late.
        """
        ...


class SkipScan:
    """One step of the index per device, however many readings it has."""

    def __init__(self, raw: AsyncCollection[Document]) -> None:
        self._raw = raw

    async def pairs_after(self, after: Pair, *, prefix: str, limit: int, deadline: float) -> tuple[list[Pair], bool]:
        device_id, sensor = after
        pairs = [(device_id, s) for s in sorted(SENSORS) if s > sensor] if device_id and device_id.startswith(prefix) else []
        bounds: Document = {"$gt": device_id} if device_id >= prefix else {"$gte": prefix}
        for _ in range(limit):
            found = await self._raw.find_one({"device_id": bounds}, {"_id": 0, "device_id": 1}, sort=[("device_id", 1)])
            if found is None or not found["device_id"].startswith(prefix):
                return pairs, True
            pairs += [(found["device_id"], s) for s in sorted(SENSORS)]
            bounds = {"$gt": found["device_id"]}
            if time.monotonic() >= deadline:
                break
        return pairs, False


class GroupScan:
    """Groups the collection, and remembers the result for a few times as long as that took.

    So a list is complete but for devices of the last moments, and looking never keeps the database busy. A prefix with few
    readings behind it is always looked up afresh.
    """

    #: Remembered for so many times the duration of the scan.
    KEEP: Final = 5.0
    #: A prefix with at most so many readings is looked up by itself.
    FEW: Final = 50_000

    def __init__(self, raw: AsyncCollection[Document]) -> None:
        self._raw = raw
        self._lock = asyncio.Lock()
        self._counts: dict[Pair, int] = {}
        self._pairs: list[Pair] = []
        self._valid_until = 0.0

    async def pairs_after(self, after: Pair, *, prefix: str, limit: int, deadline: float) -> tuple[list[Pair], bool]:
        async with self._lock:
            if time.monotonic() >= self._valid_until:
                await self._scan()
        pairs: Sequence[Pair] = self._pairs
        if prefix and sum(count for pair, count in self._counts.items() if pair[0].startswith(prefix)) <= self.FEW:
            pairs = sorted(await self._group([{"$match": {"device_id": {"$gte": prefix, "$lt": prefix + "\U0010ffff"}}}]))
        begin = bisect_right(pairs, after)
        return [pair for pair in pairs[begin:] if pair[0].startswith(prefix)], True

    async def _scan(self) -> None:
        begun = time.monotonic()
        self._counts = await self._group([])
        self._pairs = sorted(self._counts)
        now = time.monotonic()
        self._valid_until = now + self.KEEP * (now - begun)

    async def _group(self, before: list[Document]) -> dict[Pair, int]:
        group = {"$group": {"_id": {"device_id": "$device_id", "sensor": "$sensor"}, "count": {"$sum": 1}}}
        async with await self._raw.aggregate([*before, group], allowDiskUse=True) as cursor:
            return {(row["_id"]["device_id"], row["_id"]["sensor"]): int(row["count"]) async for row in cursor}
