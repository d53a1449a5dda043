"""Every conformance vector through the real sink into each stand-in for MongoDB: stored, or one dead letter."""

import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from bson import ObjectId
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # it is in its documentation
from pymongo import MongoClient

from backend.contract import limits, names
from backend.contract.refusals import REFUSED
from backend.contract.times import from_iso, to_datetime, to_iso
from backend.operator.schema import SchemaKeeper, wanted_collections
from backend.operator.sink import sink_config
from backend.operator.topics import wanted_topics
from stack.jars import own_jar
from stack.mongo import MongoChoice
from tests.conformance import vectors
from tests.helpers.connect_worker import ConnectWorker, connect_worker
from tests.helpers.live_kafka import ends, read_between
from tests.helpers.mongo_server import MongoServer, mongo_without_auth, stand_ins
from tests.helpers.secured_kafka import secured_kafka
from tests.helpers.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]

Document = dict[str, Any]
#: Key, value, the record's own timestamp (None: now).
Sent = tuple[bytes | None, bytes | None, int | None]


@dataclass(frozen=True, slots=True)
class Sink:
    """A connector that stores into one database.

    Attributes:
        kind: Of the database.
        name: Of the connector.
        dead_letters: Its topic of dead letters.
        config: Of the connector.
        client: Of the database.
    """

    kind: str
    name: str
    dead_letters: str
    config: dict[str, str]
    client: "MongoClient[Document]"

    def stored(self) -> list[Document]:
        """All raw readings."""
        return list(self.client[names.DATABASE][names.COLLECTION_MESSAGES].find())


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Kafka, Connect and a sink for each stand-in.

    Attributes:
        bootstrap: Kafka.
        connect: The worker that runs the sinks.
        sinks: All of them read the same topic.
    """

    bootstrap: str
    connect: ConnectWorker
    sinks: tuple[Sink, ...]

    def produce(self, records: list[Sent], *, topic: str = names.TOPIC_MESSAGES) -> None:
        """Write records in order; returns once all are acknowledged."""
        failed: list[object] = []
        producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "enable.idempotence": True,
                "linger.ms": 2,
                # The largest vector is larger than a broker takes by default; packed it is small.
                "message.max.bytes": 4_000_000,
                "compression.type": "lz4",
                "log_level": 0,
            }
        )
        for key, value, timestamp in records:
            producer.produce(
                topic,
                key=key,
                value=value,
                timestamp=0 if timestamp is None else timestamp,
                on_delivery=lambda error, _m: failed.append(error) if error else None,
            )
            producer.poll(0)
        assert producer.flush(60) == 0
        assert not failed, failed


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    own_jar.prepare(on_progress=lambda *_: None, cancel=None)
    folder = tmp_path_factory.mktemp("conformance")
    with contextlib.ExitStack() as stack:
        kafka = stack.enter_context(secured_kafka(folder))
        connect = stack.enter_context(connect_worker(folder, bootstrap=kafka.internal))
        sinks = []
        for choice in stand_ins():
            directory = folder / choice.kind
            directory.mkdir()
            server = stack.enter_context(mongo_without_auth(choice, directory))
            client = stack.enter_context(MongoClient[Document](server.uri, tz_aware=True, serverSelectionTimeoutMS=20_000))
            sinks.append(_sink(choice, server, client))
        _create_topics(kafka.internal, [sink.dead_letters for sink in sinks])
        for sink in sinks:
            connect.put(sink.config)
        yield Pipeline(kafka.internal, connect, tuple(sinks))


def _create_topics(bootstrap: str, dead_letters: list[str]) -> None:
    """As the operator does it, with a topic of dead letters for each database."""
    wanted = wanted_topics(retention_hours=limits.RETENTION_HOURS, retention_bytes=limits.RETENTION_BYTES)
    by_name = {topic.name: topic for topic in wanted}
    assert by_name[names.TOPIC_MESSAGES].config["message.timestamp.type"] == "LogAppendTime"
    specs = [by_name[names.TOPIC_MESSAGES], *(replace(by_name[names.TOPIC_DEAD_LETTERS], name=name) for name in dead_letters)]
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    topics = [NewTopic(spec.name, spec.partitions, 1, config=spec.config) for spec in specs]
    for created in admin.create_topics(topics).values():
        created.result(60)


def _sink(choice: MongoChoice, server: MongoServer, client: "MongoClient[Document]") -> Sink:
    """The connector's configuration, for a database that is prepared as the operator does it."""
    keeper = SchemaKeeper(client=client, wanted=wanted_collections())
    wait_until(lambda: keeper.step().converged, 60, "the collections", interval_s=0.2)
    name, dead_letters = f"sink-{choice.kind}", f"dead-letters-{choice.kind}"
    config = sink_config(mongo_uri=server.uri, tasks=2) | {
        "name": name,
        "errors.deadletterqueue.topic.name": dead_letters,
    }
    return Sink(choice.kind, name, dead_letters, config, client)


def good(device_id: str, t_ms: int, value: float) -> bytes:
    fields = {"device_id": device_id, "timestamp": to_iso(t_ms), "sensor": "temperature", "value": value}
    return json.dumps(fields).encode()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


Identity = tuple[str, str, datetime]


def identities(documents: list[Document]) -> dict[Identity, float]:
    """The values by identity; each identity may be there once."""
    found = {(d["device_id"], d["sensor"], d["timestamp"]): d["value"] for d in documents}
    assert len(found) == len(documents)
    return found


def test_every_vector_is_stored_or_becomes_one_dead_letter(pipeline: Pipeline) -> None:
    began = now_ms()
    chosen = vectors.records(now_ms=began)
    assert len(chosen) > 200
    records: list[Sent] = []
    expected: dict[Identity, float] = {}
    for n, vector in enumerate(chosen):
        # Neighbours in every partition, before and behind each vector.
        records.append((f"neighbour-{n % 30}".encode(), good(f"neighbour-{n % 30}", began - 60_000 + n, n / 100), None))
        expected[f"neighbour-{n % 30}", "temperature", to_datetime(began - 60_000 + n)] = n / 100
        records.append((f"vector-{n}".encode(), vector.value, None))
        if vector.stored is not None:
            stored = vector.stored
            moment = to_datetime(from_iso(stored["timestamp"]))
            expected[stored["device_id"], stored["sensor"], moment] = stored["value"]
    refused = {f"vector-{n}": vector for n, vector in enumerate(chosen) if vector.reason}
    # Records without a key, and with one that is no text, keep them.
    records += [(None, b"{nope", None), (b"\xff\x00", b"{nope", None)]
    # Whatever time its producer gave a record: the broker's stamp counts.
    for n, timestamp in enumerate((1, 1_700_000_000, began - 3_000)):
        records.append((b"odd-time", good("odd-time", began - n, n), timestamp))
        expected["odd-time", "temperature", to_datetime(began - n)] = n
    pipeline.produce(records)

    def all_stored(sink: Sink) -> bool:
        return len(sink.stored()) >= len(expected)

    def all_letters(sink: Sink) -> bool:
        return sum(ends(pipeline.bootstrap, sink.dead_letters).values()) >= len(refused) + 2

    for sink in pipeline.sinks:
        wait_until(partial(all_stored, sink), 240, f"all readings in {sink.kind}", interval_s=0.5)
        documents = sink.stored()
        assert identities(documents) == expected
        for document in documents:
            assert set(document) == {"_id", *names.IDENTITY_FIELDS, "value"}
            assert type(document["value"]) is float
            # Retention goes by it.
            assert type(document["_id"]) is ObjectId
            assert abs(document["_id"].generation_time.timestamp() * 1000 - began) < 600_000

        with contextlib.suppress(AssertionError):  # what is missing is said below
            wait_until(partial(all_letters, sink), 60, "the dead letters", interval_s=0.5)
        found = read_between(pipeline.bootstrap, sink.dead_letters, {}, ends(pipeline.bootstrap, sink.dead_letters))
        keys = Counter(letter.key_bytes for letter in found)
        assert keys == Counter([None, b"\xff\x00", *(key.encode() for key in refused)])
        for letter in found:
            judged = refused.get(letter.key)
            code = judged.reason if judged else "not_json"
            assert letter.value == (judged.value if judged else b"{nope")
            assert letter.headers["__connect.errors.exception.message"] == f"{code}: {REFUSED[code].sentence}", letter.key
            assert letter.headers["__connect.errors.topic"] == names.TOPIC_MESSAGES
            assert letter.headers["__connect.errors.offset"].isdigit()
        # Nothing here restarts a task: one that had failed would still be FAILED.
        assert pipeline.connect.task_states(sink.name) == ["RUNNING", "RUNNING"]


def test_what_fails_a_whole_bulk_write_is_isolated(pipeline: Pipeline) -> None:
    """Without the rule in front, as for a fault that it does not know: the database refuses, the neighbours are stored."""
    topic, began = "unjudged", now_ms()
    admin = AdminClient({"bootstrap.servers": pipeline.bootstrap, "log_level": 0})
    for created in admin.create_topics([NewTopic(topic, 1, 1)]).values():
        created.result(60)
    bad = {f"bad-{n}": good("bad", began, 1).replace(b'"bad"', b'"bad-%d-\\ud800"' % n) for n in range(3)}
    bad = {key: _with_schema(value) for key, value in bad.items()}
    records: list[Sent] = [(b"good", _with_schema(good("good", began + n, n)), None) for n in range(40)]
    for n, (key, value) in enumerate(bad.items()):
        records.insert(10 * n, (key.encode(), value, None))
    pipeline.produce(records, topic=topic)

    for sink in pipeline.sinks:
        without_rule = {key: value for key, value in sink.config.items() if not key.startswith("transforms")}
        name, collection = f"unjudged-{sink.kind}", sink.client[names.DATABASE][topic]
        collection.create_index([(field, 1) for field in names.IDENTITY_FIELDS], unique=True)
        pipeline.connect.put(
            without_rule
            | {
                "name": name,
                "topics": topic,
                "tasks.max": "1",
                "collection": topic,
                "errors.deadletterqueue.topic.name": f"{name}-letters",
                "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            }
        )

        def all_stored(count: Callable[[Document], int] = collection.count_documents) -> bool:
            return count({"device_id": "good"}) == 40

        wait_until(all_stored, 120, f"the neighbours in {sink.kind}", interval_s=0.5)
        end = wait_until(partial(_letters, pipeline, f"{name}-letters", len(bad)), 60, "the dead letters", interval_s=0.5)
        found = read_between(pipeline.bootstrap, f"{name}-letters", {}, end)
        assert {letter.key: letter.value for letter in found} == bad
        assert len(found) == len(bad)
        for letter in found:
            assert letter.headers["__connect.errors.exception.message"].startswith("not_stored: ")
        assert collection.count_documents({}) == 40
        assert pipeline.connect.task_states(name) == ["RUNNING"]


def test_the_largest_record_that_the_topic_takes_has_its_dead_letter(pipeline: Pipeline) -> None:
    """And what unpacks to more is refused by the broker, whatever its producer packed it with."""
    mib = 1024 * 1024
    for compression in ("zstd", "gzip", "lz4", "snappy"):
        assert "ok" not in _send_large(pipeline, b"bomb", bytes(200 * mib), compression)
    assert "ok" not in _send_large(pipeline, b"bomb", bytes(500 * mib), "zstd")
    start = {sink.kind: ends(pipeline.bootstrap, sink.dead_letters) for sink in pipeline.sinks}

    sizes = range(24 * mib, 16 * mib, -mib // 4)
    packed = next(size for size in sizes if _send_large(pipeline, b"packed", bytes(size), "zstd") == "ok")
    # Random bytes cannot be packed.
    sizes = range(mib + 4096, mib // 2, -1024)
    data = random.Random(12).randbytes(mib + 4096)
    plain = next(size for size in sizes if _send_large(pipeline, b"plain", data[:size], "none") == "ok")
    pipeline.produce([(b"good", good("after-large", now_ms(), 1.0), None)])
    for sink in pipeline.sinks:
        raw = sink.client[names.DATABASE][names.COLLECTION_MESSAGES]
        wait_until(partial(raw.find_one, {"device_id": "after-large"}), 120, f"the reading in {sink.kind}", interval_s=0.5)
        wanted = sum(start[sink.kind].values()) + 2
        end = wait_until(partial(_letters, pipeline, sink.dead_letters, wanted), 60, "both dead letters", interval_s=0.5)
        found = read_between(pipeline.bootstrap, sink.dead_letters, start[sink.kind], end)
        assert {letter.key: len(letter.value or b"") for letter in found} == {"packed": packed, "plain": plain}
        assert all(letter.headers["__connect.errors.exception.message"].startswith("too_large: ") for letter in found)
        assert pipeline.connect.task_states(sink.name) == ["RUNNING", "RUNNING"]


def _send_large(pipeline: Pipeline, key: bytes, value: bytes, compression: str) -> str:
    """Send one record, once; returns ``ok`` or the name of the error."""
    answers: list[str] = []
    producer = Producer(
        {
            "bootstrap.servers": pipeline.bootstrap,
            "compression.type": compression,
            "message.max.bytes": 1_000_000_000,
            "queue.buffering.max.kbytes": 2_000_000,
            "retries": 0,
            "log_level": 0,
        }
    )
    producer.produce(
        names.TOPIC_MESSAGES, value, key, on_delivery=lambda error, _m: answers.append(error.name() if error else "ok")
    )
    assert producer.flush(60) == 0
    return answers[0]


def test_a_sink_of_before_goes_on_with_the_new_configuration(pipeline: Pipeline) -> None:
    topic, began, sink = "before", now_ms(), pipeline.sinks[0]
    admin = AdminClient({"bootstrap.servers": pipeline.bootstrap, "log_level": 0})
    for created in admin.create_topics([NewTopic(topic, 1, 1)]).values():
        created.result(60)
    collection = sink.client[names.DATABASE][topic]
    collection.create_index([(field, 1) for field in names.IDENTITY_FIELDS], unique=True)
    config = sink.config | {"name": topic, "topics": topic, "tasks.max": "1", "collection": topic}
    strategies = "com.mongodb.kafka.connect.sink"
    before = {
        "connector.class": "paai.IsolatingSinkConnector",
        "document.id.strategy": f"{strategies}.processor.id.strategy.PartialValueStrategy",
        "document.id.strategy.overwrite.existing": "true",
        "writemodel.strategy": f"{strategies}.writemodel.strategy.ReplaceOneBusinessKeyStrategy",
        "mongo.errors.tolerance": "data",
    }

    def values() -> dict[datetime, float]:
        return {place[2]: value for place, value in identities(list(collection.find())).items()}

    pipeline.connect.put(config | before)
    pipeline.produce([(b"d", good("d", began + n, 1.0), None) for n in range(20)], topic=topic)
    wait_until(lambda: len(values()) == 20, 60, "the readings", interval_s=0.2)
    pipeline.connect.put(config)
    pipeline.produce([(b"d", good("d", began + n, 1.0 + n % 2), None) for n in range(30)], topic=topic)
    expected = {to_datetime(began + n): 1.0 + n % 2 for n in range(30)}
    wait_until(lambda: values() == expected, 60, "repeats, corrections and the others", interval_s=0.2)


def _with_schema(value: bytes) -> bytes:
    """A record of which Connect's JSON converter makes what the rule's transform makes."""
    payload = json.loads(value)
    payload["timestamp"] = from_iso(payload["timestamp"])
    kinds = {"device_id": "string", "sensor": "string", "timestamp": "int64", "value": "double"}
    fields = [{"field": name, "type": kind} for name, kind in kinds.items()]
    fields[2]["name"] = "org.apache.kafka.connect.data.Timestamp"
    return json.dumps({"schema": {"type": "struct", "fields": fields}, "payload": payload}).encode()


def _letters(pipeline: Pipeline, topic: str, count: int) -> dict[int, int]:
    """The end of a topic of dead letters, once there are so many."""
    end = ends(pipeline.bootstrap, topic)
    return end if sum(end.values()) >= count else {}
