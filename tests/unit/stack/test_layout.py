"""The data directory: its paths, what it remembers, and that one command at a time changes it."""

import multiprocessing
import threading
from pathlib import Path

import pytest

from stack.errors import PreflightError, StackError
from stack.local import instance, jsonfile
from stack.local.layout import MAX_SOCKET_PATH, Layout, default_data_dir


def test_a_relative_path_is_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Layout.of(Path("x")).data_dir == tmp_path / "x"


@pytest.mark.parametrize("bad", ["a'b", 'a"b', "a%b", "a\nb", "a\\b"])
def test_paths_that_supervisord_cannot_carry_are_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(PreflightError, match="cannot be used"):
        Layout.of(tmp_path / bad)


def test_the_socket_moves_out_of_a_deep_directory(tmp_path: Path) -> None:
    deep = Layout.of(tmp_path / ("d" * 120))
    assert len(str(deep.socket)) <= MAX_SOCKET_PATH
    assert deep.socket != Layout.of(tmp_path / ("d" * 121)).socket
    assert deep.socket == Layout.of(tmp_path / ("d" * 120)).socket


def test_only_the_user_may_look_into_it(layout: Layout) -> None:
    for path in (layout.run, layout.logs, layout.state, layout.kafka, layout.mongo):
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_offset_is_remembered(layout: Layout) -> None:
    assert instance.remembered_offset(layout.data_dir) is None
    jsonfile.write(layout.instance_file, {"port_offset": 4000})
    assert instance.remembered_offset(layout.data_dir) == 4000


@pytest.mark.parametrize("damaged", ["", "{", "[1]", "null"])
def test_a_damaged_file_is_an_empty_one(layout: Layout, damaged: str) -> None:
    layout.instance_file.write_text(damaged)
    assert instance.remembered_offset(layout.data_dir) is None


def _hold(layout: Layout, held: "threading.Event", release: "threading.Event") -> None:
    with instance.locked(layout, "up"):
        held.set()
        release.wait(10)


def test_two_commands_exclude_each_other(layout: Layout) -> None:
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(layout, held, release))
    other.start()
    assert held.wait(20)
    with pytest.raises(StackError, match=rf"Another command.*`up` \(process {other.pid}\)"), instance.locked(layout, "down"):
        pass
    other.kill()  # the kernel gives the lock back
    other.join(10)
    with instance.locked(layout, "down"):
        pass


def test_commands_name_the_directory_unless_it_is_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Layout.of(default_data_dir(0)).command("up") == "python -m stack up"
    other = tmp_path / "my data"
    assert Layout.of(other).command("logs paai") == f"python -m stack logs paai --data-dir '{other}'"
