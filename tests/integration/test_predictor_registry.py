"""The registry on a real server: versions, promotion, rolling back, damage; and training on stored readings."""

import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from backend.contract.names import BUCKET_MODELS, COLLECTION_MESSAGES, DATABASE
from backend.contract.times import to_datetime
from backend.predictor.errors import ModelError, TrainingError
from backend.predictor.models.bundle import seal_key
from backend.predictor.registry import PromotedVersionError, Registry, UnknownVersionError
from backend.predictor.training.source import MongoSource
from stack.mongo.choose import MongoChoice
from tests.helpers.models import KEY, bundle
from tests.helpers.mongo_server import mongo_with_auth

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

Client = MongoClient[dict[str, Any]]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    found = shutil.which("secantusd-py", path=str(Path(sys.executable).parent))
    assert found is not None, "the embedded database is not installed"
    choice = MongoChoice("secantusd-py", Path(found), "", "for a test")
    with mongo_with_auth(choice, tmp_path_factory.mktemp("mongo")) as server, server.client() as client:
        yield client


@pytest.fixture
def registry(client: Client) -> Registry:
    client.drop_database(DATABASE)
    return Registry(client, key=KEY)


def test_versions_are_published_promoted_rolled_back_and_removed(registry: Registry) -> None:
    assert registry.promoted() is None
    assert [registry.publish(bundle(low=-float(i))) for i in (1, 2, 3)] == ["v1", "v2", "v3"]

    registry.promote("v1")
    assert registry.previous() is None
    registry.promote("v3")
    assert registry.previous() == "v1"

    assert [(e.version, e.promoted) for e in registry.entries()] == [("v3", True), ("v2", False), ("v1", False)]
    since = registry.entry("v3").since
    assert since is not None
    assert abs((datetime.now(UTC) - since).total_seconds()) < 60
    assert registry.entry("v1").since is None
    assert registry.fetch("v3").version == "v3"
    with pytest.raises(PromotedVersionError):
        registry.delete("v3")
    assert registry.roll_back() == "v1"
    assert (registry.promoted(), registry.previous()) == ("v1", None)
    with pytest.raises(UnknownVersionError, match="no earlier"):
        registry.roll_back()
    registry.delete("v3")
    with pytest.raises(UnknownVersionError):
        registry.fetch("v3")
    assert registry.publish(bundle()) == "v4"


@pytest.mark.parametrize("version", ["", "v0", "3", "v1/../v2", "v9"])
def test_what_is_no_version_is_unknown(registry: Registry, version: str) -> None:
    with pytest.raises(UnknownVersionError):
        registry.fetch(version)


def test_a_file_that_was_tampered_with_is_neither_used_nor_promoted(registry: Registry, client: Client) -> None:
    registry.publish(bundle())
    chunks = client[DATABASE][f"{BUCKET_MODELS}.chunks"]
    chunk = chunks.find_one({})
    assert chunk is not None
    data = bytearray(chunk["data"])
    data[200] ^= 1
    chunks.update_one({"_id": chunk["_id"]}, {"$set": {"data": bytes(data)}})

    with pytest.raises(ModelError, match="checksum differs"):
        registry.promote("v1")
    assert registry.promoted() is None


def test_a_registry_with_another_key_refuses_the_file(registry: Registry, client: Client) -> None:
    registry.publish(bundle())

    with pytest.raises(ModelError, match="another key"):
        Registry(client, key=seal_key("other")).fetch("v1")


def test_history_is_read_by_time_and_newest_first(registry: Registry, client: Client) -> None:
    rows = [
        {"device_id": f"d{i % 2}", "sensor": "humidity", "timestamp": to_datetime(1_000_000 + i * 1000), "value": float(i)}
        for i in range(100)
    ]
    client[DATABASE][COLLECTION_MESSAGES].insert_many(rows)
    source = MongoSource(client, from_ms=1_020_000, to_ms=1_090_000)

    assert source.devices("humidity") == {"d0": 35, "d1": 35}
    t_ms, values = source.readings("d1", "humidity", 3)
    assert t_ms.tolist() == [1_089_000, 1_087_000, 1_085_000]
    assert values.tolist() == [89.0, 87.0, 85.0]


def test_a_server_that_is_gone_is_said_so() -> None:
    gone: Client = MongoClient("mongodb://127.0.0.1:9/", serverSelectionTimeoutMS=200)
    with gone, pytest.raises(TrainingError, match="MongoDB could not give the history"):
        MongoSource(gone, from_ms=None, to_ms=None).devices("humidity")
