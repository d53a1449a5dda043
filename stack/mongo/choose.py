"""Chooses the MongoDB server of the local target and says why.

Order of preference: MongoDB itself (`mongod`); else SecantusDB, which speaks its wire protocol: the Rust build, else the
Python build, which every installation has. SecantusDB is GPL and runs as a process of its own; it is never imported.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Literal

from stack.cache import cache_dir
from stack.container.mongo import DURABLE
from stack.errors import MongoMissingError

Kind = Literal["mongod", "secantusd-rs", "secantusd-py"]

#: Window stages and `$dateTrunc` that paai and the desktop ask for came with 5.0.
MIN_MONGOD_MAJOR = 5
#: The pinned Rust build; a later one may store its data differently.
RS_VERSION = "0.5.3-beta.196"

_MONGOD_VERSION = re.compile(r"db version v((\d+)[\d.]*)")


@dataclass(frozen=True, slots=True)
class MongoChoice:
    """The server that `up` will start.

    Attributes:
        kind: "mongod", "secantusd-rs" or "secantusd-py".
        executable: What to run.
        version: Of the server program.
        why: Reason in one or two sentences, for the deploy summary; says how to get a faster one.
    """

    kind: Kind
    executable: Path
    version: str
    why: str


def rs_root() -> Path:
    """Where the Rust build is installed: `bin/secantusd-rs` below it."""
    return cache_dir() / f"secantus-mdb-{RS_VERSION}"


def choose(*, data_dir: Path | None = None, path: str | None = None) -> MongoChoice:
    """The best server that is there; the one that wrote `data_dir`, as long as it is there, so that no data vanish.

    Args:
        data_dir: Where an earlier run may have left data; see `store_dir`.
        path: Instead of the environment's PATH, for tests.

    Raises:
        MongoMissingError: There is none at all.
    """
    search = os.environ.get("PATH", "") if path is None else path
    notes: list[str] = []
    found = [
        choice for choice in (_mongod(search, notes), _secantusd_rs(search, notes), _secantusd_py(search, notes)) if choice
    ]
    if not found:
        raise MongoMissingError(
            "There is no MongoDB server",
            why=" ".join(notes),
            remedy="Type: make setup (it brings an embedded one), or install MongoDB 5 or newer so that mongod is on PATH.",
        )
    best = found[0]
    if data_dir is not None:
        for choice in found:
            if _has_data(store_dir(choice, data_dir)) and not _has_data(store_dir(best, data_dir)):
                why = f"It keeps the data of this folder ({best.kind} would start empty; down --purge switches)."
                return replace(choice, why=why)
    return best


def store_dir(choice: MongoChoice, data_dir: Path) -> Path:
    """The database's own folder. One for each kind, since none can read another's files."""
    return data_dir / choice.kind


def command(choice: MongoChoice, *, data_dir: Path, port: int, host: str = "127.0.0.1") -> list[str]:
    """The command line that serves `store_dir(choice, data_dir)` in the foreground; makes that folder.

    Args:
        data_dir: Parent of the database's folder.
        port: TCP port.
        host: Address to listen on.
    """
    store = store_dir(choice, data_dir)
    store.mkdir(parents=True, exist_ok=True)
    if choice.kind == "mongod":
        options = ["--dbpath", store, "--port", port, "--bind_ip", host, "--nounixsocket", "--wiredTigerCacheSizeGB", 1]
    else:
        # An explicit, empty configuration keeps a secantusd.toml of the user or of the folder out of it.
        empty = data_dir / "secantusd.toml"
        empty.write_text("", encoding="utf-8")
        options = ["--config", empty, "--host", host, "--port", port, "--storage-path", store, "--cache-size", "1G"]
        options += ["--log-level", "INFO"]
    return [str(choice.executable), *(str(option) for option in options)]


def environment(choice: MongoChoice) -> dict[str, str]:
    """What `command` wants in its environment."""
    return {} if choice.kind == "mongod" else dict(DURABLE)


def _has_data(store: Path) -> bool:
    return (store / "WiredTiger").exists()


def _mongod(search: str, notes: list[str]) -> MongoChoice | None:
    program = shutil.which("mongod", path=search)
    if program is None:
        notes.append("No mongod on PATH.")
        return None
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        notes.append(f"{program} does not run ({error}).")
        return None
    match = _MONGOD_VERSION.search(answer.stdout)
    if answer.returncode != 0 or match is None:
        # A negative code is a signal: MongoDB 5 and newer need AVX and die with "illegal instruction" without it.
        notes.append(f"{program} does not run on this machine (exit code {answer.returncode}).")
        return None
    if int(match[2]) < MIN_MONGOD_MAJOR:
        notes.append(f"{program} is MongoDB {match[1]}; {MIN_MONGOD_MAJOR} or newer is needed.")
        return None
    return MongoChoice("mongod", Path(program), match[1], f"Found {program}.")


def _secantusd_rs(search: str, notes: list[str]) -> MongoChoice | None:
    built = rs_root() / "bin" / "secantusd-rs"
    for program in _executables(built, shutil.which("secantusd-rs", path=search)):
        return MongoChoice(
            "secantusd-rs", program, _rs_version(program, built), " ".join([*notes, "SecantusDB stands in for it."])
        )
    # Not asked here whether its cargo works: rustup leaves one behind without a toolchain.
    have = shutil.which("cargo", path=search) is not None
    how = "make build (with a cargo that works)" if have else "install Rust's cargo, then make build"
    notes.append(f"SecantusDB's Python build stands in for it; the Rust build stores 3 to 5 times as much a second: {how}.")
    return None


def _executables(*candidates: Path | str | None) -> Iterator[Path]:
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            yield Path(candidate)


def _rs_version(program: Path, built: Path) -> str:
    if program == built:
        return RS_VERSION
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "of unknown version"
    words = answer.stdout.split()
    return words[1] if len(words) > 1 else "of unknown version"


def _secantusd_py(search: str, notes: list[str]) -> MongoChoice | None:
    beside = Path(sys.executable).parent / "secantusd-py"
    for program in _executables(beside, shutil.which("secantusd-py", path=search)):
        return MongoChoice("secantusd-py", program, _py_version(), " ".join(notes))
    return None


def _py_version() -> str:
    # The distribution's metadata, not the package: it must not be imported.
    try:
        return metadata.version("SecantusDB")
    except metadata.PackageNotFoundError:
        return "of unknown version"
