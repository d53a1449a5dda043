"""Collections in memory behind the calls that the desktop makes: find, find_one, and the one combination of windows."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pymongo.errors import AutoReconnect

Document = dict[str, Any]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
    "$in": lambda a, b: a in b,
}


def _get(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def _matches(document: Document, query: Document) -> bool:
    for path, wanted in query.items():
        value = _get(document, path)
        if isinstance(wanted, dict):
            if value is None or not all(_OPERATORS[op](value, bound) for op, bound in wanted.items()):
                return False
        elif value != wanted:
            return False
    return True


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

    def find(self, query: Document, projection: Any = None, batch_size: int = 0, limit: int = 0) -> Iterator[Document]:
        self._ask()
        found = [d for d in self.documents if _matches(d, query)]
        return self._stream(found[:limit] if limit else found)

    def _stream(self, found: list[Document]) -> Iterator[Document]:
        for n, document in enumerate(found):
            if self.fail_after is not None and n >= self.fail_after:
                raise AutoReconnect("connection lost")
            yield {k: v for k, v in document.items() if k != "_id"}

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
        return [
            {
                "_id": {"start": start, "sensor": sensor},
                "end": max(d["window"]["end"] for d in rows),
                "total": sum(d["avg"] * d["count"] for d in rows),
                "count": sum(d["count"] for d in rows),
                "low": min(d["min"] for d in rows),
                "high": max(d["max"] for d in rows),
                "rows": len(rows),
            }
            for (start, sensor), rows in groups.items()
        ]


class FakeMongo:
    """`client["paai"][collection]`. `down` = it does not answer."""

    def __init__(self) -> None:
        self.down = False
        self._collections: dict[str, FakeCollection] = {}

    def __getitem__(self, name: str) -> Any:
        if name == "paai":
            return self
        return self._collections.setdefault(name, FakeCollection(self))
