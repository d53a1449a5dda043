"""`python3 -m stack.container.record`: run while the image of Kafka is built, so that it holds its JVMs' class archives.

Starts the very commands of the entry points on loopback, without any other network, until they are well, and ends them again.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stack.container import archive, probe

LOOPBACK: Final = "127.0.0.1"
SECRETS: Final = Path("/run/secrets")
START_S: Final = 180.0
STOP_S: Final = 120.0

_ENVIRONMENT: Final = {
    archive.RECORDING: "1",
    "PAAI_ZOOKEEPER": f"{LOOPBACK}:2181",
    "PAAI_INTERNAL_HOST": LOOPBACK,
    "PAAI_EXTERNAL": f"{LOOPBACK}:9092",
    "PAAI_KAFKA_BOOTSTRAP": f"{LOOPBACK}:29092",
}


@contextmanager
def running(role: str, *check: str) -> Iterator[subprocess.Popen[bytes]]:
    """The role, well; ended politely, since its archive is written at its end."""
    process = subprocess.Popen([sys.executable, "-m", "stack.container", role], env={**os.environ, **_ENVIRONMENT})
    try:
        deadline = time.monotonic() + START_S
        while check and probe.main(list(check)) != 0:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{role} did not start (exit code {process.poll()})")
            time.sleep(1)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=STOP_S)


def kafka() -> None:
    """ZooKeeper, broker and Connect, which wants the folder of secrets to be there."""
    SECRETS.mkdir(parents=True, exist_ok=True)
    with (
        running("zookeeper", "zookeeper", "2181"),
        running("broker", "broker", "29092"),
        running("connect", "http", "http://127.0.0.1:8083/connectors"),
    ):
        pass


if __name__ == "__main__":
    archive.FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        kafka()
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        # An image without archives only starts more slowly.
        sys.stdout.write(f"Nothing is recorded: {error}\n")
        for file in archive.FOLDER.iterdir():
            file.unlink()
    for file in sorted(archive.FOLDER.iterdir()):
        file.chmod(0o644)
        sys.stdout.write(f"{file.name}: {file.stat().st_size / 1024**2:.0f} MB\n")
