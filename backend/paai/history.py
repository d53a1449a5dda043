"""Questions about stored readings, answered by MongoDB through ranges of the index (device_id, sensor, timestamp).

Works on the raw readings only, so answers are exact. Only plain operators are used: the stand-ins for MongoDB know them all,
and every query is a range of the index there too.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, Protocol

import pymongo
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from backend.common.errors import UnavailableError
from backend.common.mongo_errors import LOGIN_REFUSED, is_login_refused, short
from backend.contract.documents import DECODING
from backend.contract.names import COLLECTION_MESSAGES, DATABASE
from backend.contract.times import to_datetime
from backend.paai.concurrency import run_all
from backend.paai.listing import GroupedListing, Listing, SteppingListing
from backend.paai.stored import DevicePage, Statistics, StoredDevice, decode_cursor, encode_cursor
from backend.paai.summary import FIRST_TIME, DamagedReadings, summarise

#: Queries of one request that run at the same time.
PARALLEL: Final = 8
#: Up to so many devices are asked for one by one, which is quickest where each has many readings.
FEW_DEVICES: Final = 50
#: Devices of one question to the database where there are more: the stand-in's Python build gives the 80 rows of 20 devices in
#: 10 ms together and in 700 ms one by one; with 200 devices a row takes 20 times as long as with 20.
DEVICES_AT_ONCE: Final = 20
#: A page of the device list that takes longer than this is given with what was found so far.
PAGE_BUDGET_S: Final = 5.0

Document = dict[str, Any]


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


class MongoHistory:
    """History in MongoDB. Belongs to one event loop."""

    def __init__(
        self, *, uri: str, select_timeout_s: float, query_timeout_s: float, damaged: DamagedReadings | None = None
    ) -> None:
        self._timeout_s, self._select_timeout_s = query_timeout_s, select_timeout_s
        ms = int(select_timeout_s * 1000)
        self._client: AsyncMongoClient[Document] = AsyncMongoClient(
            uri, **DECODING, serverSelectionTimeoutMS=ms, connectTimeoutMS=ms, maxPoolSize=32, appname="paai"
        )
        self._raw = self._client[DATABASE][COLLECTION_MESSAGES]
        self._damaged = damaged or DamagedReadings()
        self._listing: Listing | None = None
        self._slots = asyncio.Semaphore(PARALLEL * 4)

    @property
    def damaged_total(self) -> int:
        """How many stored readings were left out of answers because a field is damaged."""
        return self._damaged.total

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def check(self) -> str:
        try:
            with pymongo.timeout(self._select_timeout_s):
                await self._client.admin.command("ping")
        except PyMongoError as error:
            return LOGIN_REFUSED if is_login_refused(error) else f"MongoDB does not answer: {short(error)}"
        return ""

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        try:
            # The driver would let the search for a server take as long as the whole question may; a database that is gone
            # or stands still is found out here.
            with pymongo.timeout(self._select_timeout_s):
                await self._client.admin.command("ping")
        except PyMongoError as error:
            raise UnavailableError("MongoDB does not answer. Repeat it.", retry_after_s=2) from error
        try:
            with pymongo.timeout(self._timeout_s):
                yield
        except PyMongoError as error:
            slow = getattr(error, "timeout", False)
            why = f"took longer than {self._timeout_s:g} s; ask for less" if slow else "could not answer; repeat it"
            raise UnavailableError(f"MongoDB {why}.", retry_after_s=2) from error

    async def statistics(
        self, device_ids: Iterable[str], sensors: Sequence[str], *, from_ms: int | None, to_ms: int
    ) -> list[Statistics]:
        # Bounded below in any case: only dates match a date, and only these can be answered.
        begin = FIRST_TIME if from_ms is None else max(to_datetime(from_ms), FIRST_TIME)
        times: dict[str, datetime] = {"$gte": begin, "$lt": to_datetime(to_ms)}
        wanted = sorted(set(device_ids))
        size = 1 if len(wanted) <= FEW_DEVICES else DEVICES_AT_ONCE
        groups = iter([wanted[at : at + size] for at in range(0, len(wanted), size)])
        rows: list[Statistics] = []

        async def work() -> None:
            for group in groups:  # shared by the workers: each takes the next one
                async with self._slots:
                    rows.extend(await self._of_devices(group, sensors, times))

        async with self._bounded():
            await run_all(work() for _ in range(PARALLEL))
        return sorted(rows, key=lambda row: (row.device_id, row.sensor))

    async def _of_devices(self, group: list[str], sensors: Sequence[str], times: dict[str, datetime]) -> list[Statistics]:
        """Ranges of the index, grouped on the server: one of each sensor for one device, of several devices together."""
        if len(group) > 1:
            match = {"device_id": {"$in": group}, "timestamp": times}
            return await summarise(self._raw, match, group, sensors, self._damaged)
        rows: list[Statistics] = []
        for sensor in sensors:
            match = {"device_id": group[0], "sensor": sensor, "timestamp": times}
            rows += await summarise(self._raw, match, group, [sensor], self._damaged)
        return rows

    async def devices(self, *, sensors: Sequence[str], prefix: str, limit: int, after: str | None) -> DevicePage:
        deadline = time.monotonic() + PAGE_BUDGET_S
        last = decode_cursor(after) if after else ("", "")
        rows: list[StoredDevice] = []
        complete = False
        async with self._bounded():
            listing = await self._find_listing()
            # One row more than the page holds tells whether there is a next page.
            while len(rows) <= limit and not complete and time.monotonic() < deadline:
                found, last, complete = await listing.rows_after(
                    last, prefix=prefix, sensors=sensors, limit=limit + 1 - len(rows)
                )
                rows += found
        if len(rows) > limit:
            rows = rows[:limit]
            last, complete = (rows[-1].device_id, rows[-1].sensor), False
        return DevicePage(rows, None if complete else encode_cursor(*last))

    def use_listing(self, kind: type[GroupedListing] | type[SteppingListing]) -> None:
        """List devices this way, instead of the way that suits the database."""
        self._listing = kind(self._raw, self._damaged)

    async def _find_listing(self) -> Listing:
        if self._listing is None:
            about = await self._client.admin.command("buildInfo")
            self.use_listing(GroupedListing if "secantusVersion" in about else SteppingListing)
        assert self._listing is not None  # noqa: S101 - tells the type checker
        return self._listing
