"""Building the Rust server, with a script in cargo's place."""

import sys
import threading
import time
from pathlib import Path

import pytest

from stack import mongo
from stack.errors import CancelledError, MongoMissingError
from stack.mongo.choose import rs_root
from tests.helpers.wait import wait_until


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PAAI_CACHE_DIR", str(tmp_path))
    return tmp_path


def script(text: str) -> list[str]:
    return [sys.executable, "-u", "-c", f"import os, sys, time\nfrom pathlib import Path\n{text}"]


def installing() -> str:
    program = rs_root() / "bin" / "secantusd-rs"
    return f"p = Path({str(program)!r}); p.parent.mkdir(parents=True); p.touch(); p.chmod(0o755)"


def test_progress_is_read_from_cargos_bar(cache: Path) -> None:
    steps: list[tuple[int, int, str]] = []
    bar = "print('    Updating index'); print('    Building [=>   ] 12/345: serde(build.rs)', end='\\r'); time.sleep(0.6)\n"

    program = mongo.build_rs(lambda *step: steps.append(step), command=script(bar + installing()))

    assert program == rs_root() / "bin" / "secantusd-rs"
    assert mongo.is_built()
    assert (0, 0, "Updating index") in steps
    assert (12, 345, "Compiling serde(build.rs)") in steps


def test_what_is_there_is_not_built_again() -> None:
    mongo.build_rs(lambda *_: None, command=script(installing()))

    mongo.build_rs(lambda *_: None, command=script("sys.exit('must not run')"))


def test_a_failure_quotes_cargo() -> None:
    text = "print('error: linker `cc` not found', file=sys.stderr); sys.exit(101)"

    with pytest.raises(MongoMissingError, match="linker `cc` not found"):
        mongo.build_rs(lambda *_: None, command=script(text))


def test_success_without_a_program_is_a_failure() -> None:
    with pytest.raises(MongoMissingError, match="missing after the build"):
        mongo.build_rs(lambda *_: None, command=script(""))


def test_cancelling_ends_it_with_all_its_children(tmp_path: Path) -> None:
    cancel = threading.Event()
    pid_file = tmp_path / "pid"
    child = (
        f"import subprocess; c = subprocess.Popen(['sleep', '60']); Path({str(pid_file)!r}).write_text(str(c.pid)); c.wait()"
    )
    timer = threading.Timer(1.0, cancel.set)
    timer.start()
    begun = time.monotonic()

    with pytest.raises(CancelledError):
        mongo.build_rs(lambda *_: None, cancel, command=script(child))

    timer.join()
    assert time.monotonic() - begun < 8
    stat = Path(f"/proc/{pid_file.read_text()}/stat")

    def is_gone() -> bool:
        try:
            return stat.read_text().split()[2] in "ZX"
        except (FileNotFoundError, ProcessLookupError):
            return True

    wait_until(is_gone, 5, "the compiler to be gone")


def test_without_cargo_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert not mongo.may_build()
    with pytest.raises(MongoMissingError, match="needs cargo and a C compiler"):
        mongo.build_rs(lambda *_: None)
