"""Taking readings: ``POST /api/v1/device`` and ``POST /api/v1/devices``, plain ASGI endpoints since they are the hot path."""

import time
from typing import Any, Final

from pydantic import TypeAdapter
from starlette.types import Receive, Scope, Send

from backend.common.answers import field_errors, send_bytes, to_json
from backend.common.app import ServiceApp
from backend.common.encoding import ACCEPTED
from backend.common.errors import InvalidInputError
from backend.common.openapi import error_responses
from backend.contract.limits import MAX_BATCH_READINGS
from backend.contract.parsing import ParsedBatch, ReadingParser
from backend.contract.readings import FieldError, InvalidBatchError, InvalidReadingError, Reading, describe
from backend.paai import metric_defs as defs
from backend.paai.publisher import Publisher
from backend.paai.refusals.log import NOTED, RefusalLog
from backend.paai.schemas import BatchAnswer

_EMPTY_START: Final = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
_EMPTY_BODY: Final = {"type": "http.response.body", "body": b""}
_JSON: Final = [(b"content-type", b"application/json")]

_ENCODINGS: Final = f"The body may be packed: Content-Encoding {ACCEPTED}; the limit of 8 MiB is on unpacked bytes."


class Ingest:
    """The two endpoints."""

    def __init__(self, *, app: ServiceApp, publisher: Publisher, refusals: RefusalLog) -> None:
        self._bodies, self._publisher, self._refusals = app.bodies, publisher, refusals
        self._parser = ReadingParser()
        rejected = app.metrics.counter(defs.REJECTED)
        self._rejected = {name: rejected.labels(name) for name in defs.REJECTED_FIELDS}

    async def device(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One reading: 200 and an empty body once Kafka has acknowledged it."""
        body = await self._bodies.read(scope, receive)
        try:
            message = self._parser.parse(body, now_ms=time.time_ns() // 1_000_000)
        except InvalidReadingError as error:
            self._count(error.errors)
            scope[NOTED] = True
            self._refusals.note_reading(scope["path"], body, error.errors)
            raise InvalidInputError(field_errors(error.errors, prefix=("body",))) from None
        await self._publisher.publish_one(message)
        await send(_EMPTY_START)
        await send(_EMPTY_BODY)

    async def devices(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A batch: 200, how many were accepted, and which were not and why."""
        body = await self._bodies.read(scope, receive)
        try:
            batch = self._parser.parse_batch(body, now_ms=time.time_ns() // 1_000_000)
        except InvalidBatchError as error:
            self._count(error.errors)
            scope[NOTED] = True
            self._refusals.note_reading(scope["path"], body, error.errors)
            raise InvalidInputError(field_errors(error.errors, prefix=("body",))) from None
        for _index, errors in batch.rejected:
            self._count(errors)
        if not batch.messages:
            self._note_items(scope, 422, batch, body)
            located = ({**error, "loc": (index, *error["loc"])} for index, errors in batch.rejected for error in errors)
            raise InvalidInputError(field_errors(located, prefix=("body",)))
        await self._publisher.publish(batch.messages)
        # Not before: a batch that is answered 503 comes again, with the same bad items.
        self._note_items(scope, 200, batch, body)
        rejected = [{"index": index, "error": describe(errors)} for index, errors in batch.rejected]
        await send_bytes(send, 200, to_json({"accepted": len(batch.messages), "rejected": rejected}), _JSON)

    def _note_items(self, scope: Scope, status: int, batch: ParsedBatch, body: bytes) -> None:
        if batch.rejected:
            scope[NOTED] = True
            self._refusals.note_items(scope["path"], status, batch.rejected, lambda: self._parser.items(body))

    def _count(self, errors: list[FieldError]) -> None:
        name = str(errors[0]["loc"][0]) if errors and errors[0]["loc"] else "body"
        self._rejected.get(name, self._rejected["body"]).inc()


def add_ingest_routes(app: ServiceApp, publisher: Publisher, refusals: RefusalLog) -> None:
    """Add both calls to the application and its documentation."""
    ingest = Ingest(app=app, publisher=publisher, refusals=refusals)
    schema = TypeAdapter(Reading).json_schema(ref_template="#/components/schemas/{model}")
    models = schema.pop("$defs")
    app.extra_schemas.update(models)
    example = {"device_id": "1", "tag": "Thermostat", "timestamp": 1680033862, "temperature": 25.2}
    app.add_direct_post(
        "/api/v1/device",
        ingest.device,
        summary="One reading",
        description=f"200 with an empty body once Kafka has acknowledged it. {_ENCODINGS}",
        tags=["readings"],
        responses={
            200: {"description": "Kafka has acknowledged it.", "content": {}},
            **error_responses(503),
        },
        openapi_extra=_body(schema, example),
    )
    batch = {"type": "array", "items": schema, "minItems": 1, "maxItems": MAX_BATCH_READINGS}
    app.add_direct_post(
        "/api/v1/devices",
        ingest.devices,
        summary="A batch of readings",
        description=f"A JSON array of 1 to {MAX_BATCH_READINGS} readings. Bad ones never hold back good ones. {_ENCODINGS}",
        tags=["readings"],
        responses={
            200: {
                "model": BatchAnswer,
                "description": "Kafka has acknowledged every good one.",
                "content": {"application/json": {"example": {"accepted": 1, "rejected": [{"index": 1, "error": "…"}]}}},
            },
            **error_responses(503, s422="None is good, or they are more than a batch may hold."),
        },
        openapi_extra=_body(batch, [example]),
    )


def _body(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}}
