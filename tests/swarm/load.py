"""Load through the gateway, and the record of what was acknowledged: the oracle."""

import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import httpx
from pymongo.database import Database

from backend.contract.devices import DEVICE_TYPES, DeviceType
from backend.contract.names import COLLECTION_AGGREGATES, COLLECTION_MESSAGES
from stack.target import Endpoints
from tests.helpers.wait import wait_until

#: device_id, sensor, time in ms
Identity = tuple[str, str, int]
Document = dict[str, Any]

_WINDOW_MS = 10_000


def kind_of(device: int) -> DeviceType:
    return DEVICE_TYPES[device % len(DEVICE_TYPES)]


@dataclass
class Load:
    """Posts batches in a thread, each until it was taken; `with` starts and ends it.

    Attributes:
        prefix: Of its devices.
        devices: How many there are.
        interval_s: Between two batches; each has one reading of every device.
        acknowledged: Value of every identity that was acknowledged.
        failures: What went wrong with single requests; they were repeated.
        longest_s: The longest that a request that was answered 200 took.
        longest_gap_s: The longest that a batch waited from its first request until it was taken, repetitions included.
    """

    endpoints: Endpoints
    prefix: str
    devices: int = 20
    interval_s: float = 0.2
    acknowledged: dict[Identity, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    longest_s: float = 0.0
    longest_gap_s: float = 0.0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"load-{self.prefix}")
        self._random = random.Random(20261124)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        assert not self._thread.is_alive(), "the load did not end"

    def stop(self) -> None:
        """End it; what was begun is finished."""
        self._stop.set()
        self._thread.join(180)

    def wait_for(self, more: int, timeout_s: float = 180.0) -> None:
        """Until that many more readings were acknowledged."""
        wanted = len(self.acknowledged) + more
        wait_until(lambda: len(self.acknowledged) >= wanted, timeout_s, f"{more} more acknowledged readings", interval_s=0.2)

    def _run(self) -> None:
        headers = {"Authorization": f"Bearer {self.endpoints.token}"}
        with httpx.Client(base_url=self.endpoints.paai, headers=headers, timeout=30, trust_env=False) as client:
            while not self._stop.wait(self.interval_s):
                self._batch(client)

    def _batch(self, client: httpx.Client) -> None:
        now_ms = time.time_ns() // 1_000_000
        values: dict[Identity, float] = {}
        body = []
        for device in range(self.devices):
            kind, identity = kind_of(device), (f"{self.prefix}{device:03}", kind_of(device).sensor, now_ms)
            values[identity] = round(self._random.uniform(40, 60) + (900 if kind.sensor == "pressure" else 0), 2)
            body.append({"device_id": identity[0], "tag": kind.tag, "timestamp": now_ms / 1000, kind.field: values[identity]})
        # One that was begun is repeated until it is taken, so that nothing is left in doubt.
        first = time.monotonic()
        deadline = first + 120
        while time.monotonic() < deadline:
            began = time.monotonic()
            try:
                answer = client.post("/api/v1/devices", json=body)
            except httpx.HTTPError as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            else:
                if answer.status_code == 200:
                    self.longest_s = max(self.longest_s, time.monotonic() - began)
                    self.longest_gap_s = max(self.longest_gap_s, time.monotonic() - first)
                    self.acknowledged |= values
                    return
                self.failures.append(f"{answer.status_code}: {answer.text[:200]}")
            self._stop.wait(0.2)
        self.failures.append("given up")

    def stored_exactly_once(self, database: Database[Document], *, timeout_s: float = 180.0) -> None:
        """Every acknowledged reading is in MongoDB, once, with its value."""
        query = {"device_id": {"$gte": self.prefix, "$lt": f"{self.prefix}~"}}
        raw = database[COLLECTION_MESSAGES]
        wanted = len(self.acknowledged)
        wait_until(lambda: raw.count_documents(query) >= wanted, timeout_s, f"{wanted} readings in MongoDB", interval_s=1)
        found = [(d["device_id"], d["sensor"], round(d["timestamp"].timestamp() * 1000), d["value"]) for d in raw.find(query)]
        assert len(found) == len({row[:3] for row in found}), "a reading is stored twice"
        stored = {row[:3]: row[3] for row in found}
        missing = self.acknowledged.keys() - stored.keys()
        assert not missing, f"{len(missing)} acknowledged readings are not stored, for example {sorted(missing)[:3]}"
        assert {key: stored[key] for key in self.acknowledged} == self.acknowledged

    def brute_force(self, *, from_ms: int, to_ms: int) -> dict[tuple[str, int], tuple[int, float, float, float]]:
        """Device and window's start → count, minimum, maximum, average, of whole windows in that time."""
        windows: dict[tuple[str, int], list[float]] = {}
        for (device, _, t_ms), value in self.acknowledged.items():
            if from_ms <= t_ms < to_ms:
                windows.setdefault((device, t_ms // _WINDOW_MS * _WINDOW_MS), []).append(value)
        return {key: (len(v), min(v), max(v), round(sum(v) / len(v), 6)) for key, v in windows.items()}

    def windows(self, database: Database[Document], *, from_ms: int, to_ms: int) -> dict[
        tuple[str, int], tuple[int, float, float, float]
    ]:  # fmt: skip
        """The same, as Spark wrote it."""
        query = {
            "device_id": {"$gte": self.prefix, "$lt": f"{self.prefix}~"},
            "window.start": {"$gte": _time(from_ms)},
            "window.end": {"$lte": _time(to_ms)},
        }
        return {
            (w["device_id"], round(w["window"]["start"].timestamp() * 1000)): (
                w["count"], w["min"], w["max"], round(w["avg"], 6),
            )
            for w in database[COLLECTION_AGGREGATES].find(query)
        }  # fmt: skip


def whole_windows(load: Load) -> tuple[int, int]:
    """From the first whole window of the load to the last, in ms."""
    times = sorted(t for _, _, t in load.acknowledged)
    return -(-times[0] // _WINDOW_MS) * _WINDOW_MS, times[-1] // _WINDOW_MS * _WINDOW_MS


def _time(t_ms: int) -> datetime:
    return datetime.fromtimestamp(t_ms / 1000, UTC)
