"""The windows feed against collections in memory."""

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract.documents import DamagedError, LeftOut
from desktop.model.windows import Window
from desktop.services.job_progress import read_progress
from desktop.services.stored_windows import stored_window
from desktop.services.windows_feed import REREAD_AFTER_S, WindowsFeed
from tests.helpers.documents import damaged, replaced, window, without
from tests.helpers.fake_mongo import FakeMongo

T0 = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)


class Sink:
    def __init__(self) -> None:
        self.fleet: dict[tuple[str, int], Window] = {}
        self.devices: dict[tuple[str, str, int], Window] = {}
        self.delays: list[float] = []
        self.late = -1

    def ingest_windows(self, windows: Iterable[Window]) -> None:
        for w in windows:
            if w.device_id is None:
                self.fleet[w.sensor, w.start_ms] = w
            else:
                self.devices[w.sensor, w.device_id, w.start_ms] = w

    def note_window_delay(self, seconds: float) -> None:
        self.delays.append(seconds)

    def note_late_rows(self, rows: int) -> None:
        self.late = rows


class System:
    """A feed, its collections and a clock that tests move."""

    def __init__(self) -> None:
        self.mongo = FakeMongo()
        self.sink = Sink()
        self.now = T0.timestamp()
        self.said: list[str] = []
        self.left_out = LeftOut(self.said.append)
        client = cast(MongoClient[dict[str, Any]], self.mongo)
        self.feed = WindowsFeed(client=client, sink=self.sink, clock=lambda: self.now, left_out=self.left_out)

    def put(self, start_s: int, device: str = "a", avg: float = 20.0, count: int = 10, sensor: str = "temperature") -> None:
        start = T0 + timedelta(seconds=start_s)
        self.mongo["aggregated_messages"].documents.append(
            {
                "_id": f"{start_s}/{sensor}/{device}", "window": {"start": start, "end": start + timedelta(seconds=10)},
                "device_id": device, "sensor": sensor, "avg": avg, "min": avg - 1, "max": avg + 1, "count": count,
            }
        )  # fmt: skip

    def poll(self, times: int = 1, step_s: float = 0.25) -> None:
        for _ in range(times):
            self.feed.poll()
            self.now += step_s

    def starts(self) -> list[int]:
        return sorted(int(start / 1000 - T0.timestamp()) for _, start in self.sink.fleet)


def test_devices_are_combined_with_their_counts_as_weight() -> None:
    s = System()
    s.put(-20, "a", 10.0, 30)
    s.put(-20, "b", 20.0, 10)
    s.poll()
    window = s.sink.fleet["temperature", int(T0.timestamp() - 20) * 1000]
    assert (window.avg, window.low, window.high, window.count) == (12.5, 9.0, 21.0, 40)


def test_a_new_window_comes_with_its_delay() -> None:
    s = System()
    s.put(-20)
    s.poll()
    assert s.sink.delays == []  # it was there before the start
    s.now = T0.timestamp() + 15.5
    s.put(0)
    s.poll()
    assert s.sink.delays == [5.5]
    assert s.starts() == [-20, 0]


def test_rows_that_come_later_are_seen_until_the_window_settles() -> None:
    s = System()
    s.now += 15
    s.put(0, "a", 10.0)
    s.poll()
    for n in range(5):
        s.put(0, f"more{n}", 10.0)
        s.poll(step_s=REREAD_AFTER_S[-1])
    assert s.sink.fleet["temperature", int(T0.timestamp()) * 1000].count == 60


def test_once_it_has_settled_only_the_cheap_question_is_asked() -> None:
    s = System()
    s.put(-20)
    s.poll(200)
    asked = s.mongo["aggregated_messages"].queries
    s.poll(20)
    assert s.mongo["aggregated_messages"].queries == asked + 20


def test_older_windows_that_spark_caught_up_on_are_seen() -> None:
    s = System()
    s.now += 60
    s.put(40)
    s.poll()
    s.put(20)
    s.poll(40)
    assert s.starts() == [20, 40]


def test_the_last_hour_is_read_newest_first_and_no_more() -> None:
    s = System()
    for start in range(-7200, 0, 60):
        s.put(start)
    s.poll()
    assert min(s.starts()) >= -140
    s.poll(60)
    # The clock went on while it was read, so the first window of the hour may have left it.
    assert s.starts() in (list(range(-3600, 0, 60)), list(range(-3540, 0, 60)))


def test_a_window_from_the_far_future_hides_nothing() -> None:
    s = System()
    s.put(10**7)
    s.poll()
    s.now += 15
    s.put(0)
    s.poll()
    assert s.starts() == [0]


def test_focus_devices_have_their_past_and_what_comes() -> None:
    s = System()
    s.put(-3000, "a")
    s.put(-20, "a")
    s.put(-20, "b")
    s.feed.set_focus(["a"])
    s.poll()
    s.now += 15
    s.put(0, "a", 33.0)
    s.poll()
    found = {(d, int(start / 1000 - T0.timestamp())) for _, d, start in s.sink.devices}
    assert found == {("a", -3000), ("a", -20), ("a", 0)}


def test_what_is_no_window_is_left_out() -> None:
    for row in damaged(window("a")):
        with contextlib.suppress(DamagedError):
            assert stored_window(row).sensor  # no other exception
    for broken in ({}, replaced(window("a"), "avg", "21,5"), without(window("a"), "max")):
        with pytest.raises(DamagedError):
            stored_window(broken)


def test_a_damaged_window_leaves_its_neighbours_and_is_reported_once() -> None:
    s = System()
    s.put(-20, "a", 10.0, 30)
    s.put(-20, "b", 20.0, 10)
    start = T0 - timedelta(seconds=20)
    bad = [
        replaced(window("c", at=start), "avg", "21,5"),
        without(window("d", at=start), "max"),
        replaced(window("e", at=start), "window.start", "2026"),
    ]
    s.mongo["aggregated_messages"].documents += bad
    s.poll(20)
    combined = s.sink.fleet["temperature", int(start.timestamp()) * 1000]
    assert (combined.avg, combined.low, combined.high, combined.count) == (12.5, 9.0, 21.0, 40)
    assert s.left_out.counts() == {"aggregated_messages": 3}
    s.left_out.report()
    s.left_out.report()
    assert len(s.said) == 1
    assert s.said[0].startswith("3 documents of aggregated_messages left out: avg is not a number")


def test_an_outage_is_raised_to_the_loop_and_forgotten_after_it() -> None:
    s = System()
    s.poll()
    s.mongo.down = True
    with pytest.raises(PyMongoError):
        s.poll()
    s.mongo.down = False
    s.now += 15
    s.put(0)
    s.poll()
    assert s.starts() == [0]


def test_progress_is_read_where_there_is_some() -> None:
    s = System()
    s.poll()
    assert s.sink.late == -1
    s.mongo["job_progress"].documents.append({"_id": "aggregate", "late_rows": 7, "batch_duration_ms": 1500, "updated_at": T0})
    s.now += 1
    s.poll()
    assert s.sink.late == 7


def test_what_the_job_tells() -> None:
    told = read_progress(
        {
            "input_rows_per_second": 100.0, "processed_rows_per_second": 250, "batch_duration_ms": 1500, "watermark": T0,
            "lag": 12, "late_rows": 3, "updated_at": T0,
        }
    )  # fmt: skip
    at = T0.timestamp()
    assert (told.at, told.input_per_s, told.processed_per_s, told.batch_s, told.watermark, told.lag, told.late_rows) == (
        at, 100.0, 250.0, 1.5, at, 12, 3,
    )  # fmt: skip
    odd = read_progress({"lag": "x", "watermark": None, "late_rows": True})
    assert (odd.lag, odd.late_rows) == (-1, 0)
