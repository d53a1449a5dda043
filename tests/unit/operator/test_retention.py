"""Retention: by insertion, by size, in slices, and windows by their end."""

import operator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from pymongo.errors import AutoReconnect

from backend.contract import names
from backend.contract.canary import CANARY_PREFIX, CANARY_TIME_MS
from backend.contract.times import to_datetime
from backend.operator.retention import CANARY_S, MAX_SLICES, PAUSE_SHARE, RetentionKeeper

Document = dict[str, Any]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _get(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document[part]
    return document


class FakeCursor:
    def __init__(self, documents: list[Document]) -> None:
        self._documents = documents

    def sort(self, field: str, _direction: int) -> "FakeCursor":
        return FakeCursor(sorted(self._documents, key=lambda d: _get(d, field)))

    def skip(self, n: int) -> "FakeCursor":
        return FakeCursor(self._documents[n:])

    def limit(self, n: int) -> list[Document]:
        return self._documents[:n]


class FakeCollection:
    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.largest_delete = 0

    def _matches(self, document: Document, condition: Document) -> bool:
        tests = {"$lt": operator.lt, "$lte": operator.le, "$gte": operator.ge, "$eq": operator.eq}
        each = [(f, ops if isinstance(ops, dict) else {"$eq": ops}) for f, ops in condition.items()]
        return all(f.split(".")[0] in document and tests[op](_get(document, f), b) for f, ops in each for op, b in ops.items())

    def find(self, condition: Document, _fields: Document) -> FakeCursor:
        return FakeCursor([d for d in self.documents if self._matches(d, condition)])

    def find_one(self, condition: Document, _fields: Document) -> Document | None:
        return next((d for d in self.documents if self._matches(d, condition)), None)

    def delete_many(self, condition: Document) -> Any:
        kept = [d for d in self.documents if not self._matches(d, condition)]
        deleted = len(self.documents) - len(kept)
        self.largest_delete = max(self.largest_delete, deleted)
        self.documents = kept
        return type("Result", (), {"deleted_count": deleted})


class FakeServer:
    def __init__(self) -> None:
        self.raw, self.windows, self.predictions = FakeCollection(), FakeCollection(), FakeCollection()

    def __getitem__(self, name: str) -> Any:
        known = {
            names.COLLECTION_MESSAGES: self.raw,
            names.COLLECTION_AGGREGATES: self.windows,
            names.COLLECTION_PREDICTIONS: self.predictions,
        }
        return known.get(name, self)

    def command(self, _command: str, name: str) -> Document:
        return {"size": 100 * len(self[name].documents), "count": len(self[name].documents)}


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


def keeper(server: FakeServer, *, raw_bytes: int = 10**9) -> RetentionKeeper:
    return RetentionKeeper(
        client=server,  # type: ignore[arg-type]
        raw_hours=24,
        raw_bytes=raw_bytes,
        aggregate_days=30,
        slice_documents=10,
        now=lambda: NOW,
        pause=lambda _s: False,
    )


def stored(hours_ago: float, n: int) -> ObjectId:
    """An id as the server made it at that time."""
    moment = int((NOW - timedelta(hours=hours_ago)).timestamp())
    return ObjectId(moment.to_bytes(4, "big") + n.to_bytes(8, "big"))


def test_raw_goes_by_when_it_was_stored_and_not_by_when_it_was_measured(server: FakeServer) -> None:
    old = [{"_id": stored(25, n), "timestamp": NOW} for n in range(25)]
    # Measured long ago, stored just now: stays.
    new = [{"_id": stored(1, n), "timestamp": NOW - timedelta(days=300)} for n in range(25)]
    server.raw.documents = old + new
    finding = keeper(server).step()
    assert finding.converged
    assert server.raw.documents == new
    assert server.raw.largest_delete <= 10


def test_a_round_is_bounded_and_the_next_goes_on(server: FakeServer) -> None:
    server.raw.documents = [{"_id": stored(30, n)} for n in range(MAX_SLICES * 10 + 5)]
    kept = keeper(server)
    assert not kept.step().converged
    assert len(server.raw.documents) == 5
    assert kept.step().converged
    assert server.raw.documents == []
    assert kept.removed == MAX_SLICES * 10 + 5


def test_the_oldest_go_when_there_is_too_much(server: FakeServer) -> None:
    server.raw.documents = [{"_id": stored(10 - n / 100, n)} for n in range(100)]
    assert keeper(server, raw_bytes=6_000).step().converged
    assert [d["_id"] for d in server.raw.documents] == [stored(10 - n / 100, n) for n in range(40, 100)]


def test_windows_go_by_their_end(server: FakeServer) -> None:
    ends = [NOW - timedelta(days=d) for d in (40, 31, 29, 0)]
    server.windows.documents = [{"_id": str(end), "window": {"end": end}} for end in ends]
    assert keeper(server).step().converged
    assert [d["window"]["end"] for d in server.windows.documents] == ends[2:]


def test_predictions_go_as_raw_does_and_anomalies_as_windows_do(server: FakeServer) -> None:
    def at(hours_ago: float, *, anomaly: bool) -> Document:
        moment = NOW - timedelta(hours=hours_ago)
        return {"_id": f"{hours_ago}{anomaly}", "timestamp": moment, "anomaly": anomaly}

    hours = (24 * 31, 24 * 29, 25, 23)
    server.predictions.documents = [at(h, anomaly=anomaly) for h in hours for anomaly in (True, False)]
    assert keeper(server).step().converged
    assert server.predictions.documents == [at(h, anomaly=True) for h in hours[1:]] + [at(23, anomaly=False)]


def test_too_many_predictions_go_too(server: FakeServer) -> None:
    server.predictions.documents = [
        {"_id": n, "timestamp": NOW - timedelta(minutes=100 - n), "anomaly": n % 10 == 0} for n in range(100)
    ]
    assert keeper(server, raw_bytes=6_000).step().converged
    assert [d["_id"] for d in server.predictions.documents] == list(range(40, 100))


def test_a_test_reading_that_its_sender_left_goes_after_a_while(server: FakeServer) -> None:
    def canary(age_s: int) -> Document:
        return {
            "_id": stored(age_s / 3600, age_s),
            "device_id": f"{CANARY_PREFIX}0f",
            "sensor": "temperature",
            "timestamp": to_datetime(CANARY_TIME_MS),
        }

    old = canary(CANARY_S * 2)
    ordinary = [old | {"device_id": "paai-canary"}, old | {"device_id": "1"}, old | {"timestamp": NOW}]
    server.raw.documents = [canary(CANARY_S + 10), canary(CANARY_S - 10), *ordinary]
    assert keeper(server).step().converged
    assert server.raw.documents == [canary(CANARY_S - 10), *ordinary]


class CountingServer(FakeServer):
    """Notes each search; a search may take time or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.searches, self.now_s, self.takes_s, self.failing = 0, 1000.0, 0.0, False
        find = self.raw.find

        def counted(condition: Document, _fields: Document) -> FakeCursor:
            self.searches += 1
            self.now_s += self.takes_s
            if self.failing:
                raise AutoReconnect("operation cancelled")
            return find(condition, _fields)

        self.raw.find = counted  # type: ignore[method-assign]


def test_the_oldest_is_looked_for_once_until_it_is_due() -> None:
    server, now = CountingServer(), [NOW]
    server.raw.documents = [{"_id": stored(1, n)} for n in range(5)]
    kept = keeper(server)
    kept._now = lambda: now[0]
    kept._clock = lambda: 0.0  # a round takes no time
    for _ in range(10):
        assert kept.step().converged
    assert server.searches == 1
    now[0] += timedelta(hours=23, minutes=1)
    assert kept.step().converged
    assert server.raw.documents == []


@pytest.mark.parametrize("failing", [False, True])
def test_a_slow_or_failed_look_is_not_repeated_soon(failing: bool) -> None:
    server = CountingServer()
    server.raw.documents = [{"_id": stored(1, 1)}]
    server.takes_s, server.failing = 3.0, failing
    kept = keeper(server)
    kept._clock = lambda: server.now_s
    assert kept.step().converged is not failing
    kept._oldest.clear()
    server.now_s += PAUSE_SHARE * 3.0 - 1
    kept.step()
    assert server.searches == 1
    server.now_s += 2
    kept.step()
    assert server.searches == 2
