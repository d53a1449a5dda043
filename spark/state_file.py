"""The job's state file: ``{"ok": bool, "message": str, "at": epoch seconds}``, replaced atomically, on its own thread."""

import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger("spark-job")

_FIGURES = re.compile(r"\d+")


class StateFile:
    """Says how the job stands, whether or not batches run.

    Owned by the thread that made it; `say` may be called from any.
    """

    def __init__(self, path: Path, *, hint: Callable[[], str] = lambda: "", beat_s: float = 2.0) -> None:
        """Args:
        hint: Asked at each beat while all is well; a sentence about something that deserves attention, or empty.
        """
        self._path, self._hint, self._beat_s = path, hint, beat_s
        self._ok, self._message = False, "starts"
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._beat, name="state-file", daemon=True)

    def start(self) -> None:
        """Write the first state and go on beating."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._write()
        self._thread.start()

    def say(self, *, ok: bool, message: str = "") -> None:
        """Set the state and write it now. Logs it when it is new; a figure that grows is not."""
        if (ok, _FIGURES.sub("#", message)) != (self._ok, _FIGURES.sub("#", self._message)):
            (log.info if ok else log.warning)("%s", message or "all is well")
        self._ok, self._message = ok, message
        self._write()

    def close(self) -> None:
        """Stop beating; the last state stands."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _beat(self) -> None:
        while not self._stop.wait(self._beat_s):
            self._write()

    def _write(self) -> None:
        with self._lock:
            message = self._message or (self._hint() if self._ok else "")
            content = json.dumps({"ok": self._ok, "message": message, "at": time.time()})
            temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
            try:
                temporary.write_text(content, encoding="utf-8")
                temporary.replace(self._path)
            except OSError as error:
                log.error("the state file %s cannot be written: %s", self._path, error.strerror or error)  # noqa: TRY400
