"""Runs Python in a mount namespace of its own, where file systems are mounted that nobody else sees. Needs root."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def works() -> bool:
    """Whether this user may mount something for itself."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


needs_own_mounts = pytest.mark.skipif(not works(), reason="needs root and mount namespaces")


def run(
    code: str,
    *arguments: object,
    mounts: Mapping[Path | str, str],
    env: Mapping[str, str] | None = None,
    prefix: str = "",
    timeout_s: float = 60,
) -> "subprocess.CompletedProcess[str]":
    """Run `code` with `python -c`.

    Args:
        arguments: Its `sys.argv[1:]`.
        mounts: Folder → options of the tmpfs mounted there: "size=64k,noexec".
        env: Added to this process's environment.
        prefix: Shell commands before it: "ulimit -Hn 1024;".
    """
    lines = [f"mount -t tmpfs -o {options} tmpfs {shlex.quote(str(folder))}" for folder, options in mounts.items()]
    call = shlex.join([sys.executable, "-c", code, *map(str, arguments)])
    script = " && ".join([*lines, f"{prefix} exec {call}"])
    return subprocess.run(
        ["unshare", "-m", "bash", "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_s,
        check=False,
    )


def output(result: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    """The JSON object that the code printed last."""
    assert result.returncode == 0, result.stderr[-3000:]
    found: dict[str, str] = json.loads(result.stdout.splitlines()[-1])
    return found
