"""JSON by RFC 8259 and nothing beside it, with limits that do not depend on the interpreter.

`json` decodes, at the speed of C. What it lets through, or refuses for a reason that has to be named, is found by `_fault`,
which works without recursion.
"""

import json
import re
from typing import Any, Final, NoReturn

from backend.contract.limits import MAX_RECORD_LEVELS


class StrictJSONError(ValueError):
    """A text that is refused.

    Attributes:
        code: ``not_json``, ``trailing_text``, ``too_deep`` or ``lone_surrogate``, whichever comes first in the text.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


# Every number becomes the nearest double: an int of more than 4300 digits would be an error of the interpreter.
_decoder: Final = json.JSONDecoder(parse_int=float, parse_constant=_refuse)
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_WHITE: Final = " \t\n\r"
_TOKEN: Final = re.compile(
    r"""[ \t\n\r]*+(?:
    (?P<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")
    |(?P<scalar>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null)
    |(?P<mark>[\[\]{},:])
    )""",
    re.VERBOSE,
)
#: A string whose surrogates all stand in pairs.
_PAIRED: Final = re.compile(
    r"(?:[^\\]|\\[^u]|\\u(?![dD][89a-fA-F])|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*+"
)


def parse(text: str) -> Any:
    """Return the value of a JSON text; of a repeated key the last counts, every number is a float.

    Raises:
        StrictJSONError: says which kind of fault comes first.
    """
    # Only what has brackets enough can be too deep, and only then does the decoder recurse.
    suspect = text.count("[") + text.count("{") > MAX_RECORD_LEVELS or _SURROGATE.search(text) is not None
    if suspect and (code := _fault(text)):
        raise StrictJSONError(code)
    try:
        return _decoder.decode(text)
    except ValueError:
        raise StrictJSONError(_fault(text) or "not_json") from None


# What may come next.
_VALUE, _FIRST_ITEM, _FIRST_KEY, _KEY, _COLON, _NEXT = range(6)


def _fault(text: str) -> str:
    """Return the code of the first fault in a text, or an empty string."""
    at, expected, open_brackets = 0, _VALUE, ""
    while True:
        token = _TOKEN.match(text, at)
        if token is None:
            return "not_json"
        at = token.end()
        kind = token.lastgroup
        if kind == "mark":
            mark = token[0][-1]
            if mark in "[{":
                if expected not in (_VALUE, _FIRST_ITEM):
                    return "not_json"
                if len(open_brackets) == MAX_RECORD_LEVELS:
                    return "too_deep"
                open_brackets += mark
                expected = _FIRST_ITEM if mark == "[" else _FIRST_KEY
                continue
            if mark in ",:":
                if expected != (_NEXT if mark == "," else _COLON):
                    return "not_json"
                expected = _KEY if mark == "," and open_brackets[-1] == "{" else _VALUE
                continue
            if open_brackets[-1:] != ("[" if mark == "]" else "{"):
                return "not_json"
            if expected not in (_NEXT, _FIRST_ITEM if mark == "]" else _FIRST_KEY):
                return "not_json"
            open_brackets = open_brackets[:-1]
            expected = _NEXT
        else:
            if kind == "string" and _PAIRED.fullmatch(token[0]) is None:
                return "lone_surrogate" if expected not in (_COLON, _NEXT) else "not_json"
            if kind == "string" and expected in (_FIRST_KEY, _KEY):
                expected = _COLON
                continue
            if expected not in (_VALUE, _FIRST_ITEM):
                return "not_json"
            expected = _NEXT
        if not open_brackets:
            rest = text[at:].strip(_WHITE)
            return "" if not rest else "trailing_text" if text.lstrip(_WHITE).startswith("{") else "not_json"
