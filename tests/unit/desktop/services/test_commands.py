"""A command that is shown addresses the system in use."""

import shlex
import sys
from pathlib import Path

import pytest

from desktop.services.commands import command
from desktop.services.switched_target import SwitchedTarget
from stack.choose import choose_target


def test_it_names_offset_and_folder_of_the_target_in_use(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    target = choose_target("local", port_offset=4000, data_dir=folder)
    wanted = ["-m", "stack", "down", "--port-offset", "4000", "--data-dir", str(folder)]
    assert shlex.split(command(target, "stack", "down"))[1:] == wanted
    switched = SwitchedTarget(choose_target("local", data_dir=tmp_path / "other"))
    switched.current = target
    assert shlex.split(command(switched, "stack", "down"))[1:] == wanted


def test_python_is_the_one_in_use_as_short_as_it_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = choose_target("local")
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert command(target, "stack", "up") == f"{shlex.quote(sys.executable)} -m stack up"
    monkeypatch.chdir(tmp_path)
    assert command(target, "stack", "up") == ".venv/bin/python -m stack up"
