"""What all exports have in common: the interface, progress, result."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

JobT = TypeVar("JobT", contravariant=True)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export is.

    Attributes:
        rows: Rows written.
        fraction: 0 … 1, or None while it cannot be told.
    """

    rows: int
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class ExportResult:
    """How an export ended.

    Attributes:
        path: Where the file is, or would be.
        rows: Rows in it, without the header.
        size_bytes: Of the file; 0 when cancelled.
        cancelled: It was cancelled, and no file was left or touched.
        left_out: Stored documents of the time frame that are damaged and not in the file.
    """

    path: Path
    rows: int
    size_bytes: int
    cancelled: bool = False
    left_out: int = 0


OnProgress = Callable[[Progress], None]


class Exporter(Protocol[JobT]):
    """Writes one kind of job. Blocking: for worker threads."""

    def run(self, job: JobT, on_progress: OnProgress, cancel: threading.Event) -> ExportResult:
        """Write the file.

        Args:
            job: What to write, and where; an existing file is replaced in the end.
            on_progress: Called a few times a second on the calling thread.
            cancel: Once set, the export ends within a moment and leaves nothing behind.

        Raises:
            ServiceError: It could not be written, or its source does not answer. No file is left or touched.
        """
        ...
