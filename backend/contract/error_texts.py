"""Field errors of pydantic in the words of a JSON client: its own name Python types and quote numbers without grouping."""

from collections.abc import Mapping
from typing import Any, Final

from backend.contract.figures import grouped

_OBJECT: Final = frozenset({"dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"})


def message_of(error: Mapping[str, Any]) -> str:
    """Return what is wrong with the field.

    Args:
        error: One of `ValidationError.errors()`, or of the same form.
    """
    kind, context, location = error.get("type"), error.get("ctx") or {}, error.get("loc") or ()
    if kind in _OBJECT:
        return "must be a JSON object"
    if kind == "list_type":
        return "must be a JSON array"
    if kind == "missing":
        return "is missing"
    if kind == "too_long" and "actual_length" in context:
        items = str(location[-1]).replace("_", " ") if location else "items"
        return f"must hold at most {grouped(context['max_length'])} {items}, not {_count(context['actual_length'])}"
    if kind == "too_short" and context.get("min_length") == 1:
        return "must not be empty"
    return str(error.get("msg", "is not valid")).removeprefix("Value error, ")


def _count(length: object) -> str:
    return grouped(length) if isinstance(length, int) else str(length)
