"""History in files: read as the generator's command writes it, and clear words where it is something else."""

from pathlib import Path

import pytest

from backend.generator.faultplan import FaultPlan
from backend.generator.history import HistoryOptions, write_history
from backend.predictor.errors import TrainingError
from backend.predictor.training.files import read_history

START_MS = 1_795_000_000_000


def written(folder: Path) -> Path:
    options = HistoryOptions(start_ms=START_MS, duration_ms=60_000, interval_ms=1000, devices=8, seed=5, faults=FaultPlan())
    write_history(options, folder / "h", progress=lambda _done, _all: None)
    return folder / "h"


def test_every_reading_of_the_files_is_there(tmp_path: Path) -> None:
    folder = written(tmp_path)
    source = read_history(folder, from_ms=None, to_ms=None)
    lines = (folder / "temperature.csv").read_text("utf-8").splitlines()[1:]
    assert source.devices("temperature") == {"thermostat-00001": 60, "thermostat-00002": 60}
    t_ms, values = source.readings("thermostat-00002", "temperature", 1000)
    mine = [line.split(",") for line in lines if ",thermostat-00002," in line]
    assert values.tolist() == [float(row[2]) for row in mine]
    assert START_MS <= t_ms[0] < START_MS + 1000
    assert len(set(t_ms.tolist())) == 60


def test_the_time_frame_cuts(tmp_path: Path) -> None:
    source = read_history(written(tmp_path), from_ms=START_MS + 10_000, to_ms=START_MS + 30_000)
    assert set(source.devices("heart_rate").values()) == {20}


def test_a_sensor_without_a_file_has_no_readings(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "pressure.csv").unlink()
    assert read_history(folder, from_ms=None, to_ms=None).devices("pressure") == {}


def test_an_empty_folder_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"holds no history.*python -m backend.generator history"):
        read_history(tmp_path, from_ms=None, to_ms=None)


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", "timestamp,device_id,value\nyesterday,d,1\n", "timestamp,device_id,value\n2026-01-01,d,warm\n", ""]
)
def test_another_file_is_no_history(tmp_path: Path, text: str) -> None:
    (tmp_path / "temperature.csv").write_text(text, "utf-8")
    with pytest.raises(TrainingError, match=r"temperature.csv is no history"):
        read_history(tmp_path, from_ms=None, to_ms=None)
