"""Which interpreter `make test-newer` takes, and what it does where there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "newer_python.sh"

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 13), reason="there is nothing newer to find")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with the programs that the script needs, and no Python but that of .venv."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "dirname", "find", "sort", "env"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    return tmp_path


def add_python(path: Path, *, works: bool = True) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{shutil.which('bash')}\nexit {0 if works else 127}\n")
    path.chmod(0o755)
    return str(path)


def run(machine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": str(machine / "bin"), "PYENV_ROOT": str(machine / "pyenv")}
    bash = shutil.which("bash")
    assert bash is not None
    return subprocess.run(
        [bash, str(SCRIPT), *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_machine_without_one_passes_with_a_line(machine: Path) -> None:
    done = run(machine)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert "skipped" in done.stdout


def test_the_newest_release_of_the_newest_version_is_taken(machine: Path) -> None:
    versions = machine / "pyenv" / "versions"
    add_python(versions / "3.12.1" / "bin" / "python")
    add_python(versions / "3.13.9" / "bin" / "python")
    newest = add_python(versions / "3.13.10" / "bin" / "python")
    assert run(machine, "--find").stdout.strip() == newest


def test_one_that_does_not_run_is_passed_over(machine: Path) -> None:
    add_python(machine / "bin" / "python3.13", works=False)
    works = add_python(machine / "bin" / "python3.12")
    assert run(machine, "--find").stdout.strip() == works
