import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from backend.contract.times import from_iso
from backend.generator.__main__ import main

FAULTS = {
    "seed": 1,
    "spike": {"share": 0.05, "magnitude": 20, "duration_s": 30},
    "dropout": {"share": 0.05, "duration_s": 60},
    "late": {"share": 0.02, "magnitude": 45},
    "duplicate": {"share": 0.02},
}


def write(tmp_path: Path, name: str, *extra: str, seed: int = 5, faults: dict[str, Any] | None = None) -> Path:
    arguments = ["history", "--days", "0.02", "--devices", "6", "--seed", str(seed), "--out", str(tmp_path / name), *extra]
    if faults is not None:
        (tmp_path / "faults.json").write_text(json.dumps(faults))
        arguments += ["--faults", str(tmp_path / "faults.json")]
    assert main(arguments) == 0
    return tmp_path / name


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def content(directory: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in directory.iterdir()}


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    first = content(write(tmp_path, "a", faults=FAULTS))
    assert first == content(write(tmp_path, "b", faults=FAULTS))
    assert first != content(write(tmp_path, "c", faults=FAULTS, seed=6))


def test_files_and_lengths(tmp_path: Path) -> None:
    out = write(tmp_path, "h")
    assert sorted(content(out)) == [
        "events.csv",
        "heart_rate.csv",
        "humidity.csv",
        "meta.json",
        "pressure.csv",
        "temperature.csv",
    ]
    temperature = rows(out / "temperature.csv")
    assert Counter(r["device_id"] for r in temperature) == {"thermostat-00001": 172, "thermostat-00002": 172}
    assert temperature[0]["timestamp"] == "2026-01-01T00:00:00.000Z"
    assert {r["fault"] for r in temperature} == {""}
    assert rows(out / "events.csv") == []
    meta = json.loads((out / "meta.json").read_text())
    assert [d["device_id"] for d in meta["devices"]][:2] == ["thermostat-00001", "barometer-00001"]
    assert [p.name for p in tmp_path.iterdir()] == ["h"]


def test_labels_are_the_events(tmp_path: Path) -> None:
    out = write(tmp_path, "h", faults=FAULTS)
    events = rows(out / "events.csv")
    readings = [r for sensor in ("temperature", "pressure", "humidity", "heart_rate") for r in rows(out / f"{sensor}.csv")]
    clean = write(tmp_path, "clean")
    all_times = Counter((r["device_id"], r["timestamp"]) for r in rows(clean / "temperature.csv"))
    expected: set[tuple[str, str, str]] = set()
    for e in events:
        for device_id, timestamp in all_times:
            within = e["start"] <= timestamp < e["end"] if e["kind"] not in ("late", "duplicate") else e["start"] == timestamp
            if device_id == e["device_id"] and within:
                expected.add((device_id, timestamp, e["kind"]))
    silent = {(d, t) for d, t, kind in expected if kind == "dropout"}
    expected = {x for x in expected if x[:2] not in silent}
    temperature = [r for r in readings if r["device_id"].startswith("thermostat")]
    got = {(r["device_id"], r["timestamp"], kind) for r in temperature for kind in r["fault"].split("+") if kind}
    assert got == expected
    assert silent
    assert silent.isdisjoint((r["device_id"], r["timestamp"]) for r in temperature)
    copies = Counter((r["device_id"], r["timestamp"], r["value"]) for r in temperature)
    assert {k[:2] for k, n in copies.items() if n == 2} == {x[:2] for x in got if x[2] == "duplicate"}
    assert {k[:2] for k in copies} | silent == set(all_times)


def test_late_readings_stand_where_they_arrive(tmp_path: Path) -> None:
    out = write(tmp_path, "h", faults={"late": {"share": 0.1, "magnitude": 45}})
    newest = 0
    late = 0
    for r in rows(out / "temperature.csv"):
        at_ms = from_iso(r["timestamp"])
        if "late" in r["fault"]:
            late += 1
            assert newest - at_ms in (40_000, 50_000) or at_ms > from_iso("2026-01-01T00:28:30Z") - 45_000
        else:
            assert at_ms >= newest
        newest = max(newest, at_ms)
    assert late > 10


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--days", "0", "--devices", "1", "--seed", "1"], "--days"),
        (["--days", "x", "--devices", "1", "--seed", "1"], "--days"),
        (["--days", "nan", "--devices", "1", "--seed", "1"], "--days"),
        (["--days", "1", "--devices", "0", "--seed", "1"], "--devices"),
        (["--days", "1", "--devices", "1.5", "--seed", "1"], "--devices"),
        (["--days", "1", "--devices", "1", "--seed", "-1"], "--seed"),
        (["--days", "1", "--devices", "1", "--seed", "1", "--start", "monday"], "not a time like"),
        (["--days", "0.00001", "--devices", "1", "--seed", "1"], "shorter than one interval"),
        (["--days", "1", "--devices", "1"], "--seed"),
    ],
)
def test_arguments_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["history", *arguments, "--out", str(tmp_path / "h")])
    assert stop.value.code == 2
    assert text in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_stands_in_the_way_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["history", "--days", "0.01", "--devices", "1", "--seed", "1", "--out"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    assert main([*common, str(tmp_path / "full")]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert main([*common, str(tmp_path / "full" / "x")]) == 1
    assert "is a file" in capsys.readouterr().err
    assert main([*common, str(tmp_path / "full" / "x" / "y")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert main([*common, str(tmp_path / "h"), "--faults", str(tmp_path / "none.json")]) == 1
    assert "cannot be read" in capsys.readouterr().err
    (tmp_path / "bad.json").write_text('{"spike": {"share": 3}}')
    assert main([*common, str(tmp_path / "h"), "--faults", str(tmp_path / "bad.json")]) == 1
    assert "spike.share" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.json", "full"]


def test_an_interrupted_run_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("backend.generator.history_cli._Progress.__call__", interrupt)
    assert main(["history", "--days", "1", "--devices", "1", "--seed", "1", "--out", str(tmp_path / "h")]) == 130
    assert list(tmp_path.iterdir()) == []
