"""Unseen series: reading them, finding what is odd in them causally, and comparing with labelled windows."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.predictor import score
from backend.predictor.errors import SeriesError
from backend.predictor.series.detect import detect
from backend.predictor.series.read import TimedValues, read_series, read_windows
from backend.predictor.series.shapes import distances, period_of
from backend.scoring.layout import F64

START = datetime(2014, 4, 1, tzinfo=UTC)


def daily(n: int = 2400, *, seed: int = 3) -> F64:
    random = np.random.default_rng(seed)
    values: F64 = 50.0 + 10.0 * np.sin(2 * np.pi * np.arange(n) / 96) + random.normal(0.0, 1.0, n)
    return values


def timed(values: F64) -> TimedValues:
    return TimedValues(np.arange(len(values), dtype=np.int64) * 900_000, values, 0)


def write(path: Path, values: F64, *, header: str = "timestamp,value") -> Path:
    lines = [f"{START + timedelta(minutes=15 * i):%Y-%m-%d %H:%M:%S},{v:.4f}" for i, v in enumerate(values.tolist())]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def run(path: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert score.main([str(path), "--json", *arguments]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_a_quiet_series_has_no_detection(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(write(tmp_path / "s.csv", daily()), capsys)

    assert answer["detections"] == []
    assert answer["readings"] == 2400
    assert answer["interval_s"] == 900.0


def test_faults_are_found_and_measured_against_windows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = daily()
    values[1500] += 25.0
    values[1900:1990] = 50.0 + 10.0 * np.sin(2 * np.pi * np.arange(90) / 24)
    windows = [
        [str(START + timedelta(minutes=15 * a)), str(START + timedelta(minutes=15 * b))]
        for a, b in ((1495, 1530), (1895, 2080))
    ]
    (tmp_path / "w.json").write_text(json.dumps(windows), encoding="utf-8")

    answer = run(write(tmp_path / "s.csv", values), capsys, "--windows", str(tmp_path / "w.json"))

    assert answer["recall"] == 1.0
    assert answer["precision"] >= 0.5
    assert 0.0 < answer["vus_pr"] <= 1.0
    assert answer["delay_s"] is not None
    assert {"precision", "recall", "f1", "vus_pr", "delay_s", "false_alarms_per_day"} <= set(answer)
    assert all(d["reason"] for d in answer["detections"])


def test_what_was_decided_does_not_change_with_what_comes_later() -> None:
    values = daily(1300)  # as much is only learnt from as of its beginning
    values[1000] += 30.0
    whole, part = detect(timed(values)), detect(timed(values[:1100]))

    known = whole.found_ms[:1100] <= timed(values).t_ms[1099]
    np.testing.assert_array_equal(whole.kind[:1100][known], part.kind[known])
    assert whole.kind[1000]


def test_a_spike_at_the_seam_of_two_blocks_is_found() -> None:
    values = daily(3600)
    values[[1079, 2159, 2160 + 720]] += 30.0  # the last reading before the profile is learnt anew, twice, and one inside

    found = detect(timed(values))

    assert found.begin == 540
    assert found.odd[[1079, 2159, 2880]].all()


def test_the_past_that_courses_are_compared_with_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.predictor.series.shapes._PAST", 50)
    values = daily(1500)

    few = distances(values, 48, begin=400)

    assert np.isfinite(few[500:]).all()
    assert np.nanmean(few) > np.nanmean(distances(values, 48, begin=400)) - 1e-9


def test_steps_that_come_each_day_are_usual_and_a_higher_one_is_not() -> None:
    random = np.random.default_rng(4)
    hour = np.arange(2000) % 96
    values = np.where((hour >= 36) & (hour < 72), 80.0, 20.0) + random.uniform(-8.0, 8.0, 2000)
    values[1764:1800] += 60.0

    found = detect(timed(values))

    assert not found.odd[:1760].any()
    assert found.odd[1750:1850].any()


def test_a_day_without_its_peak_is_found_though_the_first_day_was_new() -> None:
    random = np.random.default_rng(5)
    hour = np.arange(4032) % 288
    values = np.where((hour >= 108) & (hour < 216), 80.0, 20.0) + random.uniform(-8.0, 8.0, 4032)
    values[2988:3096] -= 60.0

    found = detect(timed(values))

    assert found.odd[2988:3300].any()
    assert not found.odd[:2988].any()


def test_what_comes_at_random_again_and_again_is_usual() -> None:
    random = np.random.default_rng(6)
    values = random.uniform(18.0, 22.0, 4000)
    places = np.sort(random.choice(np.arange(700, 3600), 30, replace=False))
    values[places] += 40.0
    values[3800] += 120.0

    found = detect(timed(values))

    assert found.odd[places[0]]
    assert not found.odd[places[10:]].any()
    assert found.odd[3800]


@pytest.mark.parametrize("unit", [1e-12, 1e15])
def test_the_unit_changes_nothing(unit: float) -> None:
    values = daily(1200)
    values[900] += 30.0

    small, usual = detect(timed(values * unit)), detect(timed(values))

    np.testing.assert_array_equal(small.kind, usual.kind)
    assert small.odd[900]
    assert small.amount[900] == pytest.approx(usual.amount[900] * unit, rel=0.01)


def test_the_probation_is_never_judged() -> None:
    values = daily(1600)
    values[30] += 100.0

    found = detect(timed(values))

    assert not found.odd[: found.begin].any()


@pytest.mark.parametrize("values", [np.full(1500, 7.0), np.r_[np.zeros(1400), np.ones(100)], daily(150)])
def test_series_that_teach_nothing_are_no_failure(values: F64) -> None:
    found = detect(timed(values))

    assert np.isfinite(found.score).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must begin with a header"),
        ("a,b,c\n1,2,3\n", "must begin with a header"),
        ("timestamp,value\n", "0 readings"),
        ("timestamp,value\nyesterday,1\n2,3\n", "line 2: the time 'yesterday'"),
        ("timestamp,value\n1,x\n", "line 2: the value 'x' is no number"),
        ("timestamp,value\n1,1e200\n", "line 2: the value 1e200 is too large"),
        ("timestamp,value\n1\n", "line 2: it has 1 columns"),
        ("timestamp,value\n1700000000000,1\n", "milliseconds"),
    ],
)
def test_a_file_that_holds_no_series_is_refused_with_line_and_reason(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "s.csv").write_text(text, encoding="utf-8")

    with pytest.raises(SeriesError, match=message):
        read_series(tmp_path / "s.csv")


def test_rows_that_cannot_be_read_are_left_out_alone_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "s.csv", daily(5000))
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[100] = "2014-04-02T24:00:00,51.5"  # the next midnight, which another row has too
    lines[2000] = "2014-04-21 12:30:60,52.5"
    lines[3000] = "2023,50"
    lines[4000] = "yesterday,50"
    path.write_text("\n".join(lines), encoding="utf-8")

    answer = run(path, capsys)

    assert (answer["readings"], answer["left_out"]) == (4996, 4)
    assert [text.split(": ")[0] for text in answer["refused"]] == ["line 2001", "line 3001", "line 4001"]
    assert score.main([str(path)]) == 0
    shown = capsys.readouterr().out
    assert "4 rows left out" in shown
    assert "line 2001: the time '2014-04-21 12:30:60' has the second 60" in shown


def test_gaps_repetitions_and_disorder_are_put_right(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("ds,y\n30,3\n10,1\n20,nan\n10,1.5\n40,\n", encoding="utf-8")

    series = read_series(tmp_path / "s.csv")

    assert series.t_ms.tolist() == [10_000, 30_000]
    assert series.values.tolist() == [1.5, 3.0]
    assert series.left_out == 3


@pytest.mark.parametrize("text", ["{", "[1]", "[" * 200_000, '[["a", "b"]]', '[["2020-01-02", "2020-01-01"]]'])
def test_windows_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "w.json").write_text(text, encoding="utf-8")

    with pytest.raises(SeriesError):
        read_windows(tmp_path / "w.json")


def test_a_missing_file_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert score.main([str(tmp_path / "none.csv")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_the_period_of_a_series_is_found() -> None:
    assert period_of(daily()) == pytest.approx(96, abs=2)


def test_a_course_that_came_before_is_near_and_a_new_one_is_far() -> None:
    values = daily(1500)
    values[1200:1248] = 70.0 - np.abs(np.arange(48) - 24.0)
    far = distances(values, 48, begin=400)

    assert np.isnan(far[:400]).all()
    assert np.argmax(np.nan_to_num(far)) == pytest.approx(1248, abs=30)
