"""Exports: whole or not at all, safe for spreadsheets, read back the same."""

import errno
import os
import stat
import threading
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from pymongo import MongoClient

from desktop.model.readings import ReadingBatch
from desktop.model.snapshot import ViewRequest
from desktop.model.store import LiveStore
from desktop.services.errors import ExportError, UnreachableError
from desktop.services.exports.base import Progress
from desktop.services.exports.csv_file import CancelledError, CsvFile, iso_times, safe_text
from desktop.services.exports.screen import HEADER, ScreenExport, ScreenExporter, What
from desktop.services.exports.stored import AggregatesExport, AggregatesExporter, RawExport, RawExporter
from tests.helpers.fake_feed import FakeFeed
from tests.helpers.fake_mongo import FakeMongo

T0 = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)
START = T0.timestamp()


def ignore(_: Progress) -> None: ...


def never() -> threading.Event:
    return threading.Event()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_what_looks_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_text(text) == "'" + text


@pytest.mark.parametrize("text", ["thermostat-00001", "1", "", "a=b", "日本"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


def test_times_are_utc_with_milliseconds() -> None:
    assert iso_times(np.array([0, 1_795_498_200_123])) == ["1970-01-01T00:00:00.000Z", "2026-11-24T05:30:00.123Z"]


def test_a_file_appears_whole_and_with_the_users_own_permissions(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("what was there before")
    seen: list[Progress] = []
    with CsvFile(path, ("a", "b"), on_progress=seen.append, cancel=never()) as file:
        file.write([('x,"y', 0.1), ("ü", -1e-300)])
        assert path.read_text() == "what was there before"
    assert path.read_bytes() == 'a,b\r\n"x,""y",0.1\r\nü,-1e-300\r\n'.encode()
    assert (file.result().rows, file.result().size_bytes) == (2, path.stat().st_size)
    assert seen[-1] == Progress(2, 1.0)
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "plain"]


@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyboardInterrupt()])
def test_an_error_leaves_nothing_behind(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")

    def export() -> None:
        with CsvFile(path, ("a",), on_progress=ignore, cancel=never()) as file:
            file.write([("x",)])
            raise error

    with pytest.raises(type(error)):
        export()
    assert path.read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_cancel_leaves_nothing_behind(tmp_path: Path) -> None:
    cancel = threading.Event()
    with pytest.raises(CancelledError), CsvFile(tmp_path / "out.csv", ("a",), on_progress=ignore, cancel=cancel):
        cancel.set()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ExportError) as caught, CsvFile(tmp_path / "no" / "out.csv", ("a",), on_progress=ignore, cancel=never()):
        pass
    assert "No such file" in str(caught.value)
    assert caught.value.remedy


def test_a_full_disk_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.csv"

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def export() -> None:
        with CsvFile(path, ("a",), on_progress=ignore, cancel=never()) as file:
            file.write([("x",)])

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExportError) as caught:
        export()
    assert "No space left" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


# --- what is on screen -------------------------------------------------------------------------------------------------


@pytest.fixture
def store() -> LiveStore:
    made = LiveStore(clock=lambda: START + 65)
    made.set_focus(["thermostat-00001", "=evil"])
    FakeFeed(made, windows_behind_s=5).play(START, START + 65)
    evil = [("=evil", "temperature", round((START + i) * 1000), -float(i)) for i in range(60)]
    made.ingest(ReadingBatch.of(evil, received=START + 65))
    return made


def test_the_screen_as_it_is(store: LiveStore, tmp_path: Path) -> None:
    request = ViewRequest(START + 5, START + 55, 20, ("thermostat-00001", "=evil"))
    snapshot = store.snapshot(request)
    path = tmp_path / "screen.csv"
    result = ScreenExporter(store).run(ScreenExport.of(path, snapshot, "temperature"), ignore, never())
    frame = pd.read_csv(path, keep_default_na=False, dtype={"device_id": str})
    assert tuple(frame.columns) == HEADER
    assert len(frame) == result.rows
    raw = frame[(frame["kind"] == "raw") & (frame["device_id"] == "thermostat-00001")]
    kept = store.raw_range("temperature", START + 5, START + 55, ["thermostat-00001"])
    assert raw["value"].astype(float).tolist() == kept.value.tolist()
    assert [t.timestamp() for t in pd.to_datetime(raw["start"])] == kept.t.tolist()
    evil = frame[(frame["kind"] == "raw") & (frame["device_id"] == "'=evil")]
    assert evil["value"].astype(float).tolist() == [-float(i) for i in range(5, 55)]  # numbers stay numbers
    fleet = frame[(frame["kind"] == "aggregate") & (frame["device_id"] == "")]
    steps = snapshot.views["temperature"].steps
    assert fleet["value"].astype(float).tolist() == steps.avg.tolist()
    assert (fleet["provisional"] == "true").tolist() == steps.provisional.tolist()
    assert set(frame["unit"]) == {"°C"}


def test_layers_can_be_chosen_and_drawn_points_do_without_a_store(store: LiveStore, tmp_path: Path) -> None:
    snapshot = store.snapshot(ViewRequest(START, START + 60, 1000, ("thermostat-00001",)))
    path = tmp_path / "raw.csv"
    result = ScreenExporter().run(ScreenExport.of(path, snapshot, "temperature", What.RAW), ignore, never())
    assert result.rows == 60
    assert set(pd.read_csv(path)["kind"]) == {"raw"}


def test_cancelling_the_screen(store: LiveStore, tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    job = ScreenExport.of(tmp_path / "x.csv", store.snapshot(ViewRequest(START, START + 60, 100)), "temperature")
    assert ScreenExporter(store).run(job, ignore, cancel).cancelled
    assert list(tmp_path.iterdir()) == []


# --- what is stored ----------------------------------------------------------------------------------------------------


@pytest.fixture
def mongo() -> FakeMongo:
    made = FakeMongo()
    rng = np.random.default_rng(1)
    for i in rng.permutation(600).tolist():
        for device, sensor in (("a", "temperature"), ("-b", "humidity"), ("paai-canary", "temperature")):
            made["processed_messages"].documents.append(
                {
                    "device_id": device,
                    "sensor": sensor,
                    "timestamp": T0 + timedelta(seconds=i),
                    "value": 20 + float(rng.normal()),
                }
            )
    for i in range(60):
        start = T0 + timedelta(seconds=10 * i)
        made["aggregated_messages"].documents.append(
            {"window": {"start": start, "end": start + timedelta(seconds=10)}, "device_id": "a", "sensor": "temperature",
             "avg": 0.1 + i, "min": 0.0, "max": 100.0, "count": 10}
        )  # fmt: skip
    return made


def client(mongo: FakeMongo) -> MongoClient[dict[str, Any]]:
    return cast(MongoClient[dict[str, Any]], mongo)


def test_all_raw_readings_come_once_and_in_order(mongo: FakeMongo, tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    seen: list[Progress] = []
    result = RawExporter(client(mongo)).run(RawExport(path, START + 100, START + 500), seen.append, never())
    frame = pd.read_csv(path)
    documents = mongo["processed_messages"].documents
    wanted = sorted((d["timestamp"], d["device_id"], d["value"]) for d in documents
                    if T0 + timedelta(seconds=100) <= d["timestamp"] < T0 + timedelta(seconds=500))  # fmt: skip
    assert result.rows == len(frame) == len(wanted) == 1200
    assert pd.to_datetime(frame["timestamp"]).tolist() == [w[0] for w in wanted]
    assert frame["device_id"].tolist() == [safe_text(w[1]) for w in wanted]
    assert frame["value"].tolist() == [w[2] for w in wanted]
    assert all(p.fraction is not None and 0 <= p.fraction <= 1 for p in seen)


def test_from_the_beginning_and_of_chosen_devices_and_sensors(mongo: FakeMongo, tmp_path: Path) -> None:
    exporter = RawExporter(client(mongo))
    assert exporter.run(RawExport(tmp_path / "1.csv", None, START + 600), ignore, never()).rows == 1800
    assert exporter.run(RawExport(tmp_path / "2.csv", None, START + 600, ("a",)), ignore, never()).rows == 600
    chosen = RawExport(tmp_path / "3.csv", START, START + 600, ("a", "-b"), ("humidity",))
    assert exporter.run(chosen, ignore, never()).rows == 600
    assert exporter.run(RawExport(tmp_path / "4.csv", START, START + 600, (), ("humidity",)), ignore, never()).rows == 600
    assert mongo["processed_messages"].queries < 400


def test_from_the_beginning_means_before_the_epoch_too(mongo: FakeMongo, tmp_path: Path) -> None:
    old = datetime(1583, 1, 1, tzinfo=UTC)
    mongo["processed_messages"].documents.append({"device_id": "old", "sensor": "temperature", "timestamp": old, "value": 1.0})
    for name, device_ids in (("all", ()), ("one", ("old",))):
        path = tmp_path / f"{name}.csv"
        RawExporter(client(mongo)).run(RawExport(path, None, START + 1, device_ids), ignore, never())
        assert pd.read_csv(path)["timestamp"].iloc[0] == "1583-01-01T00:00:00.000Z"


def test_aggregates(mongo: FakeMongo, tmp_path: Path) -> None:
    exporter = AggregatesExporter(client(mongo))
    for device_ids in ((), ("a",)):
        path = tmp_path / f"{len(device_ids)}.csv"
        result = exporter.run(AggregatesExport(path, START + 100, START + 200, device_ids), ignore, never())
        frame = pd.read_csv(path)
        assert result.rows == 10
        assert frame["average"].tolist() == [0.1 + i for i in range(10, 20)]
        assert frame["window_start"].iloc[0] == "2026-11-24T05:31:40.000Z"
        assert frame["count"].tolist() == [10] * 10


def test_a_window_without_an_end_is_left_out(mongo: FakeMongo, tmp_path: Path) -> None:
    rows = mongo["aggregated_messages"].documents
    rows.insert(0, {"_id": "damaged", "window": {"start": rows[0]["window"]["start"]}})
    path = tmp_path / "windows.csv"
    AggregatesExporter(client(mongo)).run(AggregatesExport(path, START + 100, START + 200, ("a",)), ignore, never())
    assert len(pd.read_csv(path)) == 10


def test_mongodb_lost_on_the_way_leaves_no_file(mongo: FakeMongo, tmp_path: Path) -> None:
    mongo["processed_messages"].fail_after = 5
    with pytest.raises(UnreachableError) as caught:
        RawExporter(client(mongo)).run(RawExport(tmp_path / "x.csv", START, START + 600), ignore, never())
    assert "No file was written" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_cancelling_on_the_way(mongo: FakeMongo, tmp_path: Path) -> None:
    cancel = threading.Event()
    path = tmp_path / "x.csv"
    result = RawExporter(client(mongo)).run(RawExport(path, START, START + 600), lambda _: cancel.set(), cancel)
    assert result.cancelled
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    def rows(n: int) -> Any:
        return (("2026-11-24T05:30:00.000Z", "device", "temperature", i / 7, "°C") for i in range(n))

    peaks = []
    for n in (20_000, 200_000):
        tracemalloc.start()
        with CsvFile(tmp_path / "big.csv", ("t", "d", "s", "v", "u"), on_progress=ignore, cancel=never()) as file:
            file.write(rows(n))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5
