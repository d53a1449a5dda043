"""The whole path on this machine: how soon windows are seen, and how many readings a second are stored for good."""

import statistics
import threading
import time
from collections.abc import Mapping
from typing import Any

import pymongo

from backend.contract.limits import WATERMARK_S
from backend.contract.names import COLLECTION_MESSAGES, COLLECTION_PROGRESS, DATABASE, JOB_AGGREGATE
from desktop.model.store import LiveStore
from desktop.services.windows_feed import WindowsFeed
from tests.benchmarks.report import Row, thousands
from tests.benchmarks.system import BenchSystem

_TRIGGER_S = 1.0
_STEP_S = 75
#: The sink writes in bursts: the lag's growth is taken between the medians of the first and the last so many seconds.
_EDGE_S = 20
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
    system.set_fleet(0)
    notes = tuple(
        f"asked {f['rate']} readings/s: stored {f['stored']:.0f}/s, not stored yet {f['lag']:.0f}, "
        f"growing by {f['growth']:.0f}/s; "
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


def _at(system: BenchSystem, rate: int) -> dict[str, Any]:
    """One step: the fleet at this rate for a while. Stored is counted in MongoDB, not told by anybody."""
    system.set_fleet(rate)
    stop, store = threading.Event(), _Delays()
    with pymongo.MongoClient[dict[str, Any]](system.mongo, tz_aware=True) as client:
        windows = WindowsFeed(client=client, sink=store)
        thread = threading.Thread(target=windows.run, args=(stop,))
        thread.start()
        raw, progress = (client[DATABASE][name] for name in (COLLECTION_MESSAGES, COLLECTION_PROGRESS))
        time.sleep(25)  # the fleet has joined and the first whole window is there
        store.delays.clear()
        batches, lags, seen = list[float](), list[float](), list[tuple[float, int]]()
        begun = time.monotonic()
        while time.monotonic() < begun + _STEP_S:
            acknowledged, stored = system.acknowledged(), raw.estimated_document_count()
            seen.append((time.monotonic(), stored))
            lags.append(acknowledged - stored)
            found = progress.find_one({"_id": JOB_AGGREGATE}) or {}
            batches.append(float(found.get("batch_duration_ms", 0.0)) / 1000)
            time.sleep(1)
        stop.set()
        thread.join(10)
    delays = sorted(store.delays)
    first, last = statistics.median(lags[:_EDGE_S]), statistics.median(lags[-_EDGE_S:])
    # The readings of an earlier step's removed devices are in both counts: only the growth means something absolute.
    offset = min(lags)
    return {
        "rate": rate,
        "stored": (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0]),
        "lag": last - offset,
        "growth": (last - first) / (seen[-1][0] - seen[0][0] - _EDGE_S),
        "batch_s": statistics.median(batches),
        "windows": len(delays),
        "median": statistics.median(delays) if delays else float("nan"),
        "p95": delays[min(len(delays) - 1, int(len(delays) * 0.95))] if delays else float("nan"),
    }
