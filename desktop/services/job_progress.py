"""The document `job_progress` as Spark's job writes it → `JobProgress`. A damaged field is unknown, never an error."""

import math

from backend.contract import documents
from backend.contract.documents import DamagedError, Document, LeftOut
from backend.contract.names import COLLECTION_PROGRESS
from desktop.model.progress import JobProgress


class ProgressFields:
    """Fields of one document; what is damaged is counted and unknown, what is missing or null is unknown.

    Args:
        document: Of `job_progress`.
        left_out: Counts it.
    """

    def __init__(self, document: Document, left_out: LeftOut | None = None) -> None:
        self._document, self._left_out = document, left_out

    def number(self, path: str) -> float:
        """Return the number, or NaN."""
        try:
            value = documents.optional_number(self._document, path)
        except DamagedError as error:
            self._note(error)
            return math.nan
        return math.nan if value is None else value

    def count(self, path: str, unknown: int = 0) -> int:
        """Return the whole number, cut where it has a fraction, or `unknown`."""
        value = self.number(path)
        return int(value) if abs(value) < 2**53 else unknown

    def time(self, path: str) -> float:
        """Return the time in seconds since the epoch, or NaN."""
        if self._document.get(path) is None:
            return math.nan
        try:
            return documents.time_ms(self._document, path) / 1e3
        except DamagedError as error:
            self._note(error)
            return math.nan

    def text(self, path: str) -> str:
        """Return the text, or an empty one."""
        if not self._document.get(path):
            return ""
        try:
            return documents.text(self._document, path)
        except DamagedError as error:
            self._note(error)
            return ""

    def _note(self, error: DamagedError) -> None:
        if self._left_out is not None:
            self._left_out.note(COLLECTION_PROGRESS, self._document.get("_id"), str(error))


def read_progress(document: Document, left_out: LeftOut | None = None) -> JobProgress:
    """Return what the document holds."""
    fields = ProgressFields(document, left_out)
    return JobProgress(
        at=fields.time("updated_at"),
        input_per_s=fields.number("input_rows_per_second"),
        processed_per_s=fields.number("processed_rows_per_second"),
        batch_s=fields.number("batch_duration_ms") / 1000,
        watermark=fields.time("watermark"),
        lag=fields.count("lag", -1),
        late_rows=fields.count("late_rows"),
    )
