"""Entry point of the stand-in for MongoDB; takes the official image's variables, so that either may be put in the stack."""

import contextlib
import os
import subprocess
from pathlib import Path
from typing import Any, Final

from backend.contract import ports
from backend.contract.documents import DECODING
from backend.contract.login import read_password
from stack.container.environment import EVERY_ADDRESS, RUN_DIR, Environment, SettingError

#: The volume of the official image too. None reads another's files, so each has a folder of its own.
DATA: Final = Path("/data/db")
#: The Rust build where this image could run it, else Python's.
PROGRAMS: Final = (Path("/opt/paai/bin/secantusd-rs"), Path("/opt/paai/venv/bin/secantusd-py"))
#: Its storage engine would keep the last moments of its log in the process and lose them with it, acknowledged or not. So each
#: commit hands it to the kernel; `method=fsync` would wait for the disk too, at a third of the speed. The engine reads this
#: variable itself: see WIREDTIGER_CONFIG and "transaction_sync" in WiredTiger's reference.
DURABLE: Final = {"WIREDTIGER_CONFIG": "transaction_sync=(enabled=true,method=none)"}
_START_S: Final = 60.0
_LOOPBACK: Final = "127.0.0.1"


def mongo(environment: Environment) -> tuple[str, ...]:
    """The command of the database, which asks for a login; makes the root user first, before anybody else can reach it.

    Raises:
        SettingError: no root password is given, or the user cannot be made.
    """
    program = next(path for path in PROGRAMS if path.exists())
    user = environment.text("MONGO_INITDB_ROOT_USERNAME", "root")
    try:
        password = read_password(Path(environment.text("MONGO_INITDB_ROOT_PASSWORD_FILE")))
    except ValueError as error:
        raise SettingError(f"MONGO_INITDB_ROOT_PASSWORD_FILE: {error}") from None
    # An explicit, empty configuration keeps one that lies in the data directory out of it.
    empty = RUN_DIR / "secantusd.toml"
    empty.touch()
    cache = environment.text("PAAI_MONGO_CACHE", "256M")
    command = (
        str(program),
        "--config",
        str(empty),
        "--port",
        str(ports.MONGO),
        "--storage-path",
        str(DATA),
        "--cache-size",
        cache,
    )
    for name, value in DURABLE.items():
        os.environ.setdefault(name, value)
    marker = DATA / "root-user-made"
    if not marker.exists():
        _make_root(command, user, password)
        marker.touch()
    # As a replica set it would tell its clients an address to go on with, which can only be right for some of them.
    alone = ("--standalone",) if program.name == "secantusd-rs" else ()
    return (*command, "--host", EVERY_ADDRESS, "--auth", *alone)


def _make_root(command: tuple[str, ...], user: str, password: str) -> None:
    """Start the database on loopback without logins, make the user, stop it."""
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    process = subprocess.Popen([*command, "--host", _LOOPBACK], stdin=subprocess.DEVNULL)
    try:
        client: MongoClient[dict[str, Any]] = MongoClient(
            _LOOPBACK, ports.MONGO, directConnection=True, serverSelectionTimeoutMS=int(_START_S * 1000), **DECODING
        )
        with client:
            # One that was stopped between the user and the marker has the user already, perhaps with another password.
            exists = bool(client.admin.command("usersInfo", user)["users"])
            client.admin.command("updateUser" if exists else "createUser", user, pwd=password, roles=["root"])
    except PyMongoError as error:
        raise SettingError(f"the root user cannot be made: {error}") from None
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=30)
        if process.poll() is None:
            process.kill()
            process.wait(timeout=10)
