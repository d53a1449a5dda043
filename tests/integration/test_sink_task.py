"""The sink's task on each stand-in for MongoDB, without Kafka and Connect: inserts, repeats, corrections, refusals."""

import itertools
import os
import random
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient
from pymongo.collection import Collection

from backend.contract import names
from backend.contract.times import to_datetime
from backend.operator.schema import SchemaKeeper, wanted_collections
from stack.mongo import MongoChoice, command, environment
from tests.helpers.java_sink import JavaSink, Outcome, Sent
from tests.helpers.mongo_server import MongoServer, stand_ins
from tests.helpers.secured_kafka import free_ports
from tests.helpers.wait import wait_until

# The first run resolves and compiles.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

Document = dict[str, Any]
T = 1_790_000_000_000
_numbers = itertools.count()


@pytest.fixture(scope="module")
def raw(stand_in: MongoServer) -> Iterator["Collection[Document]"]:
    with MongoClient[Document](stand_in.uri, tz_aware=True, serverSelectionTimeoutMS=20_000) as client:
        keeper = SchemaKeeper(client=client, wanted=wanted_collections())
        wait_until(lambda: keeper.step().converged, 60, "the collections", interval_s=0.2)
        yield client[names.DATABASE][names.COLLECTION_MESSAGES]


@pytest.fixture(scope="module")
def task(raw: "Collection[Document]", tmp_path_factory: pytest.TempPathFactory) -> Iterator[JavaSink]:
    host, port = raw.database.client.address or ("", 0)
    uri = f"mongodb://{host}:{port}/?w=majority&retryWrites=true&serverSelectionTimeoutMS=5000"
    with JavaSink(tmp_path_factory.mktemp("sink"), uri=uri, database=names.DATABASE, collection=raw.name) as made:
        yield made


@pytest.fixture
def device(task: JavaSink) -> str:
    task.restart()
    return f"device-{next(_numbers)}"


def stored(raw: "Collection[Document]", device: str) -> dict[int, float]:
    found = {round(d["timestamp"].timestamp() * 1000) - T: d["value"] for d in raw.find({"device_id": device})}
    assert len(found) == raw.count_documents({"device_id": device})
    return found


def put(task: JavaSink, *batch: Sent) -> None:
    outcome = task.put(batch)
    assert (outcome.failure, outcome.letters) == ("", ())


def test_inserts_the_contract_s_fields(raw: "Collection[Document]", task: JavaSink, device: str) -> None:
    put(task, Sent(device, T, 20.5))
    document = raw.find_one({"device_id": device})
    assert document is not None
    assert isinstance(document.pop("_id"), ObjectId)
    assert document == {"device_id": device, "sensor": "temperature", "timestamp": to_datetime(T), "value": 20.5}


@pytest.mark.parametrize("restarted", [False, True])
def test_a_correction_replaces_the_value_and_keeps_the_time_of_storing(
    raw: "Collection[Document]", task: JavaSink, device: str, restarted: bool
) -> None:
    put(task, *(Sent(device, T + n, 1.0) for n in range(5)))
    before = {d["_id"] for d in raw.find({"device_id": device})}
    if restarted:
        task.restart()
    put(task, *(Sent(device, T + n, 1.0 if n % 2 else 2.0) for n in range(8)))
    assert stored(raw, device) == {n: 1.0 if n % 2 else 2.0 for n in range(8)}
    assert before <= {d["_id"] for d in raw.find({"device_id": device})}


def test_the_last_of_one_batch_counts_by_arrival(raw: "Collection[Document]", task: JavaSink, device: str) -> None:
    # A consumer gives partition by partition.
    batch = [
        Sent(device, T + n, float(step), partition=step, arrival_ms=(step * 2) % 3) for step in range(3) for n in range(50)
    ]
    put(task, *batch)
    assert stored(raw, device) == dict.fromkeys(range(50), 1.0)
    put(task, Sent(device, T, 9.0, partition=2, arrival_ms=1))  # read late, arrived before
    assert stored(raw, device)[0] == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_the_last_of_several_polls_counts_by_arrival_then_partition_and_offset(
    raw: "Collection[Document]", task: JavaSink, device: str, seed: int
) -> None:
    rng = random.Random(seed)
    arrived = [
        Sent(device, T + rng.randrange(40), rng.choice([1.0, 2.0, 3.0, 1e9]), rng.randrange(3), arrival_ms=n // 3)
        for n in range(600)
    ]
    # Each partition in order, the partitions in any.
    waiting = [[sent for sent in arrived if sent.partition == partition] for partition in range(3)]
    letters: set[str] = set()
    while any(waiting):
        poll: list[Sent] = []
        for records in rng.sample(waiting, rng.randint(1, 3)):
            taken = rng.randint(0, 40)
            poll += records[:taken]
            del records[:taken]
        outcome = task.put(poll)
        assert outcome.failure == ""
        letters |= places(outcome)
    valid = [sent for sent in arrived if sent.value < 1e9]
    last: dict[int, Sent] = {}
    for sent in sorted(valid, key=lambda sent: (sent.arrival_ms, sent.partition, sent.offset)):
        last[sent.time_ms - T] = sent
    assert stored(raw, device) == {ms: sent.value for ms, sent in last.items()}
    assert letters <= {f"{sent.partition}:{sent.offset}" for sent in arrived if sent.value == 1e9}


def test_a_replay_from_the_first_of_two_values_ends_with_the_second(
    raw: "Collection[Document]", task: JavaSink, device: str
) -> None:
    first, second = Sent(device, T, 1.0), Sent(device, T, 2.0)
    put(task, first)
    put(task, second)
    task.restart()
    put(task, first)
    put(task, second)
    assert stored(raw, device) == {0: 2.0}


def test_a_known_repeat_costs_the_database_nothing(raw: "Collection[Document]", task: JavaSink, device: str) -> None:
    put(task, Sent(device, T, 1.0))
    raw.delete_many({"device_id": device})
    put(task, *(Sent(device, T, 1.0) for _ in range(5)))
    assert stored(raw, device) == {}
    # A correction of what has gone, for whatever reason, is stored.
    put(task, Sent(device, T, 2.0))
    assert stored(raw, device) == {0: 2.0}


def test_what_retention_removed_is_stored_when_it_comes_again(raw: "Collection[Document]", task: JavaSink, device: str) -> None:
    put(task, Sent(device, T, 1.0))
    raw.delete_many({"device_id": device})
    task.let_time_pass()
    put(task, Sent(device, T, 1.0))
    assert stored(raw, device) == {0: 1.0}


def test_a_repeat_after_a_restart_is_not_stored_twice(raw: "Collection[Document]", task: JavaSink, device: str) -> None:
    sent = [Sent(device, T + n, n % 7) for n in range(3000)]
    put(task, *sent)
    task.restart()
    put(task, *sent[1000:], *(Sent(device, T + n, 5.5) for n in range(3000, 3100)))
    assert stored(raw, device) == {n: n % 7 for n in range(3000)} | dict.fromkeys(range(3000, 3100), 5.5)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_refused_reading_is_a_dead_letter_and_its_neighbours_are_stored(
    raw: "Collection[Document]", task: JavaSink, device: str, restarted: bool
) -> None:
    put(task, Sent(device, T, 1.0), Sent(device, T + 1, 1.0))
    if restarted:
        task.restart()
    before = Sent(device, T + 4, 4.0)  # is the last valid one of its identity
    beyond = [Sent(device, T + n, 1e9) for n in (1, 2, 4)]
    batch = [Sent(device, T, 1.0), before, *beyond, Sent(device, T + 3, 3.0)]
    for _ in range(2):  # refused each time: it was never stored
        outcome = task.put(batch)
        assert outcome.failure == ""
        assert [letter.split(maxsplit=2)[:2] for letter in outcome.letters] == [
            [f"0:{sent.offset}", "not_stored:"] for sent in beyond
        ]
        assert stored(raw, device) == {0: 1.0, 1: 1.0, 3: 3.0, 4: 4.0}


def test_no_data_error_is_taken_for_a_repeat(raw: "Collection[Document]", task: JavaSink, device: str) -> None:
    odd = "code=11000 E11000 duplicate key " + device
    outcome = task.put([Sent(odd, T, 1e9)])
    assert len(outcome.letters) == 1
    assert stored(raw, odd) == {}


def test_what_fails_a_whole_bulk_write_is_isolated(raw: "Collection[Document]", task: JavaSink, device: str) -> None:
    batch = [Sent(device, T + n, float(n)) for n in range(20)]
    batch.insert(7, Sent("nul\0" + device, T, 1.0))
    outcome = task.put(batch)
    assert outcome.failure == ""
    assert stored(raw, device) == {n: float(n) for n in range(20)}


def test_what_was_stored_twice_without_the_index_is_there_once(raw: "Collection[Document]", device: str) -> None:
    keeper = SchemaKeeper(client=raw.database.client, wanted=wanted_collections())
    raw.drop_index([(field, 1) for field in names.IDENTITY_FIELDS])
    reading = {"device_id": device, "sensor": "temperature"}
    values = (1.0, 2.0, 3.0)
    raw.insert_many({**reading, "timestamp": to_datetime(T + n), "value": v} for v in values for n in range(2))
    raw.insert_one({**reading, "timestamp": to_datetime(T + 2), "value": 4.0})
    wait_until(lambda: keeper.step().converged, 60, "the index", interval_s=0.2)
    assert stored(raw, device) == {0: 3.0, 1: 3.0, 2: 4.0}


def test_without_the_unique_index_nothing_is_stored(raw: "Collection[Document]", task: JavaSink, device: str) -> None:
    put(task, Sent(device, T, 1.0))
    keeper = SchemaKeeper(client=raw.database.client, wanted=wanted_collections())
    raw.drop_index([(field, 1) for field in names.IDENTITY_FIELDS])
    try:
        task.restart()
        assert "no unique index" in task.put([Sent(device, T, 1.0), Sent(device, T + 1, 1.0)]).failure
        assert stored(raw, device) == {0: 1.0}
    finally:
        wait_until(lambda: keeper.step().converged, 60, "the index", interval_s=0.2)
    put(task, Sent(device, T, 1.0), Sent(device, T + 1, 1.0))
    assert stored(raw, device) == {0: 1.0, 1: 1.0}


@pytest.mark.parametrize("choice", stand_ins(), ids=lambda choice: choice.kind)
def test_kills_in_the_middle_lose_and_double_nothing(choice: MongoChoice, tmp_path: Path) -> None:
    """As Connect does it: what was not confirmed is given to a new task, from its beginning."""
    batches = [
        [
            *(Sent(f"d{n % 40}", T + n // 40, float(number)) for n in range(number * 500, number * 500 + 1500)),
            *(Sent(f"d{n % 40}", T + n // 40, 9.5) for n in range(number * 500, number * 500 + 300)),
            Sent("poison", T + number, 1e9),
        ]
        for number in range(6)
    ]
    expected = {(s.device_id, s.time_ms - T): s.value for batch in batches for s in batch if s.device_id != "poison"}
    port, letters = free_ports(1)[0], set[str]()

    def sink() -> JavaSink:
        folder = tmp_path / f"sink-{next(_numbers)}"
        uri = f"mongodb://127.0.0.1:{port}/?w=majority&serverSelectionTimeoutMS=2000"
        return JavaSink(folder, uri=uri, database=names.DATABASE, collection=names.COLLECTION_MESSAGES)

    with ExitStack() as stack:
        database = Killable(choice, tmp_path, port)
        stack.callback(database.kill)
        client = stack.enter_context(MongoClient[Document]("127.0.0.1", port, tz_aware=True, serverSelectionTimeoutMS=20_000))
        keeper = SchemaKeeper(client=client, wanted=wanted_collections())
        wait_until(lambda: keeper.step().converged, 60, "the collections", interval_s=0.2)
        task = sink()
        stack.callback(lambda: task.kill())
        for number, batch in enumerate(batches):
            # Once confirmed, but its offset was not committed.
            for again in (batches[number - 1], batch) if number == 3 else (batch,):
                if number % 3 == 1:
                    killer = threading.Timer(0.05 * number, database.kill)
                    killer.start()
                    outcome = task.put(again)
                    killer.join()
                    database.start()
                    if outcome.failure:
                        task.restart()
                    letters.update(places(outcome))
                elif number % 3 == 2:
                    killer = threading.Timer(0.05 * number, task.kill)
                    killer.start()
                    with suppress(AssertionError, OSError):
                        letters.update(places(task.put(again)))
                    killer.join()
                    task = sink()
                outcome = task.put(again)
                assert outcome.failure == ""
                letters.update(places(outcome))
        raw = client[names.DATABASE][names.COLLECTION_MESSAGES]
        found = [(d["device_id"], round(d["timestamp"].timestamp() * 1000) - T, d["value"]) for d in raw.find()]
    assert len(found) == len(expected)
    assert {(device, ms): value for device, ms, value in found} == expected
    assert len(letters) == len(batches)


def places(outcome: Outcome) -> set[str]:
    return {letter.split()[0] for letter in outcome.letters}


class Killable:
    """A database that can be killed and started again on its data."""

    def __init__(self, choice: MongoChoice, folder: Path, port: int) -> None:
        self._command, self._environment = command(choice, data_dir=folder, port=port), os.environ | environment(choice)
        self._port, self._log = port, folder / "database.log"
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)
        wait_until(self._listens, 60, "the database")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(30)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0
