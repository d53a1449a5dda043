"""Which target, and why."""

import time
from pathlib import Path

import pytest

from stack import choose
from stack.errors import PreflightError
from stack.local import jsonfile
from stack.local.layout import Layout
from stack.local.target import LocalTarget
from stack.swarm.target import SwarmTarget


def local(target: object) -> LocalTarget:
    assert isinstance(target, LocalTarget)
    return target


@pytest.fixture(autouse=True)
def no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


def swarm(state: str, *, manages: bool) -> str:
    """Shell that prints what `docker info` prints."""
    return f"""echo '{{"Swarm": {{"LocalNodeState": "{state}", "ControlAvailable": {str(manages).lower()}}}}}'"""


ACTIVE = swarm("active", manages=True)


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
    ("body", "is_swarm", "words"),
    [
        (ACTIVE, True, "is in swarm mode"),
        (swarm("active", manages=False), False, "a worker of its swarm"),
        (swarm("inactive", manages=False), False, "not in swarm mode"),
        ("echo Cannot connect to the Docker daemon >&2; exit 1", False, "cannot be reached"),
        ("echo no JSON", False, "not in swarm mode"),
        ("echo '[1]'; printf '\\377' >&2; exit 1", False, "could not answer"),
    ],
)
def test_docker_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, is_swarm: bool, words: str) -> None:
    fake_docker(tmp_path, monkeypatch, body)
    found, reason = choose.look_at_docker()
    assert found is is_swarm
    assert words in reason


DENIED = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"""echo '{{"ServerErrors": ["{DENIED}"]}}'""", id="20.10"),
        pytest.param(f"""echo '{{"ID": "", "Swarm": null}}'; echo '{DENIED}' >&2; exit 1""", id="28"),
    ],
)
def test_a_user_who_may_not_use_docker_is_given_the_line_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    fake_docker(tmp_path, monkeypatch, body)
    reason = (
        "This user may not use Docker: There is no permission on the engine's socket. "
        "Type: sudo usermod -aG docker $USER, then log out and in again."
    )
    assert choose.look_at_docker() == (False, reason)
    assert choose.choose_target("auto").plan().reason == reason
    assert reason in [option.reason for option in choose.options()]


def test_an_engine_that_does_not_answer_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_docker(tmp_path, monkeypatch, "exec /bin/sleep 60")
    monkeypatch.setattr(choose, "_DOCKER_TIMEOUT_S", 0.2)
    began = time.monotonic()
    assert choose.choose_target("auto").name == "local"
    assert time.monotonic() - began < 5


def test_auto_takes_the_swarm_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_docker(tmp_path, monkeypatch, ACTIVE)
    target = choose.choose_target("auto", port_offset=3000)
    assert isinstance(target, SwarmTarget)
    assert target.site.stack == "paai-3000"
    assert target.site.folder == tmp_path / "share" / "paai-monitor" / "swarm"


def test_a_directory_with_a_local_system_is_one_even_where_there_is_a_swarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: Layout
) -> None:
    fake_docker(tmp_path, monkeypatch, ACTIVE)
    jsonfile.write(layout.instance_file, {"port_offset": 4000})
    assert choose.choose_target("auto", data_dir=layout.data_dir).name == "local"


def test_swarm_without_docker_says_what_to_do_instead() -> None:
    with pytest.raises(PreflightError, match=r"apt-get install docker\.io.*--target local"):
        choose.choose_target("swarm", port_offset=None, data_dir=None)


def test_an_unknown_overlay_is_named_with_those_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_docker(tmp_path, monkeypatch, ACTIVE)
    with pytest.raises(PreflightError, match="no overlay 'moon'"):
        choose.choose_target("auto", overlays=["moon"])


def test_a_local_target_has_no_context() -> None:
    with pytest.raises(PreflightError, match="needs the swarm"):
        choose.choose_target("local", context="office")


def test_a_chooser_lists_this_machine_this_docker_and_the_contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = f"""case "$1" in
info) {ACTIVE} ;;
context) echo '{{"Name": "default", "Current": true}}'; echo '{{"Name": "office", "Current": false}}' ;;
esac"""
    fake_docker(tmp_path, monkeypatch, body)
    found = choose.options()
    assert [(option.label, option.is_default) for option in found] == [
        ("Docker", True),
        ("This machine", False),
        ("Docker context office", False),
    ]


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


@pytest.mark.parametrize(("offset", "named"), [(None, False), (3000, False), (3000, True), (None, True)])
def test_its_arguments_give_the_same_target(offset: int | None, named: bool, tmp_path: Path) -> None:
    folder = tmp_path / "a folder" if named else None
    chosen = local(choose.choose_target("local", port_offset=offset, data_dir=folder))
    words = choose.arguments_of(chosen)
    assert words == [
        *(["--port-offset", "3000"] if offset else []),
        *(["--data-dir", str(tmp_path / "a folder")] if named else []),
    ]


@pytest.mark.parametrize("context", [None, "office"])
def test_the_arguments_of_a_swarm_name_it(context: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_docker(tmp_path, monkeypatch, "true")
    chosen = choose.choose_target("swarm", port_offset=100, context=context)
    named = ["--context", context] if context else ["--target", "swarm"]
    assert choose.arguments_of(chosen) == [*named, "--port-offset", "100"]
