"""A CSV file that appears whole or not at all, and that a spreadsheet takes for data and never for formulas."""

import contextlib
import csv
import errno
import os
import secrets
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from backend.contract import times
from desktop.services.errors import ExportError
from desktop.services.exports.base import ExportResult, OnProgress, Progress

#: A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
#: What there is to do about it is to make room.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PROGRESS_S = 0.2
#: How many rows go by between two looks at `cancel` and the clock.
_CHUNK_ROWS = 2_000


class CancelledError(Exception):
    """Ends an export inside this package; never leaves it."""


def safe_text(text: str) -> str:
    """Text that a spreadsheet shows as it is: one that looks like a formula gets an apostrophe in front."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def iso_times(t_ms: npt.NDArray[np.int64]) -> list[str]:
    """ISO 8601, UTC, milliseconds, ``Z``."""
    texts: list[str] = np.datetime_as_string(t_ms.astype("datetime64[ms]"), timezone="UTC").tolist()
    return texts


def iso_time(t: float) -> str:
    """The same of one time in seconds since the epoch."""
    return times.to_iso(round(t * 1000))


class CsvFile:
    """Writes to a temporary file beside `path` and puts it in place on a clean exit of the `with` block.

    UTF-8 without a byte order mark, comma, CRLF as RFC 4180 says, floats with as many digits as they need to be read back
    the same.

    Raises:
        ExportError: the file cannot be written.
        CancelledError: from `write`, once `cancel` is set.
    """

    def __init__(self, path: Path, header: Sequence[str], *, on_progress: OnProgress, cancel: threading.Event) -> None:
        self._path, self._header = path, header
        self._on_progress, self._cancel = on_progress, cancel
        self._file: IO[str] | None = None
        self._temporary = path
        self._told = 0.0
        self.rows = 0
        self.size_bytes = 0

    def __enter__(self) -> "CsvFile":
        try:
            # Not tempfile: its files are private, and an export is a file like any other of the user's.
            self._temporary = self._path.with_name(f".{self._path.name[:80]}.{secrets.token_hex(4)}.part")
            self._file = self._temporary.open("x", encoding="utf-8", newline="", buffering=1 << 20)
        except OSError as error:
            raise self._failed(error) from error
        self._writer = csv.writer(self._file)
        self._writer.writerow(self._header)
        return self

    def write(self, rows: Iterable[Sequence[Any]], fraction: float | None = None) -> None:
        """Append rows; texts must have gone through `safe_text` where a device or a person chose them."""
        chunk: list[Sequence[Any]] = []
        for row in rows:
            chunk.append(row)
            if len(chunk) >= _CHUNK_ROWS:
                self._flush(chunk, fraction)
                chunk = []
        self._flush(chunk, fraction)

    def _flush(self, chunk: list[Sequence[Any]], fraction: float | None) -> None:
        if self._cancel.is_set():
            raise CancelledError
        try:
            self._writer.writerows(chunk)
        except OSError as error:
            raise self._failed(error) from error
        self.rows += len(chunk)
        now = time.monotonic()
        if now - self._told >= _PROGRESS_S:
            self._told = now
            self._on_progress(Progress(self.rows, fraction))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if self._file is None:
            return
        try:
            if kind is None and not self._cancel.is_set():
                self._finish(self._file)
                return
        except OSError as failure:
            self._discard()
            raise self._failed(failure) from failure
        self._discard()
        if kind is None:
            raise CancelledError

    def _finish(self, file: IO[str]) -> None:
        file.flush()
        os.fsync(file.fileno())
        self.size_bytes = os.fstat(file.fileno()).st_size
        file.close()
        self._temporary.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._on_progress(Progress(self.rows, 1.0))

    def _discard(self) -> None:
        if self._file is not None:
            # On a full disk what was buffered cannot be written, and is not wanted.
            with contextlib.suppress(OSError):
                self._file.close()
        self._temporary.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> ExportError:
        return ExportError(
            f"{self._path.name} cannot be written",
            why=f"{error.strerror or error} ({self._path.parent}).",
            remedy="Free some space, or choose another folder." if error.errno in _FULL else "Choose another folder.",
        )

    def result(self) -> ExportResult:
        """After the `with` block."""
        return ExportResult(self._path, self.rows, self.size_bytes)


def cancelled(path: Path) -> ExportResult:
    """The result of an export that was cancelled."""
    return ExportResult(path, 0, 0, cancelled=True)
