"""The key of the models: secret, kept, and clear words when it cannot be."""

from pathlib import Path

import pytest

from stack.errors import PreflightError
from stack.local import model_key


def test_it_is_made_once_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "model.key"
    model_key.provide(path)
    made = path.read_text()
    assert len(made.strip()) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    model_key.provide(path)
    assert path.read_text() == made
    assert [p.name for p in tmp_path.iterdir()] == ["model.key"]


def test_an_empty_file_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "model.key"
    path.touch()
    model_key.provide(path)
    assert path.read_text().strip()


def test_rights_that_somebody_widened_are_put_right(tmp_path: Path) -> None:
    path = tmp_path / "model.key"
    path.write_text("ab")
    path.chmod(0o644)
    model_key.provide(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    path = tmp_path / "model.key"
    path.mkdir()
    with pytest.raises(PreflightError, match=r"key of the prediction models.*Make it a file"):
        model_key.provide(path)
