"""Collections, validator and indexes, on a database in memory."""

from typing import Any

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from backend.contract import names
from backend.operator.schema import MESSAGE_VALIDATOR, SchemaKeeper, wanted_collections

Document = dict[str, Any]


class FakeCollection:
    def __init__(self, options: Document) -> None:
        self.options = options
        self.indexes: list[Document] = [{"key": {"_id": 1}}]

    def list_indexes(self) -> list[Document]:
        return self.indexes

    def create_index(self, key: list[tuple[str, int]], *, unique: bool = False, **options: Any) -> None:
        self.indexes.append({"key": dict(key), "unique": unique, **options})

    def drop_index(self, key: list[tuple[str, int]]) -> None:
        self.indexes = [i for i in self.indexes if list(i["key"].items()) != key]


class FakeServer:
    """In place of MongoClient and its database: it has one."""

    def __init__(self) -> None:
        self.collections: dict[str, FakeCollection] = {}
        self.error: Exception | None = None

    def __getitem__(self, name: str) -> Any:
        return self if name == names.DATABASE else self.collections[name]

    def list_collections(self) -> list[Document]:
        if self.error:
            raise self.error
        return [{"name": n, "options": c.options} for n, c in self.collections.items()]

    def create_collection(self, name: str, **options: Any) -> None:
        self.collections[name] = FakeCollection(options)

    def command(self, command: str, name: str, *, validator: Document) -> None:
        assert command == "collMod"
        self.collections[name].options["validator"] = validator


def keys(server: FakeServer, name: str) -> dict[tuple[str, ...], bool]:
    return {tuple(i["key"]): bool(i.get("unique")) for i in server.collections[name].indexes}


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def keeper(server: FakeServer) -> SchemaKeeper:
    return SchemaKeeper(client=server, wanted=wanted_collections())  # type: ignore[arg-type]


def test_makes_all_and_then_is_content(server: FakeServer, keeper: SchemaKeeper) -> None:
    assert not keeper.step().converged
    assert keeper.step().converged
    assert keeper.corrections == 1
    assert keys(server, names.COLLECTION_MESSAGES)[names.IDENTITY_FIELDS]
    assert ("window.end",) in keys(server, names.COLLECTION_AGGREGATES)
    assert ("device_id", "sensor", "window.start") in keys(server, names.COLLECTION_AGGREGATES)
    assert server.collections[names.COLLECTION_MESSAGES].options["validator"] == MESSAGE_VALIDATOR


def test_what_is_dropped_comes_back(server: FakeServer, keeper: SchemaKeeper) -> None:
    keeper.step()
    server.collections[names.COLLECTION_MESSAGES].indexes.pop()
    server.collections[names.COLLECTION_MESSAGES].options.clear()
    del server.collections[names.COLLECTION_AGGREGATES]
    assert not keeper.step().converged
    assert keeper.step().converged
    assert len(keys(server, names.COLLECTION_MESSAGES)) == 3
    assert server.collections[names.COLLECTION_MESSAGES].options["validator"] == MESSAGE_VALIDATOR
    assert ("window.end",) in keys(server, names.COLLECTION_AGGREGATES)


def test_an_index_that_is_not_unique_is_replaced(server: FakeServer, keeper: SchemaKeeper) -> None:
    server.create_collection(names.COLLECTION_MESSAGES, validator=MESSAGE_VALIDATOR)
    server.collections[names.COLLECTION_MESSAGES].create_index([(f, 1) for f in names.IDENTITY_FIELDS])
    keeper.step()
    assert keys(server, names.COLLECTION_MESSAGES)[names.IDENTITY_FIELDS] is True
    assert keeper.step().converged


def test_anomalies_have_an_index_of_their_own_and_one_over_everything_is_replaced(
    server: FakeServer, keeper: SchemaKeeper
) -> None:
    server.create_collection(names.COLLECTION_PREDICTIONS)
    server.collections[names.COLLECTION_PREDICTIONS].create_index([("anomaly", 1), ("timestamp", 1)])
    keeper.step()
    found = [i for i in server.collections[names.COLLECTION_PREDICTIONS].indexes if tuple(i["key"]) == ("anomaly", "timestamp")]
    assert [i.get("partialFilterExpression") for i in found] == [{"anomaly": True}]
    assert keeper.step().converged


def test_outage_and_refusal_are_told_apart(server: FakeServer, keeper: SchemaKeeper) -> None:
    server.error = AutoReconnect("127.0.0.1:27017: connection refused (configured timeouts: 2 s)")
    finding = keeper.step()
    assert finding.waiting
    assert finding.message == "waits for MongoDB: 127.0.0.1:27017: connection refused"
    server.error = OperationFailure("not authorized", 13, {"errmsg": "not authorized"})
    finding = keeper.step()
    assert not finding.waiting
    assert "not authorized" in finding.message
