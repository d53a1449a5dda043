"""Runs one training at a time in a process of its own, so that serving never waits for it."""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from backend.common.errors import ConflictError, NotFoundError
from backend.contract.times import to_iso

log = logging.getLogger("predictor")

#: Finished jobs that are remembered.
_KEPT: Final = 50
_KILL_AFTER_S: Final = 20.0
_EXIT_CANCELLED: Final = 130
#: Lines that are kept of what a failed training said last.
_LAST_LINES: Final = 5

#: What to run, given the wanted options as arguments.
Command = Callable[[Sequence[str]], Sequence[str]]


def training_command(arguments: Sequence[str]) -> Sequence[str]:
    """The training as a process."""
    return [sys.executable, "-m", "backend.predictor.train", "--json", *arguments]


@dataclass
class Job:
    """One training.

    Attributes:
        name: Its name.
        state: ``running``, ``cancelling``, ``done``, ``failed``, ``cancelled``.
        progress: 0 … 1.
        message: What it does, or why it ended.
        result: What it gave.
        started_ms, ended_ms: Epoch ms; 0 = not yet.
    """

    name: str
    state: str = "running"
    progress: float = 0.0
    message: str = "starts; its libraries take some seconds to load"
    result: dict[str, Any] = field(default_factory=dict)
    started_ms: int = 0
    ended_ms: int = 0
    process: asyncio.subprocess.Process | None = None
    task: "asyncio.Task[None] | None" = None

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.state in ("running", "cancelling")

    def wire(self) -> dict[str, Any]:
        """As it is answered."""
        return {
            "job": self.name,
            "state": self.state,
            "progress": round(self.progress, 4),
            "message": self.message,
            "started": to_iso(self.started_ms),
            "ended": to_iso(self.ended_ms) if self.ended_ms else None,
            **({"result": self.result} if self.result else {}),
        }


class Jobs:
    """The trainings of this process. Belongs to one event loop.

    Args:
        command: Makes the process's command line.
        on_done: Called after a training that published.
    """

    def __init__(self, *, command: Command = training_command, on_done: Callable[[], None] = lambda: None) -> None:
        self._command, self._on_done = command, on_done
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    async def start(self, arguments: Sequence[str]) -> Job:
        """Start a training.

        Raises:
            ConflictError: one is running.
        """
        running = next((job for job in self._jobs.values() if job.running), None)
        if running is not None:
            raise ConflictError(f"The training {running.name} is running. Wait for it, or cancel it.")
        job = Job(secrets.token_hex(6), started_ms=int(time.time() * 1000))
        self._jobs[job.name] = job
        while len(self._jobs) > _KEPT:
            self._jobs.popitem(last=False)
        log.info("training %s: starts", job.name)
        job.task = asyncio.create_task(self._run(job, list(self._command(arguments))), name=f"training {job.name}")
        return job

    def all(self) -> list[Job]:
        """Those that are remembered, the newest first."""
        return list(reversed(self._jobs.values()))

    def get(self, name: str) -> Job:
        """Raises NotFoundError."""
        job = self._jobs.get(name)
        if job is None:
            raise NotFoundError(f"There is no job {name[:40]!r}. Jobs are forgotten when the predictor restarts.")
        return job

    def cancel(self, name: str) -> Job:
        """Ask a training to end; one that has ended stays as it is.

        Raises:
            NotFoundError: there is none.
        """
        job = self.get(name)
        if job.running:
            job.state, job.message = "cancelling", "is being cancelled"
            if job.process is not None:
                _signal(job.process, signal.SIGTERM)
        return job

    async def close(self) -> None:
        """End what runs."""
        for job in self._jobs.values():
            if job.running:
                self.cancel(job.name)
                if job.process is not None:
                    _signal(job.process, signal.SIGKILL)
        await asyncio.gather(*(job.task for job in self._jobs.values() if job.task), return_exceptions=True)

    async def _run(self, job: Job, command: Sequence[str]) -> None:
        try:
            job.process = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            _yield_to_readings(job.process)
            if job.state == "cancelling":
                _signal(job.process, signal.SIGTERM)
            out, last = await asyncio.gather(_read_all(job.process.stdout), self._follow(job, job.process))
            code = await job.process.wait()
            self._end(job, code, out, last)
        except OSError as error:
            job.state, job.message = "failed", f"The training could not be started: {error.strerror or error}."
        finally:
            job.ended_ms = int(time.time() * 1000)
            (log.warning if job.state == "failed" else log.info)("training %s: %s: %s", job.name, job.state, job.message)

    async def _follow(self, job: Job, process: asyncio.subprocess.Process) -> list[str]:
        """Take in the progress; bound the time that a cancelled training takes."""
        assert process.stderr is not None  # noqa: S101 - it is a pipe
        last: list[str] = []
        cancelled_at = 0.0
        while True:
            try:
                line = await asyncio.wait_for(process.stderr.readline(), timeout=1.0)
            except TimeoutError:
                if job.state == "cancelling":
                    cancelled_at = cancelled_at or time.monotonic()
                    if time.monotonic() - cancelled_at > _KILL_AFTER_S:
                        _signal(process, signal.SIGKILL)
                continue
            if not line:
                return last
            text = line.decode("utf-8", "replace").strip()
            try:
                told = json.loads(text)
                job.progress = float(told["progress"])
                if job.state == "running":
                    job.message = str(told["message"])
            except (ValueError, KeyError, TypeError):
                last = [*last, text][-_LAST_LINES:]

    def _end(self, job: Job, code: int, out: bytes, last: Sequence[str]) -> None:
        if code == 0:
            job.state, job.progress = "done", 1.0
            job.result = json.loads(out)
            job.message = f"published {job.result.get('version')}"
            if left_out := job.result.get("left_out"):
                job.message += f"; damaged documents left out: {left_out}"
            self._on_done()
        elif job.state == "cancelling" or code == _EXIT_CANCELLED:
            job.state, job.message = "cancelled", "It was cancelled; nothing was stored."
        else:
            job.state = "failed"
            job.message = (last[-1] if last else f"The training ended with status {code}.")[:2000]


async def _read_all(stream: asyncio.StreamReader | None) -> bytes:
    return await stream.read(1 << 20) if stream is not None else b""


def _signal(process: asyncio.subprocess.Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


def _yield_to_readings(process: asyncio.subprocess.Process) -> None:
    # From here, not in the child before it starts: this loop waits for that, as long as a busy machine lets such a child wait.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, 10)
