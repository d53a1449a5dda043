"""What every call of every service can answer besides its result, for the OpenAPI document."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from backend.common.auth import EXEMPT_PATHS
from backend.common.encoding import ACCEPTED

_BODY_METHODS: Final = frozenset({"post", "put", "patch", "delete"})


class InvalidField(BaseModel):
    """One field that breaks the contract."""

    type: str = Field(description="Kind of error, for programs.")
    loc: list[str | int] = Field(description="Where: body, query or path, then fields and positions.")
    msg: str = Field(description="Why it is refused.")
    input: str | None = Field(default=None, description="Beginning of what was sent.")


class ErrorAnswer(BaseModel):
    """What failed, why and what to do: a sentence, or a list of fields."""

    model_config = ConfigDict(title="Error")

    detail: str | list[InvalidField]


class NotReady(BaseModel):
    """What keeps the service from being ready, by dependency."""

    detail: dict[str, str]


_RETRY_AFTER: Final = {
    "description": "Seconds to wait before the request is repeated.",
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
}
_ANSWERS: Final[Mapping[int, tuple[str, Mapping[str, Any]]]] = MappingProxyType(
    {
        401: (
            "The token is missing or wrong.",
            {"WWW-Authenticate": {"description": "Always Bearer.", "schema": {"type": "string"}}},
        ),
        403: ("The token does not allow this.", {}),
        404: ("There is no such thing.", {}),
        406: ("Not acceptable.", {}),
        408: ("The body did not arrive in time.", {}),
        409: ("Not possible in the present state.", {}),
        413: ("The body is over 8 MiB, unpacked.", {}),
        415: (
            "Content-Encoding names several codings, or one that is not accepted.",
            {"Accept-Encoding": {"description": f"`{ACCEPTED}`.", "schema": {"type": "string"}}},
        ),
        422: ("Which field, why.", {}),
        503: ("Not available; repeat it after `Retry-After` seconds, repeating is safe.", {"Retry-After": _RETRY_AFTER}),
    }
)


def error_responses(*statuses: int, **why: str) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route.

    Args:
        statuses: Those that the route can answer by itself; `complete_document` adds those of every call.
        why: Description of a status instead of the common one, as ``s404="There is no such model."``.
    """
    named = {int(name.removeprefix("s")): text for name, text in why.items()}
    result: dict[int | str, dict[str, Any]] = {}
    for status in (*statuses, *named):
        description, headers = _ANSWERS[status]
        result[status] = {"model": ErrorAnswer, "description": named.get(status, description)}
        if headers:
            result[status]["headers"] = dict(headers)
    return result


def complete_document(document: dict[str, Any]) -> None:
    """Add to each call of an OpenAPI document the errors that the layers before the routes can answer."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    error_schema = TypeAdapter(ErrorAnswer).json_schema(ref_template="#/components/schemas/{model}")
    schemas |= error_schema.pop("$defs")
    schemas["ErrorAnswer"] = error_schema
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            statuses = [] if path in EXEMPT_PATHS else [401]
            if method in _BODY_METHODS:
                statuses += [408, 413, 415, 422]
            if "422" in call["responses"]:
                call["responses"]["422"]["content"] = content  # FastAPI's own says what it is not
            for status in statuses:
                description, headers = _ANSWERS[status]
                answer = {"description": description, "content": content, **({"headers": headers} if headers else {})}
                call["responses"].setdefault(str(status), answer)
            call["responses"] = dict(sorted(call["responses"].items()))
