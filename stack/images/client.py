"""Calls the Docker client to build and look at images. The classic builder: nothing newer than Docker 20.10 is needed."""

import contextlib
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Final

from stack.errors import CancelledError, EngineError, EngineTimeoutError
from stack.images.context import Context
from stack.tied import tied
from stack.working import Progress

#: Label of our images: the digest of all that went into one.
SOURCE_LABEL: Final = "paai.source"

_CALL_S: Final = 60.0
_BUILD_S: Final = 1800.0
_POLL_S: Final = 0.2
_STEP: Final = re.compile(r"^Step (\d+)/(\d+) : (.*)")


@dataclass(frozen=True, slots=True)
class Docker:
    """How the client is called.

    Attributes:
        command: The client with its global options: ``("docker", "--context", "elsewhere")``.
        environment: Of the client; the process's own unless given.
    """

    command: tuple[str, ...] = ("docker",)
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def output(self, *arguments: str, timeout_s: float = _CALL_S) -> str:
        """Run the client; returns what it prints.

        Raises:
            EngineError: it failed, with its words.
            EngineTimeoutError: it did not end in time.
        """
        try:
            answer = subprocess.run(
                [*self.command, *arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except FileNotFoundError:
            raise EngineError("Docker's client is not installed", remedy="Install Docker, then try again.") from None
        except subprocess.TimeoutExpired:
            raise EngineTimeoutError(f"docker {arguments[0]} did not end within {timeout_s:.0f} s") from None
        if answer.returncode != 0:
            raise EngineError(f"docker {' '.join(arguments[:2])} failed", why=_last_words(answer.stderr or answer.stdout))
        return answer.stdout

    def source_digest(self, image: str) -> str | None:
        """The label of an image of ours; None where there is no such image."""
        try:
            # Not `--format {{index …}}` on an image without labels: that is an error of its own.
            found = self.output("image", "ls", "--quiet", "--filter", f"reference={image}")
            if not found.strip():
                return None
            return self.output("image", "inspect", "--format", f'{{{{index .Config.Labels "{SOURCE_LABEL}"}}}}', image).strip()
        except EngineTimeoutError:
            raise
        except EngineError:
            return None

    def architecture(self) -> str:
        """Of the engine: "amd64"."""
        return self.output("version", "--format", "{{.Server.Arch}}").strip()

    def build(
        self,
        image: str,
        context: Context,
        *,
        labels: Mapping[str, str],
        arguments: Mapping[str, str],
        network: str = "none",
        progress: Progress,
        cancel: threading.Event | None,
    ) -> None:
        """Build `image` from `context`.

        Args:
            network: Of its steps: "none", or the engine's "host".

        Raises:
            EngineError: a step failed, with its words.
            CancelledError: `cancel` was set; finished steps are kept by the engine.
        """
        command = [
            *(*self.command, "build", "--network", network, "--force-rm", "--tag", image),
            *(word for key, value in labels.items() for word in ("--label", f"{key}={value}")),
            *(word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")),
            "-",
        ]

        def news(line: str) -> None:
            if match := _STEP.match(line):
                progress(int(match[1]) - 1, int(match[2]), f"Step {match[1]} of {match[2]}: {match[3][:80]}")

        self.feed(command, context.write_tar, what=f"The image {image} cannot be built", on_line=news, cancel=cancel)

    def feed(
        self,
        command: Sequence[str],
        write: Callable[[IO[bytes]], object],
        *,
        what: str,
        on_line: Callable[[str], object] = lambda line: None,
        cancel: threading.Event | None,
        timeout_s: float = _BUILD_S,
    ) -> None:
        """Run a call that reads a stream, which `write` makes in a thread of its own.

        Raises:
            EngineError: it failed; `what` and its last words.
            EngineTimeoutError, CancelledError.
        """
        environment = {**self.environment, "DOCKER_BUILDKIT": "0"}
        deadline, read, rest = time.monotonic() + timeout_s, 0, ""
        # A file and not a pipe: nobody can block on it, and it is there whole when the build fails.
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                tied(list(command)), stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, env=environment
            )
            if process.stdin is None:
                raise AssertionError("started without a pipe")
            feeder = threading.Thread(target=_feed, args=(write, process.stdin), name="docker-feed", daemon=True)
            feeder.start()
            try:
                code = None
                while code is None:
                    if cancel is not None and cancel.is_set():
                        raise CancelledError("Building the images was cancelled", remedy="It goes on from here next time.")
                    if time.monotonic() > deadline:
                        raise EngineTimeoutError(what, why=f"It was stopped after {timeout_s:.0f} s.")
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        code = process.wait(timeout=_POLL_S)
                    size = os.fstat(log.fileno()).st_size
                    *lines, rest = (rest + os.pread(log.fileno(), size - read, read).decode("utf-8", "replace")).split("\n")
                    read = size
                    for line in lines:
                        on_line(line)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait(timeout=10)
                feeder.join(timeout=10)
            if code != 0:
                words = os.pread(log.fileno(), 4000, max(0, read - 4000)).decode("utf-8", "replace")
                raise EngineError(what, why=_last_words(words), remedy="Put right what it says, then build again.")


def _feed(write: Callable[[IO[bytes]], object], out: IO[bytes]) -> None:
    # The reader may have gone: it says why.
    with contextlib.suppress(BrokenPipeError), out:
        write(out)


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and "DEPRECATED" not in line]
    return " ".join(lines[-3:])[-400:]
