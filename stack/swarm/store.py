"""This user's copy of the credentials: in the keyring where there is one, else in a file that only the user can read."""

import contextlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import keyring
import keyring.backend
import keyring.errors

from stack.errors import SecretsError
from stack.swarm.secrets import Credentials, Entry

_SERVICE: Final = "paai-monitor"
#: Keyring gives backends that cannot keep anything a priority below this.
_USABLE: Final = 1


class Ring(Protocol):
    """What is used of the `keyring` package's backends."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


class CredentialStore:
    """Copies of the credentials of any number of stacks.

    A stack is known by several keys, the swarm's identity and the engine's: a swarm that was made anew on the same engine finds
    the volumes of the former one again, and they open with the former credentials only.

    Args:
        folder: Where files are kept.
        ring: The keyring, or None to keep files only.
    """

    def __init__(self, folder: Path, *, ring: Ring | None = None) -> None:
        self._folder, self._ring = folder, ring

    @property
    def where(self) -> str:
        """For people: where copies are kept."""
        return "the keyring" if self._ring is not None else f"{self._folder}, readable by this user only"

    def load(self, keys: Sequence[str], *, renew: str = "python -m stack rotate all") -> Credentials:
        """What is kept under the first key that has something; empty when none has.

        Args:
            renew: The command line that replaces damaged ones.

        Raises:
            SecretsError: a file is there and cannot be read.
        """
        for key in keys:
            if (text := self._read(key)) is not None:
                return _parse(text, self._path(key), renew)
        return Credentials()

    def save(self, keys: Sequence[str], credentials: Credentials) -> None:
        """Keep it under all keys.

        Raises:
            SecretsError: it can be kept nowhere.
        """
        text = json.dumps({name: [entry.version, entry.value] for name, entry in credentials.entries.items()})
        for key in keys:
            # What was begun in a file stays there: two copies would drift apart.
            if self._path(key).exists() or not self._keep_in_ring(key, text):
                self._write(key, text)

    def forget(self, keys: Sequence[str]) -> None:
        """Remove what is kept under these keys."""
        for key in keys:
            self._path(key).unlink(missing_ok=True)
            if self._ring is not None:
                with contextlib.suppress(keyring.errors.KeyringError):
                    self._ring.delete_password(_SERVICE, key)

    def _read(self, key: str) -> str | None:
        try:
            # What is no UTF-8 is refused with what is no JSON, by `_parse`.
            return self._path(key).read_text("utf-8", "backslashreplace")
        except FileNotFoundError:
            pass
        except OSError as error:
            raise SecretsError(
                f"The credentials in {self._path(key)} cannot be read",
                why=f"{error.strerror or error}.",
                remedy="Make it readable.",
            ) from error
        if self._ring is None:
            return None
        try:
            return self._ring.get_password(_SERVICE, key)
        except keyring.errors.KeyringError as error:
            raise SecretsError(
                "The keyring does not give the credentials", why=f"{error}.", remedy="Unlock it, then try again."
            ) from error

    def _keep_in_ring(self, key: str, text: str) -> bool:
        if self._ring is None:
            return False
        try:
            self._ring.set_password(_SERVICE, key, text)
        except keyring.errors.KeyringError:
            return False  # locked, or it takes nothing that long: the file does as well
        return True

    def _write(self, key: str, text: str) -> None:
        """Whole or not at all, and never readable by others, not even for a moment."""
        path = self._path(key)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, temporary = tempfile.mkstemp(dir=self._folder, prefix=".credentials-")  # mode 0600
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise SecretsError(
                f"The credentials cannot be kept in {self._folder}",
                why=f"{error.strerror or error}.",
                remedy="Make room and make it writable, or name another folder with --data-dir.",
            ) from error

    def _path(self, key: str) -> Path:
        return self._folder / f"credentials-{key}.json"


def usable_keyring() -> Ring | None:
    """The system's keyring, or None where there is none that keeps anything. Asks nobody for a password."""
    try:
        ring = keyring.get_keyring()
        usable = float(ring.priority) >= _USABLE
    except Exception:  # noqa: BLE001 (backends raise whatever their libraries do; without one there is the file)
        return None
    return ring if usable else None


def _parse(text: str, path: Path, renew: str) -> Credentials:
    try:
        document: dict[str, Any] = json.loads(text)
        return Credentials({name: Entry(int(version), str(value)) for name, (version, value) in document.items()})
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        # Never with its text: these are secrets.
        raise SecretsError(
            "This user's copy of the credentials is damaged",
            why=f"What is kept as {path.stem} has another form.",
            remedy=f"Remove {path} (or that entry of the keyring), then make new ones with `{renew}`.",
        ) from None
