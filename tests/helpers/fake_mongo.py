"""Collections in memory behind the calls that the desktop makes: find, find_one, and the one combination of windows."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from pymongo import DeleteOne, ReplaceOne
from pymongo.errors import AutoReconnect, OperationFailure

Document = dict[str, Any]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
    "$in": lambda a, b: a in b,
    "$type": lambda a, b: bool(_types(a) & ({b} if isinstance(b, str) else set(b))),
    "$not": lambda a, b: not all(_OPERATORS[op](a, bound) for op, bound in b.items()),
}


def _types(value: Any) -> set[str]:
    """Names of BSON types; an array also has those of its elements."""
    if isinstance(value, list):
        return {"array"}.union(*map(_types, value))
    return {_BSON.get(type(value), "other")}


_BSON = {bool: "bool", int: "int", float: "double", str: "string", dict: "object", datetime: "date"}


def _get(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def _matches(document: Document, query: Document) -> bool:
    for path, wanted in query.items():
        if path in ("$or", "$nor"):
            if any(_matches(document, part) for part in wanted) != (path == "$or"):
                return False
            continue
        value = _get(document, path)
        if isinstance(wanted, dict):
            if not _fits(value, wanted):
                return False
        elif value != wanted:
            return False
    return True


def _fits(value: Any, wanted: Document) -> bool:
    try:
        return value is not None and all(_OPERATORS[op](value, bound) for op, bound in wanted.items())
    except TypeError:  # MongoDB compares only what is of one type
        return False


class FakeCursor:
    """What `find` found. `fail_after` = the connection is lost after so many documents."""

    def __init__(self, found: list[Document], fail_after: int | None) -> None:
        self._found, self._fail_after = found, fail_after

    def sort(self, field: str, direction: int) -> "FakeCursor":
        self._found.sort(key=lambda d: _get(d, field), reverse=direction < 0)
        return self

    def limit(self, limit: int) -> "FakeCursor":
        self._found = self._found[:limit] if limit else self._found
        return self

    def __iter__(self) -> Iterator[Document]:
        for n, document in enumerate(self._found):
            if self._fail_after is not None and n >= self._fail_after:
                raise AutoReconnect("connection lost")
            yield document


class FakeCollection:
    """Documents in order of insertion. `queries` = how often it was asked."""

    def __init__(self, owner: "FakeMongo") -> None:
        self._owner = owner
        self.documents: list[Document] = []
        self.queries = 0
        self.fail_after: int | None = None

    def _ask(self) -> None:
        self.queries += 1
        if self._owner.down:
            raise AutoReconnect("connection refused")

    def find(self, query: Document, projection: Any = None, batch_size: int = 0, limit: int = 0) -> "FakeCursor":
        self._ask()
        found = [d for d in self.documents if _matches(d, query)]
        without = {"_id"} if projection is not None and not projection.get("_id", 1) else set[str]()
        return FakeCursor([{k: v for k, v in d.items() if k not in without} for d in found], self.fail_after).limit(limit)

    def estimated_document_count(self) -> int:
        self._ask()
        return len(self.documents)

    def bulk_write(self, requests: list[DeleteOne | ReplaceOne[Document]], ordered: bool = True) -> None:
        """By `_id` alone."""
        self._ask()
        for request in requests:
            id_ = request._filter["_id"]
            self.documents = [d for d in self.documents if d.get("_id") != id_]
            if isinstance(request, ReplaceOne):
                self.documents.append({"_id": id_, **request._doc})

    def find_one(self, query: Document, projection: Any = None) -> Document | None:
        self._ask()
        return next((d for d in self.documents if _matches(d, query)), None)

    def aggregate(self, pipeline: list[Document], batchSize: int = 0) -> Iterable[Document]:  # noqa: N803
        """Only what `windows_feed` asks for: per window start and sensor."""
        self._ask()
        match, group = pipeline[0]["$match"], pipeline[1]["$group"]
        assert group["_id"] == {"start": "$window.start", "sensor": "$sensor"}
        groups: dict[tuple[Any, str], list[Document]] = {}
        for d in self.documents:
            if _matches(d, match):
                groups.setdefault((d["window"]["start"], d["sensor"]), []).append(d)
        try:
            return [_combined(key, rows) for key, rows in groups.items()]
        except TypeError:
            raise OperationFailure("$multiply only supports numeric types, not string") from None


def _combined(key: tuple[Any, str], rows: list[Document]) -> Document:
    start, sensor = key
    return {
        "_id": {"start": start, "sensor": sensor},
        "end": max(d["window"]["end"] for d in rows),
        "total": sum(d["avg"] * d["count"] for d in rows),
        "count": sum(d["count"] for d in rows),
        "min": min(d["min"] for d in rows),
        "max": max(d["max"] for d in rows),
        "rows": len(rows),
        "numbers": len(rows),
    }


class FakeMongo:
    """`client["paai"][collection]`. `down` = it does not answer."""

    def __init__(self) -> None:
        self.down = False
        self._collections: dict[str, FakeCollection] = {}

    def __getitem__(self, name: str) -> Any:
        if name == "paai":
            return self
        return self._collections.setdefault(name, FakeCollection(self))
