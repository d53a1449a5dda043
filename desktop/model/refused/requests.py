"""Requests that paai rejected, as paai reports them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RejectedRequest:
    """One rejected request or batch item.

    Attributes:
        at: When, seconds since the epoch.
        path: Of the request.
        status: HTTP status; 200 for a bad item of a batch whose other items were taken.
        index: Position in the batch; None outside batches.
        field, reason: What it is counted under.
        message: What the client was told.
        text: The first bytes, printable.
        size: Bytes of the body or item.
    """

    at: float
    path: str
    status: int
    index: int | None
    field: str
    reason: str
    message: str
    text: str
    size: int


@dataclass(frozen=True, slots=True)
class RejectedRequests:
    """Rejected requests as known now.

    Attributes:
        total: Since the system was set up, or -1 while paai was not asked.
        counts: (field, reason, count), most frequent first.
        newest: The newest of them, newest first.
        since: When the first was stored, seconds since the epoch; None while there is none.
        trouble: Why paai could not be asked; empty when it could.
    """

    total: int = -1
    counts: tuple[tuple[str, str, int], ...] = ()
    newest: tuple[RejectedRequest, ...] = ()
    since: float | None = None
    trouble: str = ""
