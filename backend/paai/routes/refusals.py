"""What was refused: ``GET /api/v1/refusals``."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from backend.common.openapi import error_responses
from backend.contract.times import to_iso
from backend.paai.refusals.log import RefusalLog
from backend.paai.refusals.refusal import KEPT_BYTES, Refusal
from backend.paai.refusals.store import KEPT, RefusedRecords, RefusedRequests


class RefusalCount(BaseModel):
    """How many requests or batch items were rejected for one reason."""

    field: str = Field(description="Field concerned; `body` for the body as a whole, `token` for a missing or wrong token.")
    reason: str = Field(examples=["missing", "range"])
    count: int = Field(ge=1)


class RejectedRequest(BaseModel):
    """One rejected request or batch item."""

    at: str = Field(description="When, ISO 8601.", examples=["2023-03-28T20:04:22.000Z"])
    path: str = Field(examples=["/api/v1/devices"])
    status: int = Field(description="HTTP status; 200 for a bad item of a batch whose other items were taken.")
    index: int | None = Field(description="Position in the batch; null outside batches.")
    field: str
    reason: str
    message: str = Field(description="What the client was told.")
    text: str = Field(description=f"First {KEPT_BYTES} bytes of the body or item; non-printable ones escaped.")
    size: int = Field(ge=0, description="Bytes of the body or item, as far as it was read.")


class RejectedRequests(BaseModel):
    """Requests and batch items that paai rejected."""

    total: int = Field(ge=0)
    since: str | None = Field(description="When the first was stored, ISO 8601; null while there is none.")
    counts: list[RefusalCount]
    newest: list[RejectedRequest] = Field(max_length=KEPT, description="Newest first.")


class DeadLetterCount(BaseModel):
    """How many records were refused for one reason."""

    reason: str
    count: int = Field(ge=1)


class RefusedRecordCounts(BaseModel):
    """Records of the topic `processed_messages` that became dead letters."""

    total: int = Field(ge=0)
    counts: list[DeadLetterCount]
    as_of: str | None = Field(description="When they were counted last, ISO 8601; null before the first time.")


class RefusalsAnswer(BaseModel):
    """What was refused, over all processes of paai, at most 2 s old."""

    requests: RejectedRequests
    records: RefusedRecordCounts


def refusals_router(refusals: RefusalLog) -> APIRouter:
    """Return the router with the call."""
    router = APIRouter(tags=["operation"])

    @router.get(
        "/api/v1/refusals",
        summary="Rejected requests and refused records",
        description=f"Rejected requests by field and reason since the system was set up, and the last {KEPT} with their first "
        f"{KEPT_BYTES} bytes; refused records by reason.",
        responses=error_responses(s503="MongoDB does not respond; repeat it after `Retry-After` seconds."),
    )
    async def answer() -> RefusalsAnswer:
        await refusals.write()
        requests, records = await refusals.store.requests(), await refusals.store.records()
        return RefusalsAnswer(requests=_requests(requests), records=_records(records))

    return router


def _requests(found: RefusedRequests) -> RejectedRequests:
    counts = [
        RefusalCount(field=name, reason=reason, count=count)
        for (name, reason), count in sorted(found.counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return RejectedRequests(
        total=sum(found.counts.values()),
        since=None if found.since_ms is None else to_iso(found.since_ms),
        counts=counts,
        newest=[_request(item) for item in found.newest[:KEPT]],
    )


def _request(item: Refusal) -> RejectedRequest:
    return RejectedRequest(
        at=to_iso(item.at_ms),
        path=item.path,
        status=item.status,
        index=item.index,
        field=item.field,
        reason=item.reason,
        message=item.message,
        text=item.text,
        size=item.size,
    )


def _records(found: RefusedRecords) -> RefusedRecordCounts:
    counts = sorted(found.by_reason.items(), key=lambda item: (-item[1], item[0]))
    return RefusedRecordCounts(
        total=sum(found.by_reason.values()),
        counts=[DeadLetterCount(reason=reason, count=count) for reason, count in counts],
        as_of=None if found.at_ms is None else to_iso(found.at_ms),
    )
