"""Which target, and why."""

from pathlib import Path

import pytest

from stack import choose
from stack.errors import PreflightError
from stack.local import jsonfile
from stack.local.layout import Layout
from stack.local.target import LocalTarget


def local(target: object) -> LocalTarget:
    assert isinstance(target, LocalTarget)
    return target


@pytest.fixture(autouse=True)
def no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


def fake_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))


def test_auto_takes_this_machine_and_says_why(tmp_path: Path) -> None:
    target = choose.choose_target("auto", port_offset=None, data_dir=tmp_path)
    assert target.name == "local"
    assert local(target)._reason == "There is no Docker here."


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("echo active", "in swarm mode, which this version does not use yet"),
        ("echo inactive", "not in swarm mode"),
        ("exit 1", "cannot be reached"),
    ],
)
def test_docker_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, words: str) -> None:
    fake_docker(tmp_path, monkeypatch, body)
    assert words in choose.why_local()


def test_swarm_says_what_to_do_instead() -> None:
    with pytest.raises(PreflightError, match="--target local"):
        choose.choose_target("swarm", port_offset=None, data_dir=None)


def test_each_offset_has_its_own_default_directory(tmp_path: Path) -> None:
    plain = local(choose.choose_target("local", port_offset=None, data_dir=None))
    shifted = local(choose.choose_target("local", port_offset=3000, data_dir=None))
    assert plain.data_dir == tmp_path / "share" / "paai-monitor" / "local"
    assert shifted.data_dir == tmp_path / "share" / "paai-monitor" / "local-3000"
    assert shifted.ports.kafka == 12092


def test_the_directory_remembers_its_offset(layout: Layout) -> None:
    jsonfile.write(layout.instance_file, {"port_offset": 4000})
    assert local(choose.choose_target("local", port_offset=None, data_dir=layout.data_dir)).ports.offset == 4000
    assert local(choose.choose_target("local", port_offset=5, data_dir=layout.data_dir)).ports.offset == 5


@pytest.mark.parametrize("offset", [-1, 38_519])
def test_impossible_offsets(tmp_path: Path, offset: int) -> None:
    with pytest.raises(PreflightError, match="Choose another --port-offset"):
        choose.choose_target("local", port_offset=offset, data_dir=tmp_path)
