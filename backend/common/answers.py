"""Answers built as bytes: the one place that decides how an error looks on the wire."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.types import Send

from backend.common.errors import FieldError, ServiceError
from backend.contract.error_texts import message_of

#: An answer names at most this many field errors, and quotes at most so many characters of what was sent.
MAX_ERRORS = 20
MAX_MESSAGE_CHARS = 300
MAX_INPUT_CHARS = 80
MAX_LOCATION_CHARS = 64

_JSON = (b"content-type", b"application/json")


def shorten(text: str, limit: int) -> str:
    """`text`, cut to `limit` characters with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def excerpt(value: object) -> str:
    """A short text of something that a client sent; never costs more than a few characters of it."""
    if isinstance(value, str):
        return shorten(value[: MAX_INPUT_CHARS + 1], MAX_INPUT_CHARS)
    if isinstance(value, Mapping):
        return f"an object with {len(value)} fields"
    if isinstance(value, list | tuple):
        return f"an array of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return shorten(str(value), MAX_INPUT_CHARS)


def field_errors(errors: Iterable[Mapping[str, Any]], *, prefix: Sequence[str | int] = ()) -> list[FieldError]:
    """Errors of pydantic as they are answered: which field, why, and a short excerpt of the input.

    Args:
        errors: As from `ValidationError.errors()`.
        prefix: Put in front of each location, e.g. ``("body",)``.
    """
    result: list[FieldError] = []
    for error in errors:
        if len(result) == MAX_ERRORS:
            result.append({"type": "more", "loc": list(prefix), "msg": f"and more; only the first {MAX_ERRORS} are named"})
            break
        location = [*prefix, *error.get("loc", ())]
        item = {
            "type": error.get("type", "value_error"),
            "loc": [part if isinstance(part, int) else shorten(str(part), MAX_LOCATION_CHARS) for part in location],
            "msg": shorten(message_of(error), MAX_MESSAGE_CHARS),
        }
        if error.get("type") not in ("missing", "json_invalid") and "input" in error:
            item["input"] = excerpt(error["input"])
        result.append(item)
    return result


def to_json(value: object) -> bytes:
    """ASCII JSON. Lone surrogates are escaped, so nothing that a client sent can break the answer."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=str).encode("ascii")


async def send_bytes(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Send one whole answer."""
    length = [] if status == 204 else [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def send_error(send: Send, error: ServiceError) -> None:
    """Send ``{"detail": …}``."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in error.headers.items()]
    await send_bytes(send, error.status, to_json({"detail": error.detail}), [_JSON, *headers])


async def send_internal_error(send: Send) -> None:
    """Send the 500 that says nothing of the inside; the cause is for the log."""
    await send_bytes(send, 500, to_json({"detail": INTERNAL_ERROR}), [_JSON])


INTERNAL_ERROR = "The service failed to handle this request. The cause is in its log."
