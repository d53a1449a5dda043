"""One refused request or batch item, and the bounded sets of fields and reasons that it is counted under."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: Bytes of a refused body or batch item that are kept.
KEPT_BYTES: Final = 200
KEPT_MESSAGE_CHARS: Final = 300
KEPT_PATH_CHARS: Final = 100

#: Values of the label `field`; anything else counts as "body", so that clients cannot create series.
FIELDS: Final = (
    "tag", "device_id", "timestamp", "temperature", "pressure", "humidity", "heart_rate",
    "from", "to", "device_ids", "sensor", "prefix", "limit", "after", "token", "body",
)  # fmt: skip
#: Values of the label `reason`.
REASONS: Final = (
    "missing", "type", "range", "format", "future", "unknown", "json", "length", "size", "encoding", "timeout", "unauthorized",
    "invalid",
)  # fmt: skip

#: Statuses that refuse a request for good. 404 and 405 are left out: a port scan says nothing about readings.
BY_STATUS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("body", "json"),
    401: ("token", "unauthorized"),
    408: ("body", "timeout"),
    413: ("body", "size"),
    415: ("body", "encoding"),
    422: ("body", "invalid"),
}

_BY_TYPE: Final[Mapping[str, str]] = {
    "missing": "missing",
    "union_tag_not_found": "missing",
    "union_tag_invalid": "unknown",
    "literal_error": "unknown",
    "content_encoding": "encoding",
    "finite_number": "range",
    "less_than": "range",
    "less_than_equal": "range",
    "greater_than": "range",
    "greater_than_equal": "range",
    "float_parsing": "type",
    "int_parsing": "type",
    "int_from_float": "type",
    "too_short": "length",
    "too_long": "length",
    "string_too_short": "length",
    "string_too_long": "length",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One of them.

    Attributes:
        at_ms: When, milliseconds since the epoch.
        path: Of the request, without its query string.
        status: The HTTP status; 200 for an item of a batch whose other items were taken.
        field, reason: See `FIELDS` and `REASONS`.
        message: What the client was told.
        index: Position in the batch; None when it is no batch item.
        text: The first `KEPT_BYTES` bytes of the body or item, printable.
        size: Bytes of the body or item as far as it was read.
    """

    at_ms: int
    path: str
    status: int
    field: str
    reason: str
    message: str
    index: int | None = None
    text: str = ""
    size: int = 0


def classify(error: Mapping[str, Any]) -> tuple[str, str]:
    """Return field and reason of a field error: ``{"type", "loc", …}``; a key "reason" names the reason itself."""
    field = field_of(error.get("loc", ()))
    kind = str(error.get("type", ""))
    given = error.get("reason")
    if given in REASONS:
        return field, str(given)
    if kind in _BY_TYPE:
        return field, _BY_TYPE[kind]
    if kind.startswith("json"):
        return field, "json"
    if kind.endswith("_type"):
        return field, "type"
    return field, "format" if field in ("timestamp", "from", "to") else "invalid"


def field_of(location: Sequence[object]) -> str:
    """Return the first part of a field error's location that is a known field, else "body"."""
    return next((part for part in location if isinstance(part, str) and part in FIELDS and part != "body"), "body")


def printable(data: bytes, *, secrets: Sequence[bytes] = ()) -> str:
    """Return the first `KEPT_BYTES` bytes as text: UTF-8 where it is, escapes for every other byte and non-printable character.

    Args:
        data: A body or its beginning.
        secrets: Replaced wherever they occur: a client may have put its token into the body.
    """
    head = data[: KEPT_BYTES + 1024]
    for secret in secrets:
        head = head.replace(secret, b"[token]")
    text = head[:KEPT_BYTES].decode("utf-8", errors="backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
