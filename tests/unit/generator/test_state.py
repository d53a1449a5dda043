from pathlib import Path

import pytest

from backend.generator.errors import StateError
from backend.generator.faultplan import FaultPlan
from backend.generator.fleet import Fleet
from backend.generator.state import FILE_NAME, StateStore

FAULTS = FaultPlan.model_validate({"seed": 4, "spike": {"share": 0.1, "magnitude": 3}})


@pytest.mark.parametrize(
    "fleet",
    [
        Fleet(),
        Fleet().start_numbered(30),
        Fleet().change({"Thermostat": 3}, interval_ms=250),
        Fleet().start_numbered(30).change({"Barometer": 50}),
    ],
)
def test_what_was_saved_comes_back(tmp_path: Path, fleet: Fleet) -> None:
    StateStore(tmp_path / "new").save(fleet, FAULTS)
    assert StateStore(tmp_path / "new").load() == (fleet, FAULTS)
    assert [p.name for p in (tmp_path / "new").iterdir()] == [FILE_NAME]


def test_nothing_saved_is_an_empty_fleet(tmp_path: Path) -> None:
    assert StateStore(tmp_path).load() == (Fleet(), FaultPlan())


def test_without_a_directory_nothing_is_kept() -> None:
    store = StateStore(None)
    store.save(Fleet().start_numbered(3), FAULTS)
    assert store.load() == (Fleet(), FaultPlan())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version":1,"fleet":{},"faults":{}}'])
def test_an_unusable_file_is_put_aside(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    assert StateStore(tmp_path).load() == (Fleet(), FaultPlan())
    assert (tmp_path / "generator.bad").read_text() == text
    assert "unusable" in caplog.text


def test_a_failed_write_says_so_and_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = StateStore(tmp_path)
    store.save(Fleet().start_numbered(3), FAULTS)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(StateError, match="No space left"):
        store.save(Fleet(), FAULTS)
    assert store.load()[0] == Fleet().start_numbered(3)
    assert [p.name for p in tmp_path.iterdir()] == [FILE_NAME]
