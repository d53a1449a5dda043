"""The whole path on this machine: how soon windows are seen, and how many readings a second are stored for good."""

import statistics
import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx
import pymongo

from backend.contract.limits import WATERMARK_S
from backend.contract.names import COLLECTION_PROGRESS, DATABASE, JOB_AGGREGATE
from desktop.model.store import LiveStore
from desktop.services.kafka_feed import KafkaLogin
from desktop.services.sink_lag import SinkLag
from desktop.services.windows_feed import WindowsFeed
from tests.benchmarks.report import Row, thousands
from tests.benchmarks.system import BenchSystem

_TRIGGER_S = 1.0
_STEP_S = 75.0
_RATES = (1000, 2000, 3000, 4000)


class _Delays(LiveStore):
    """A store that keeps every delay it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: list[float] = []

    def note_window_delay(self, seconds: float) -> None:
        """Keep it."""
        self.delays.append(seconds)
        super().note_window_delay(seconds)


def run(system: BenchSystem) -> list[Row]:
    """Windows at 1 000 devices, then the rate upwards until the lag grows."""
    rows, table = [], []
    limit = 0.0
    for rate in _RATES:
        found = _at(system, rate)
        table.append(found)
        if rate == 1000:
            rows.append(_windows_row(found))
        if found["growth"] > 0.02 * rate or found["stored"] < 0.95 * rate:
            break
        limit = rate
    _set_fleet(system, 0)
    notes = tuple(
        f"asked {f['rate']} readings/s: stored {f['stored']:.0f}/s, lag {f['lag']:.0f} records, growth {f['growth']:.0f}/s; "
        f"Spark batches {f['batch_s']:.1f} s, windows p95 {f['p95']:.1f} s after their end"
        for f in table
    )
    rows.append(
        Row("sustained end to end, every service on this machine", f"{thousands(limit)} readings/s", "", "", "≥ 2 000", notes)
    )
    return rows


def _windows_row(found: Mapping[str, Any]) -> Row:
    bound = WATERMARK_S + 2 * _TRIGGER_S + found["batch_s"] + 0.5
    return Row(
        "last row of a window visible in the desktop after the window's end, p95, 1 000 devices",
        f"{found['p95']:.1f} s",
        f"{bound:.1f} s",
        f"{found['p95'] / bound:.2f}",
        "≤ watermark + 2 triggers + batch duration + 0.5 s",
        (f"{found['windows']} windows; median {found['median']:.1f} s; batches take {found['batch_s']:.1f} s.",),
    )


def _set_fleet(system: BenchSystem, devices: int) -> None:
    per_type = dict.fromkeys(("Thermostat", "Barometer", "Hygrometer", "HeartRateMeter"), devices // 4)
    httpx.put(f"{system.target.endpoints().generator}/api/v1/fleet", json=per_type, timeout=10).raise_for_status()


def _at(system: BenchSystem, rate: int) -> dict[str, Any]:
    _set_fleet(system, rate)
    stop, store = threading.Event(), _Delays()
    with pymongo.MongoClient[dict[str, Any]](system.mongo, tz_aware=True) as client:
        lag = SinkLag(login=KafkaLogin(system.kafka))
        windows = WindowsFeed(client=client, sink=store)
        threads = [threading.Thread(target=run, args=(stop,)) for run in (lag.run, windows.run)]
        for thread in threads:
            thread.start()
        batches: list[float] = []
        time.sleep(25)  # the fleet has joined and the first whole window is there
        store.delays.clear()
        end = time.monotonic() + _STEP_S
        while time.monotonic() < end:
            progress = client[DATABASE][COLLECTION_PROGRESS].find_one({"_id": JOB_AGGREGATE}) or {}
            batches.append(float(progress.get("batch_duration_ms", 0.0)) / 1000)
            time.sleep(1)
        stop.set()
        for thread in threads:
            thread.join(10)
    delays = sorted(store.delays)
    return {
        "rate": rate,
        "stored": lag.progress.stored_per_s,
        "lag": lag.progress.lag,
        "growth": lag.progress.growth_per_s,
        "batch_s": statistics.median(batches),
        "windows": len(delays),
        "median": statistics.median(delays) if delays else float("nan"),
        "p95": delays[min(len(delays) - 1, int(len(delays) * 0.95))] if delays else float("nan"),
    }
