"""The README's commands, run as they stand there against the real system."""

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem
from tests.unit.test_docs import commands

pytestmark = pytest.mark.integration

README = Path(__file__).parents[2] / "README.md"
#: They end or reset the system that the other tests use, or are tested with their own.
_ELSEWHERE = ("down", "reset")


def test_stack_commands_run(live_system: LiveSystem) -> None:
    lines = [c for c in commands(README.read_text(encoding="utf-8")) if c.startswith(".venv/bin/python -m stack ")]
    ran = []
    for line in lines:
        arguments = shlex.split(line)[3:]
        if arguments[0] not in _ELSEWHERE and "swarm" not in arguments:  # tests/swarm deploys
            answer = live_system.cli(*arguments, timeout_s=180)
            assert answer.returncode == 0, f"{line}: {answer.stdout}{answer.stderr}"
            ran.append(arguments[0])
    assert {"up", "status", "endpoints", "logs", "scale"} <= set(ran)
    assert live_system.cli("scale", "paai", "3").returncode == 0


def test_curl_commands_run(live_system: LiveSystem) -> None:
    lines = [c for c in commands(README.read_text(encoding="utf-8")) if c.startswith("curl ")]
    assert len(lines) == 2
    here = [line.replace("localhost:8000", f"localhost:{live_system.ports.paai}") for line in lines]

    def run(line: str) -> str:
        command = [*shlex.split(line), "--silent", "--show-error", "--fail-with-body", "--noproxy", "*"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout

    assert run(here[0]) == ""
    answer = wait_until(lambda: found if '"average":25.2' in (found := run(here[1])) else "", 20, "the average", interval_s=0.3)
    assert '"device_id":"1"' in answer
