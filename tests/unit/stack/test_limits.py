"""Limits that a start would run into: named with value and command, in control groups of both versions."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stack import limits
from stack.target import Check
from tests.helpers.own_mounts import ROOT


def write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


def groups(tmp_path: Path, line: str, controller: str = "memory") -> list[limits.GroupLimit]:
    (tmp_path / "cgroup").write_text(f"{line}\n")
    return list(limits.group_limits(controller, proc=tmp_path / "cgroup", root=tmp_path / "fs"))


def test_version_2_and_the_groups_above(tmp_path: Path) -> None:
    write(tmp_path / "fs" / "a" / "b", memory__max=1000, memory__current=700, memory__stat="anon 5\ninactive_file 200")
    write(tmp_path / "fs" / "a", memory__max="max", memory__current=900)
    write(tmp_path / "fs", memory__max=5000, memory__current=900)
    found = groups(tmp_path, "0::/a/b")
    assert [(group.limit, group.used) for group in found] == [(1000, 500), (5000, 900)]
    assert found[0].file == tmp_path / "fs" / "a" / "b" / "memory.max"


def test_version_1(tmp_path: Path) -> None:
    write(
        tmp_path / "fs" / "memory" / "box",
        memory__limit_in_bytes=1000, memory__usage_in_bytes=800, memory__stat="inactive_file 1\ntotal_inactive_file 300",
    )  # fmt: skip
    write(tmp_path / "fs" / "memory", memory__limit_in_bytes=9223372036854771712, memory__usage_in_bytes=900)
    [group] = groups(tmp_path, "4:memory:/box\n0::/")
    assert (group.limit, group.used, group.free) == (1000, 500, 500)


def test_in_a_container_whose_group_has_another_name_outside(tmp_path: Path) -> None:
    write(tmp_path / "fs" / "memory", memory__limit_in_bytes=1000, memory__usage_in_bytes=800)
    [group] = groups(tmp_path, "4:memory:/docker/0123abc")
    assert group.free == 200


def test_processes(tmp_path: Path) -> None:
    write(tmp_path / "fs" / "user", pids__max=256, pids__current=31)
    [group] = groups(tmp_path, "0::/user", "pids")
    assert (group.limit, group.free) == (256, 225)


@pytest.mark.parametrize("line", ["", "nonsense", "0::/../..", "0::/no/such", "4:memory"])
def test_what_cannot_be_read_is_no_limit(tmp_path: Path, line: str) -> None:
    write(tmp_path / "fs", memory__max="garbage")
    assert groups(tmp_path, line) == []


def test_a_tight_group_is_named_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tight = limits.GroupLimit(256, 56, Path("/sys/fs/cgroup/box/pids.max"))
    monkeypatch.setattr(limits, "group_limits", lambda controller: iter([tight] if controller == "pids" else []))
    check = limits.check_processes()
    assert not check.ok
    assert check.detail.startswith("The control group's limit is 256, 56 are in use, and ")
    assert "| sudo tee /sys/fs/cgroup/box/pids.max" in check.remedy


def as_seen_with(limit: str, call: str) -> Check:
    """What a check finds in a shell with this `ulimit`, without root's right to raise limits."""
    code = f"import dataclasses, json; from stack import limits; print(json.dumps(dataclasses.asdict(limits.{call}())))"
    command = [sys.executable, "-c", code]
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("root may raise any limit, and setpriv is not there to take that from it")
        command = [setpriv, "--bounding-set", "-sys_resource", *command]
    answer = subprocess.run(
        ["bash", "-c", f'ulimit {limit} && exec "$@"', "bash", *command],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return Check(**json.loads(answer.stdout))


def test_a_hard_limit_of_open_files_is_named_with_the_command() -> None:
    check = as_seen_with("-n 1024", "check_files")
    assert (check.ok, check.detail) == (False, "The hard limit is 1024, and 4096 are needed")
    assert check.remedy.startswith("Type: sudo prlimit --pid $$ --nofile=65536:65536 ")
    assert as_seen_with("-Sn 1024", "check_files").ok  # the soft one is raised by the supervisor


def test_a_hard_limit_of_processes_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_may_raise_limits", lambda: False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 256))
    monkeypatch.setattr(limits, "_threads_of_user", lambda: 40)
    monkeypatch.setattr(limits, "group_limits", lambda _: iter([]))
    check = limits.check_processes()
    assert not check.ok
    assert check.detail == f"The hard limit is 256, 40 are in use, and {limits.MIN_PROCESSES} more are needed"
    assert check.remedy.startswith("Type: sudo prlimit --pid $$ --nproc=16384:16384 ")


def test_what_the_system_itself_runs_is_not_needed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tight = limits.GroupLimit(2000, 1900, Path("/x"))
    monkeypatch.setattr(limits, "group_limits", lambda controller: iter([tight] if controller == "pids" else []))
    assert not limits.check_processes().ok
    monkeypatch.setattr(limits, "_threads", lambda _: limits.MIN_PROCESSES)
    assert limits.check_processes([1]).ok


def test_threads_are_counted() -> None:
    assert limits._threads([os.getpid(), 2**22 + 1]) >= 1
    assert limits._threads_of_user() >= 1
