"""What an entry point is told: environment variables and secrets."""

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from backend.contract.login import Login, read_login

#: Configuration that an entry point renders; in memory, and nobody else's.
RUN_DIR: Final = Path("/tmp")  # noqa: S108

#: What a container listens on; which of its ports are reached from outside is the stack's decision.
EVERY_ADDRESS: Final = "0.0.0.0"  # noqa: S104

JAVA: Final = Path("/usr/bin/java")


class SettingError(Exception):
    """An environment variable is missing or cannot be used; says which and how it must be."""


class Environment:
    """The environment variables of a container, checked as they are read."""

    def __init__(self, values: Mapping[str, str] = os.environ) -> None:
        self._values = values

    def text(self, name: str, default: str | None = None) -> str:
        """The value of a variable; empty counts as unset.

        Raises:
            SettingError: it is unset and has no default.
        """
        value = self._values.get(name, "").strip() or default
        if value is None:
            raise SettingError(f"{name} must be set")
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """The value of a variable as a whole number above 0.

        Raises:
            SettingError: it is none, or unset without a default.
        """
        value = self.text(name, None if default is None else str(default))
        if not value.isdecimal() or int(value) < 1:
            raise SettingError(f"{name} must be a whole number above 0, and is {value[:80]!r}")
        return int(value)

    def login(self, name: str) -> Login | None:
        """The login in the file that a variable names; None where it is unset.

        Raises:
            SettingError: there is no such file, or it holds something else.
        """
        path = self._values.get(name, "").strip()
        try:
            return read_login(Path(path)) if path else None
        except ValueError as error:
            raise SettingError(f"{name}: {error}") from None


def wait_for_name(name: str, *, timeout_s: float) -> bool:
    """Whether a service became known in time. Swarm tells its name once it is healthy."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.getaddrinfo(name, None)
            return True
        time.sleep(0.5)
    return False


def own_address(*peers: str, timeout_s: float = 120.0) -> str:
    """This container's address in the network in which `peers` are.

    A container has addresses in several networks, and only this one is reached by others. Waits until the name of one peer is
    known, which Swarm says once that peer is healthy.

    Raises:
        SettingError: none was known in time.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        for peer in peers:
            try:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.connect((peer, 9))  # sends nothing: it only asks the kernel for the way
                    address: str = probe.getsockname()[0]
                    return address
            except OSError as error:
                reason = error.strerror or error
        if time.monotonic() > deadline:
            raise SettingError(f"{', '.join(peers)}: not found within {timeout_s:.0f} s ({reason})")
        time.sleep(0.5)
