"""How deep JSON is nested. The limit is ours: those of JSON parsers differ with the interpreter."""

import re
from typing import Final

from backend.contract.limits import MAX_JSON_DEPTH

TOO_DEEP: Final = f"Invalid JSON: nested deeper than {MAX_JSON_DEPTH} levels"
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


def is_too_deep(body: bytes, *, limit: int = MAX_JSON_DEPTH) -> bool:
    """Whether arrays and objects are nested deeper than `limit`. Says nothing about the rest of the syntax.

    Args:
        body: JSON in UTF-8.
        limit: Levels that are allowed.
    """
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
    left = _STRING.sub(b"", body).translate(_BRACKETS, _NOT_BRACKETS)
    # Each pass takes the innermost level away.
    for _ in range(limit):
        shorter = left.replace(b"[]", b"")
        if len(shorter) == len(left):
            break
        left = shorter
    return b"[]" in left or left.count(b"[") > limit
