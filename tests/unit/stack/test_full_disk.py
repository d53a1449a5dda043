"""A full disk: each command works or names what is full, and `down --purge` frees it."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from stack import lock
from stack.cli import run as cli
from stack.cli.arguments import parse
from stack.errors import StackError, system_error
from tests.helpers import own_mounts
from tests.helpers.fake_target import FakeTarget
from tests.helpers.own_mounts import needs_own_mounts

#: Starts a supervisor with two services, fills the disk, and records what each command says.
COMMANDS = """
import json, sys
from pathlib import Path
from backend.contract.ports import Ports
from stack.errors import StackError
from stack.local import daemon, intent, supervisord
from stack.local.layout import Layout
from stack.local.probes import Health, Prober
from stack.local.program import Program
from stack.local.target import LocalTarget

Prober.probe = lambda *_: Health(True)
folder = Path(sys.argv[1]) / "data"
layout = Layout.of(folder)
layout.create()
sleep = (sys.executable, "-c", "import time; time.sleep(300)")
programs = [Program("paai", sleep, processes=16, start_s=1), Program("broker", sleep, start_s=1)]
layout.supervisor_conf.write_text(supervisord.render(layout, programs))
daemon.start(layout)
intent.remember_up(layout)
target, said = LocalTarget(data_dir=folder, ports=Ports()), {}

def attempt(name, steps):
    try:
        said[name] = [step.detail for step in steps][-1]
    except StackError as error:
        said[name] = str(error)

try:
    attempt("first scale", target.scale("paai", 1))
    with (folder / "filling").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    attempt("scale", target.scale("paai", 2))
    attempt("restart", target.restart("broker"))
    attempt("up", target.up())
    attempt("down", target.down())
    said["stopped"] = str(target.status()[0].stopped)
finally:  # of a failure nothing stays behind
    list(target.down(purge=True))
said["left"] = str(folder.exists())
print(json.dumps(said))
"""


@needs_own_mounts
def test_each_command_works_or_names_what_is_full(tmp_path: Path) -> None:
    result = own_mounts.run(COMMANDS, tmp_path, mounts={tmp_path: "size=4m"})
    said = own_mounts.output(result)
    assert said["first scale"] == "Healthy."
    assert said["scale"].startswith("The disk is full: No space left on device")
    assert said["restart"] == "Healthy."
    assert "Disk: 0.0 GiB free" in said["up"]
    assert said["down"] == "Nothing of the system runs any more."
    assert said["stopped"] == "True"  # not an unexpected end
    assert said["left"] == "False"
    assert "Traceback" not in result.stderr


@needs_own_mounts
def test_without_room_for_a_lock_file_the_folder_is_locked(tmp_path: Path) -> None:
    """A file system without a free inode, and a data folder in which nothing ever ran."""
    code = (
        "import pathlib, sys, itertools\n"
        "from stack.__main__ import run, parse\n"
        "folder = pathlib.Path(sys.argv[1], 'data', 'run'); folder.mkdir(parents=True)\n"
        "try:\n"
        "    for n in itertools.count(): (folder / str(n)).touch()\n"
        "except OSError: pass\n"
        "code = run(parse(['down', '--purge', '--yes', '--target', 'local', '--data-dir', str(folder.parent)]))\n"
        "print(folder.exists(), file=sys.stderr); sys.exit(code)"
    )
    result = own_mounts.run(code, tmp_path, mounts={tmp_path: "size=1m,nr_inodes=20"})
    assert (result.returncode, result.stderr.strip()) == (0, "False")


def test_a_note_that_cannot_be_written_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    ran = []
    with lock.held(tmp_path / "lock", "down", whose="it"):
        ran.append(True)
        with (
            pytest.raises(StackError, match=r"Another command works on it: it has not finished"),
            lock.held(tmp_path / "lock", "up", whose="it"),
        ):
            pass
    assert ran


def test_what_the_operating_system_refuses_under_the_lock_is_an_error_of_ours(tmp_path: Path) -> None:
    full = r"The disk is full: No space left on device \(/data/x\)\. Free space there"
    with pytest.raises(StackError, match=full), lock.held(tmp_path / "lock", "scale", whose="it"):
        raise OSError(errno.ENOSPC, "No space left on device", "/data/x")


def test_reasons_are_sentences() -> None:
    assert str(system_error(PermissionError(errno.EACCES, "Permission denied", "/x"))).startswith(
        "The operating system refused a call: Permission denied (/x). "
    )
    assert "cannot be used" in str(system_error(UnicodeEncodeError("ascii", "ü", 0, 1, "ordinal not in range(128)")))


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x")]
)
def test_no_command_ends_in_a_traceback(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = FakeTarget(up=True)
    target.error = error  # type: ignore[assignment]
    monkeypatch.setattr(cli, "target_of", lambda *_, **__: target)
    assert cli.run(parse(["status"])) == 1
    assert str(system_error(error)) in " ".join(capsys.readouterr().err.split())  # type: ignore[arg-type]


def test_output_into_a_pipe_that_was_closed_is_no_traceback(tmp_path: Path) -> None:
    call = f"{sys.executable} -m stack status --target local --data-dir '{tmp_path}' | true"
    result = subprocess.run(["bash", "-c", call], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in result.stderr
