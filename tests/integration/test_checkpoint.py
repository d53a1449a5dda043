"""A Spark job whose checkpoint was damaged by a crash: mended where nothing is lost, else one sentence and one command."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from stack.local import daemon
from stack.local.layout import Layout
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem
from tests.integration.test_windows import Clock, brute_force, job_state, post, stored

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

Document = dict[str, Any]


class Job:
    """The aggregates job, and its checkpoint's files."""

    def __init__(self, live: LiveSystem) -> None:
        self._live, layout = live, Layout.of(live.data_dir)
        self.checkpoint = layout.checkpoints["spark-job"]
        self._supervisor = daemon.connect(layout)
        self._name = next(p.full_name for p in self._supervisor.processes() if p.group == "spark-job")

    def kill(self) -> None:
        """SIGKILL, and not started again."""
        os.kill(self._live.pid("spark-job"), signal.SIGKILL)
        self._supervisor.stop(self._name)
        wait_until(lambda: not any(p.pid for p in self._supervisor.processes() if p.group == "spark-job"), 60, "its end")

    def start(self) -> None:
        self._supervisor.start(self._name)

    def newest(self, log: str) -> Path:
        return max((p for p in (self.checkpoint / log).iterdir() if p.name.isdigit()), key=lambda p: int(p.name))


def test_a_job_that_was_killed_goes_on_or_says_what_helps(live_system: LiveSystem, client: "MongoClient[Document]") -> None:
    job, clock = Job(live_system), Clock(client)
    device, closer = f"killed-{os.getpid()}", f"closes-{os.getpid()}"
    readings = [(device, clock.at(n), 20.0 + n) for n in range(5)]
    post(live_system, readings)
    wait_until(lambda: list(job.checkpoint.glob("commits/[0-9]*")), 120, "a batch", interval_s=0.5)

    # The plan of a batch that was never committed.
    job.kill()
    planned, committed = job.newest("offsets"), job.newest("commits")
    torn = planned if planned.name != committed.name else planned.with_name(str(int(planned.name) + 1))
    torn.write_bytes(b"")
    job.start()
    post(live_system, [(closer, clock.at(20), 20.0)])
    wait_until(lambda: stored(client, device) == brute_force(readings), 240, "the window", interval_s=0.5)
    assert (job.checkpoint / "set-aside" / f"offsets-{torn.name}").exists()

    # Anything else: the job ends, and the target says what to type, once.
    job.kill()
    job.newest("commits").write_bytes(b"")
    job.start()

    def message() -> str:
        return next(row for row in live_system.target.status() if row.service == "spark-job").message

    wait_until(lambda: "reset spark-job" in message(), 180, "the command", interval_s=0.5)
    assert message().count("python -m stack") == 1
    assert f"--data-dir {live_system.data_dir}" in message()
    assert "of the checkpoint is damaged: it is empty" in message()
    for _ in live_system.target.reset("spark-job"):
        pass
    wait_until(lambda: job_state(live_system).get("ok"), 180, "the job to run again", interval_s=0.5)
