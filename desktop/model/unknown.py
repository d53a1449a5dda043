"""Equality of values with unknown figures. No Qt."""

from dataclasses import fields
from typing import Any


class NanEqual:
    """Base of dataclasses with ``eq=False`` whose figures may be NaN: two unknown ones are equal.

    The ``==`` that `dataclass` makes depends on the version of Python: up to 3.12 the same NaN object is equal to itself, from
    3.13 on no NaN is.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(_same(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))  # type: ignore[arg-type]

    def __hash__(self) -> int:
        # A NaN hashes by identity from Python 3.10 on.
        return hash(tuple(None if v != v else v for v in (getattr(self, f.name) for f in fields(self))))  # type: ignore[arg-type]


def _same(one: Any, other: Any) -> bool:
    return bool(one == other or (one != one and other != other))
