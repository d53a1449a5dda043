"""CSV dialects of the conformance folder: read alike by the parser and by the command."""

import json
from pathlib import Path
from typing import Any

import pytest

from backend.contract.times import to_iso
from backend.predictor import score
from backend.predictor.errors import SeriesError
from backend.predictor.series.read import read_series

FOLDER = Path(__file__).parents[3] / "conformance" / "series"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


def test_every_file_is_expected() -> None:
    assert {path.name for path in FOLDER.glob("*.csv")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_series(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected, path = EXPECTED[name], FOLDER / name
    scores = tmp_path / "scores.csv"
    if "error" in expected:
        with pytest.raises(SeriesError) as caught:
            read_series(path)
        assert expected["error"] in str(caught.value)
        assert score.main([str(path)]) == 1
        assert expected["error"] in capsys.readouterr().err
        return
    series = read_series(path)
    found = [[to_iso(t), v] for t, v in zip(series.t_ms.tolist(), series.values.tolist(), strict=True)]
    assert found == expected["readings"]
    assert (series.left_out, list(series.refused)) == (expected["left_out"], expected["refused"])

    assert score.main([str(path), "--json", "--scores", str(scores)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["readings"], answer["left_out"], answer["refused"]) == (
        len(expected["readings"]),
        expected["left_out"],
        expected["refused"],
    )
    written = [line.split(",")[:2] for line in scores.read_text(encoding="utf-8").splitlines()[1:]]
    assert [[time, float(value)] for time, value in written] == expected["readings"]
