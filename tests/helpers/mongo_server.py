"""A MongoDB server of a test's own, with authentication, on a free port."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymongo

from stack.mongo.choose import RS_VERSION, MongoChoice, command, rs_root
from stack.tied import tied
from tests.helpers.wait import wait_until

Document = dict[str, Any]

ROOT_PASSWORD = "root-Pass_1"


@dataclass(frozen=True, slots=True)
class MongoServer:
    """A running server.

    Attributes:
        kind: "secantusd-py" or "secantusd-rs".
        port: Where it listens on loopback.
    """

    kind: str
    port: int

    @property
    def uri(self) -> str:
        """Without a login."""
        return f"mongodb://127.0.0.1:{self.port}/"

    def client(self, user: str = "root", password: str = ROOT_PASSWORD) -> "pymongo.MongoClient[Document]":
        """A client that is logged in; the caller closes it."""
        return pymongo.MongoClient(
            self.uri, username=user, password=password, authSource="admin", serverSelectionTimeoutMS=5000, tz_aware=True
        )


@contextmanager
def mongo_with_auth(choice: MongoChoice, directory: Path) -> Iterator[MongoServer]:
    """Start it, make the user root, and start it again so that it asks for a login.

    Args:
        choice: Which one; SecantusDB only.
        directory: For its data.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = MongoServer(choice.kind, probe.getsockname()[1])
    fresh: pymongo.MongoClient[Document] = pymongo.MongoClient(server.uri, serverSelectionTimeoutMS=20_000)
    with _running(choice, directory, server), fresh as client:
        client.admin.command("createUser", "root", pwd=ROOT_PASSWORD, roles=["root"])
    with _running(choice, directory, server, "--auth"):
        yield server


@contextmanager
def mongo_without_auth(choice: MongoChoice, directory: Path) -> Iterator[MongoServer]:
    """Start it without logins.

    Args:
        choice: Which one; SecantusDB only.
        directory: For its data.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = MongoServer(choice.kind, probe.getsockname()[1])
    with _running(choice, directory, server):
        yield server


def stand_ins() -> list[MongoChoice]:
    """Every stand-in for MongoDB that this machine has: the Python build, and the Rust build where it is built."""
    choices = [MongoChoice("secantusd-py", Path(sys.executable).parent / "secantusd-py", "", "")]
    rust = rs_root() / "bin" / "secantusd-rs"
    return [*choices, MongoChoice("secantusd-rs", rust, RS_VERSION, "")] if rust.exists() else choices


@contextmanager
def _running(choice: MongoChoice, directory: Path, server: MongoServer, *options: str) -> Iterator[None]:
    line = tied([*command(choice, data_dir=directory, port=server.port), *options])
    with (directory / "server.log").open("ab") as log, subprocess.Popen(line, stdout=log, stderr=log) as process:
        try:
            wait_until(lambda: process.poll() is not None or _listens(server.port), 60, f"{choice.kind} to listen")
            assert process.poll() is None, f"{choice.kind} ended at once; see {directory}/server.log"
            yield
        finally:
            process.terminate()
            process.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
