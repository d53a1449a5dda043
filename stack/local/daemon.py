"""Starts supervisord so that it outlives whoever asked for it, and sweeps away what an earlier one left behind."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from stack import limits
from stack.catalogue import SERVICES, HealthKind
from stack.errors import NotRunningError, StepFailedError, WaitTimeoutError
from stack.local import processes
from stack.local.layout import Layout
from stack.local.rpc import SupervisorRpc
from stack.local.supervisord import LISTENER, daemon_environment

START_TIMEOUT_S = 15.0


def connect(layout: Layout) -> SupervisorRpc:
    """The interface of this directory's supervisord, whether or not it runs."""
    return SupervisorRpc(layout.socket, start=layout.command("up"), hidden=frozenset({LISTENER}))


def is_running(layout: Layout) -> bool:
    """Whether supervisord answers."""
    if not layout.socket.exists():
        return False
    try:
        connect(layout).processes()
    except NotRunningError:
        return False
    return True


def reports(layout: Layout) -> list[Path]:
    """What services without a port report of themselves. The other files there are kept: the generator's fleet."""
    return [layout.state / f"{service.name}.json" for service in SERVICES if service.health is HealthKind.STATE_FILE]


def clean_up(layout: Layout) -> str:
    """Remove what a dead supervisord left: orphaned services, socket, pid file. What was done, as a sentence, or empty.

    To be called only when `is_running` says no.
    """
    left = processes.marked(layout)
    names = processes.describe(left)
    if left:
        processes.end(layout)
    if still := processes.marked(layout):
        raise StepFailedError(
            "supervisor",
            f"Processes of an earlier run cannot be ended: {processes.describe(still)}",
            why="They did not react to being killed.",
            remedy="End them by hand, then try again.",
        )
    for path in (layout.socket, layout.pid_file):
        path.unlink(missing_ok=True)
    return f"Ended what an earlier run had left: {names}." if left else ""


def start(layout: Layout) -> None:
    """Start supervisord with the configuration in the run directory, and wait until it answers.

    Raises:
        StepFailedError: it does not start; says what it printed.
    """
    shutil.rmtree(layout.metrics, ignore_errors=True)  # counters of processes that are gone
    layout.metrics.mkdir(mode=0o700)
    for path in (layout.spark / "local", layout.spark / "work", layout.tmp):  # of processes that are gone
        shutil.rmtree(path, ignore_errors=True)
    layout.tmp.mkdir(mode=0o700, exist_ok=True)
    for path in (layout.restarts_file, *reports(layout)):
        path.unlink(missing_ok=True)
    limits.raise_soft_limit()
    command = (sys.executable, "-m", "supervisor.supervisord", "-c", str(layout.supervisor_conf))
    try:
        # It leaves this session and this process group, and goes on in the background.
        result = subprocess.run(
            command,
            cwd=layout.work,
            env=daemon_environment(layout, os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=START_TIMEOUT_S,
            start_new_session=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StepFailedError("supervisor", "The supervisor does not start", why=f"{error}.") from error
    if result.returncode != 0:
        raise StepFailedError(
            "supervisor",
            "The supervisor does not start",
            why=(result.stderr or result.stdout).strip() or f"It exited with code {result.returncode}.",
            remedy=f"See {layout.logs / 'supervisord.log'}.",
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    while not is_running(layout):
        if time.monotonic() > deadline:
            raise WaitTimeoutError(
                "supervisor",
                f"The supervisor did not answer within {START_TIMEOUT_S:.0f} s",
                remedy=f"See {layout.logs / 'supervisord.log'}.",
            )
        time.sleep(0.05)


def stop(layout: Layout, *, timeout_s: float) -> None:
    """Shut supervisord down; afterwards no process of this directory is left."""
    with contextlib.suppress(NotRunningError):
        connect(layout).shutdown()
    deadline = time.monotonic() + timeout_s
    while processes.marked(layout) and time.monotonic() < deadline:
        time.sleep(0.1)
    clean_up(layout)
