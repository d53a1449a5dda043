"""Output of Docker's client as it comes, and the small forms that it prints."""

import queue
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from typing import Final

from python_on_whales.exceptions import DockerException

_POLL_S: Final = 0.2
_END_S: Final = 5.0
_UNITS: Final = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}


def both(command: Sequence[str]) -> list[str]:
    """Lines of stdout and stderr, in the order they were written. The command bounds itself.

    Raises:
        DockerException: it failed.
    """
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise DockerException(list(command), done.returncode, stderr=done.stdout)
    return _lines(done.stdout)


def follow(command: Sequence[str], stop: threading.Event) -> Iterator[str]:
    """Lines of stdout and stderr until `stop` is set or the command ends.

    Raises:
        DockerException: it ended with a failure of its own.
    """
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines: queue.Queue[bytes | None] = queue.Queue(maxsize=10_000)  # a reader that is slow slows the command, not the memory
    leaving = threading.Event()

    def pump() -> None:
        assert process.stdout is not None  # noqa: S101 (it is a pipe)
        for line in process.stdout:
            while not leaving.is_set():
                try:
                    lines.put(line, timeout=_POLL_S)
                    break
                except queue.Full:
                    continue
            if leaving.is_set():
                return
        lines.put(None)

    thread = threading.Thread(target=pump, name="docker-logs", daemon=True)
    thread.start()
    last = b""
    try:
        while not stop.is_set():
            try:
                line = lines.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if line is None:
                if process.wait(_END_S) != 0:
                    raise DockerException(list(command), process.returncode, stderr=last)
                return
            last = line
            yield from _lines(line)
    finally:
        leaving.set()
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_END_S)
        thread.join(_END_S)
        if process.stdout is not None:
            process.stdout.close()


def to_bytes(amount: str) -> int:
    """``12.5MiB`` in bytes.

    Raises:
        ValueError: it is none.
    """
    if (found := re.fullmatch(r"([0-9.]+)\s*([A-Za-z]+)", amount)) is None or found[2] not in _UNITS:
        raise ValueError(f"{amount!r} is no amount of memory")
    return int(float(found[1]) * _UNITS[found[2]])


def _lines(data: bytes) -> list[str]:
    return [line.rstrip("\r") for line in data.decode("utf-8", "replace").split("\n") if line]
