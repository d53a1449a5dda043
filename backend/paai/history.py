"""Questions about stored readings, answered by MongoDB through ranges of the index (device_id, sensor, timestamp).

Works on the raw readings only, so answers are exact. Only plain operators are used: the stand-ins for MongoDB know them all,
and every query is a range of the index there too.
"""

import asyncio
import base64
import binascii
import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import pymongo
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from backend.common.errors import InvalidInputError, UnavailableError
from backend.contract.names import CANARY_DEVICE_ID, COLLECTION_MESSAGES, DATABASE
from backend.contract.times import from_datetime, to_datetime
from backend.paai.discovery import Discovery, GroupScan, Pair, SkipScan

#: Queries of one request that run at the same time.
PARALLEL: Final = 8
#: Rows of the device list that are looked up at once; a page asks for few more than it holds.
SLICE: Final = 32
#: A page of the device list that takes longer than this is given with what was found so far.
PAGE_BUDGET_S: Final = 5.0

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of one device and sensor.

    Attributes:
        device_id, sensor: Whose.
        average, maximum, minimum: Over the readings asked for.
        count: How many those are.
        first_ms, last_ms: Times of the earliest and the latest of them.
    """

    device_id: str
    sensor: str
    average: float
    maximum: float
    minimum: float
    count: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """One device and sensor of which readings are stored.

    Attributes:
        device_id, sensor: Which.
        first_ms, last_ms: Times of its earliest and latest reading.
        count: Number of its readings.
    """

    device_id: str
    sensor: str
    first_ms: int
    last_ms: int
    count: int


@dataclass(frozen=True, slots=True)
class DevicePage:
    """Some devices, in the order of the index, and where the next page begins.

    Attributes:
        devices: At most as many as asked for.
        next: Cursor of the next page, None at the end.
    """

    devices: list[StoredDevice]
    next: str | None


class History(Protocol):
    """What the routes ask. Every call raises UnavailableError when the answer cannot be had."""

    async def statistics(
        self, device_ids: Iterable[str], sensors: Sequence[str], *, from_ms: int | None, to_ms: int
    ) -> list[Statistics]:
        """Of readings with from_ms ≤ time < to_ms; sorted by device and sensor; without rows for what has no data."""
        ...

    async def devices(self, *, sensors: Sequence[str], prefix: str, limit: int, after: str | None) -> DevicePage:
        """One page. Raises InvalidInputError for a cursor that is none."""
        ...

    async def check(self) -> str:
        """Readiness: "" or what is wrong."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


def encode_cursor(device_id: str, sensor: str) -> str:
    """The cursor after this row."""
    return base64.urlsafe_b64encode(json.dumps([device_id, sensor]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[str, str]:
    """Device and sensor of the row that the cursor stands behind.

    Raises:
        InvalidInputError: it was not made by `encode_cursor`.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        device_id, sensor = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if isinstance(device_id, str) and isinstance(sensor, str):
            device_id.encode()
            return device_id, sensor
    except (ValueError, TypeError, binascii.Error, RecursionError):
        pass
    raise InvalidInputError(
        [{"type": "value_error", "loc": ["query", "after"], "msg": "must be the `next` of an earlier page"}]
    )


class MongoHistory:
    """History in MongoDB. Belongs to one event loop."""

    def __init__(self, *, uri: str, select_timeout_s: float, query_timeout_s: float) -> None:
        self._timeout_s = query_timeout_s
        ms = int(select_timeout_s * 1000)
        self._client: AsyncMongoClient[Document] = AsyncMongoClient(
            uri, serverSelectionTimeoutMS=ms, connectTimeoutMS=ms, maxPoolSize=32, appname="paai", tz_aware=True
        )
        options: CodecOptions[Document] = CodecOptions(tz_aware=True)
        self._raw = self._client[DATABASE].get_collection(COLLECTION_MESSAGES, codec_options=options)
        self._discovery: Discovery | None = None
        self._stand_in = False
        self._slots = asyncio.Semaphore(PARALLEL * 4)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def check(self) -> str:
        try:
            with pymongo.timeout(2.0):
                await self._client.admin.command("ping")
        except PyMongoError as error:
            return f"MongoDB does not answer: {str(error)[:200]}"
        return ""

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        try:
            with pymongo.timeout(self._timeout_s):
                yield
        except PyMongoError as error:
            if getattr(error, "timeout", False):
                text = "MongoDB did not answer in time. Repeat it, or ask for less."
            else:
                text = "MongoDB cannot be asked at the moment. Repeat it."
            raise UnavailableError(text, retry_after_s=2) from error

    async def statistics(
        self, device_ids: Iterable[str], sensors: Sequence[str], *, from_ms: int | None, to_ms: int
    ) -> list[Statistics]:
        times: dict[str, datetime] = {"$lt": to_datetime(to_ms)}
        if from_ms is not None:
            times["$gte"] = to_datetime(from_ms)
        wanted = iter(sorted(set(device_ids)))
        rows: list[Statistics] = []

        async def work() -> None:
            for device_id in wanted:  # shared by the workers: each takes the next one
                for sensor in sensors:
                    async with self._slots:
                        row = await self._one(device_id, sensor, times)
                    if row is not None:
                        rows.append(row)

        async with self._bounded():
            await _all(work() for _ in range(PARALLEL))
        return sorted(rows, key=lambda row: (row.device_id, row.sensor))

    async def _one(self, device_id: str, sensor: str, times: dict[str, datetime] | None) -> Statistics | None:
        """One range of the index, grouped on the server."""
        match: Document = {"device_id": device_id, "sensor": sensor}
        if times is not None:
            match["timestamp"] = times
        pipeline: list[Document] = [
            {"$match": match},
            {
                "$group": {
                    "_id": None,
                    "average": {"$avg": "$value"},
                    "maximum": {"$max": "$value"},
                    "minimum": {"$min": "$value"},
                    "count": {"$sum": 1},
                    "first": {"$min": "$timestamp"},
                    "last": {"$max": "$timestamp"},
                }
            },
        ]
        async with await self._raw.aggregate(pipeline) as cursor:
            async for found in cursor:
                return Statistics(
                    device_id,
                    sensor,
                    float(found["average"]),
                    float(found["maximum"]),
                    float(found["minimum"]),
                    int(found["count"]),
                    from_datetime(found["first"]),
                    from_datetime(found["last"]),
                )
        return None

    async def devices(self, *, sensors: Sequence[str], prefix: str, limit: int, after: str | None) -> DevicePage:
        deadline = time.monotonic() + PAGE_BUDGET_S
        last = decode_cursor(after) if after else ("", "")
        rows: list[StoredDevice] = []
        complete = False
        async with self._bounded():
            discovery = await self._discover()
            while len(rows) <= limit and not complete and time.monotonic() < deadline:
                pairs, complete = await discovery.pairs_after(last, prefix=prefix, limit=limit + 1, deadline=deadline)
                wanted = [pair for pair in pairs if pair[1] in sensors and pair[0] != CANARY_DEVICE_ID]
                # One more than the page holds tells whether there is a next one.
                for begin in range(0, len(wanted), SLICE):
                    rows += await self._rows(wanted[begin : begin + SLICE])
                    last = wanted[min(begin + SLICE, len(wanted)) - 1]
                    if len(rows) > limit or time.monotonic() >= deadline:
                        complete = complete and begin + SLICE >= len(wanted)
                        break
                else:
                    last = pairs[-1] if pairs else last
        if len(rows) > limit:
            rows = rows[:limit]
            last, complete = (rows[-1].device_id, rows[-1].sensor), False
        return DevicePage(rows, None if complete else encode_cursor(*last))

    async def _discover(self) -> Discovery:
        if self._discovery is None:
            about = await self._client.admin.command("buildInfo")
            self._stand_in = "secantusVersion" in about
            self._discovery = GroupScan(self._raw) if self._stand_in else SkipScan(self._raw)
        return self._discovery

    async def _rows(self, pairs: Sequence[Pair]) -> list[StoredDevice]:
        waiting = iter(pairs)
        rows: list[StoredDevice] = []

        async def work() -> None:
            for device_id, sensor in waiting:
                async with self._slots:
                    row = await self._row(device_id, sensor)
                if row is not None:
                    rows.append(row)

        await _all(work() for _ in range(PARALLEL))
        return sorted(rows, key=lambda row: (row.device_id, row.sensor))

    async def _row(self, device_id: str, sensor: str) -> StoredDevice | None:
        of_pair: Document = {"device_id": device_id, "sensor": sensor}
        if self._stand_in:
            # It reads the whole range for each of the three questions below; so ask once.
            found = await self._one(device_id, sensor, None)
            return None if found is None else StoredDevice(device_id, sensor, found.first_ms, found.last_ms, found.count)
        only_time = {"_id": 0, "timestamp": 1}
        first = await self._raw.find_one(of_pair, only_time, sort=[("timestamp", 1)])
        if first is None:
            return None
        last = await self._raw.find_one(of_pair, only_time, sort=[("timestamp", -1)])
        count = await self._raw.count_documents(of_pair)
        if last is None or not count:
            return None  # removed in between
        return StoredDevice(device_id, sensor, from_datetime(first["timestamp"]), from_datetime(last["timestamp"]), count)


async def _all(work: Iterable[Any]) -> None:
    """Run all; the first failure ends the others and is raised as it is."""
    tasks = [asyncio.ensure_future(item) for item in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
