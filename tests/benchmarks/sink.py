"""Readings from Kafka into each stand-in for MongoDB through the sink, against unordered bulk inserts by PyMongo."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from bson import ObjectId
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # it is in its documentation
from pymongo import MongoClient
from pymongo.collection import Collection

from backend.contract import limits, names
from backend.contract.messages import DeviceMessage, encode
from backend.contract.times import to_datetime, to_iso
from backend.operator.schema import SchemaKeeper, wanted_collections
from backend.operator.sink import sink_config
from backend.operator.topics import wanted_topics
from stack.jars import own_jar
from stack.mongo import MongoChoice
from tests.benchmarks.ingest import spread
from tests.benchmarks.pairs import measure_pairs
from tests.benchmarks.report import Row, thousands
from tests.helpers.connect_worker import ConnectWorker, connect_worker
from tests.helpers.mongo_server import MongoServer, mongo_without_auth, stand_ins
from tests.helpers.secured_kafka import secured_kafka
from tests.helpers.wait import wait_until

#: The key decides.
_ANY_PARTITION = -1
_READINGS, _DEVICES, _BULK, _PAIRS = 30_000, 1_000, 5_000, 3
_REPLAYED, _LIVE_PER_S, _CORRECTIONS = 100_000, 1_000, 40
_FIRST_MS = 1_790_000_000_000
#: Lowest ratio that is wanted.
_WANTED = {"secantusd-py": 0.5, "secantusd-rs": 0.25}

Document = dict[str, Any]
Reading = tuple[str, int, float]


@dataclass(frozen=True, slots=True)
class Cost:
    """One measurement.

    Attributes:
        per_s: Readings a second.
        cpu_us: CPU of the database a reading.
    """

    per_s: float
    cpu_us: float


class Bench:
    """One database, with a connector that stores into it.

    Attributes:
        raw: What the sink stores into.
    """

    def __init__(self, bootstrap: str, connect: ConnectWorker, server: MongoServer, client: "MongoClient[Document]") -> None:
        self.raw: Collection[Document] = client[names.DATABASE][names.COLLECTION_MESSAGES]
        self._connect, self._name, self._numbers = connect, f"bench-{server.kind}", iter(range(1_000_000))
        self._process = _listener(server.port)
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "log_level": 0})
        self._config = sink_config(mongo_uri=server.uri, tasks=1) | {"name": self._name}

    def start(self) -> None:
        """Start the sink."""
        self._connect.put(self._config)

    def fresh(self, count: int = _READINGS) -> list[Reading]:
        """Readings that nobody stored before."""
        numbers = [next(self._numbers) for _ in range(count)]
        return [(f"bench-{n % _DEVICES:05d}", _FIRST_MS + n // _DEVICES * 1000, n % 40 + 0.5) for n in numbers]

    def insert(self, readings: list[Reading]) -> Cost:
        """Store them with PyMongo."""
        documents = [
            {"_id": ObjectId(), "device_id": device, "sensor": "temperature", "timestamp": to_datetime(ms), "value": value}
            for device, ms, value in readings
        ]

        def bulks() -> None:
            for first in range(0, len(documents), _BULK):
                self.raw.insert_many(documents[first : first + _BULK], ordered=False)

        return self._measured(bulks, len(readings))

    def sink(self, readings: list[Reading], *, forget: bool = False) -> Cost:
        """Let the sink store them; they lie in Kafka when it begins.

        Args:
            forget: Whether its task begins anew and remembers no reading.
        """
        if forget:
            self._connect.delete(self._name)
        else:
            self._call("put", "pause")
            wait_until(lambda: self._connect.task_states(self._name) == ["PAUSED"], 60, "the sink to pause")
        last = self.fresh(names.MESSAGES_PARTITIONS)
        for device, ms, value in readings:
            self._produce(device, ms, value)
        assert self._producer.flush(120) == 0
        for partition, (device, ms, value) in enumerate(last):
            self._produce(device, ms, value, partition)
        assert self._producer.flush(120) == 0

        def stored() -> bool:
            wanted = {"$or": [{"device_id": d, "sensor": "temperature", "timestamp": to_datetime(ms)} for d, ms, _ in last]}
            return self.raw.count_documents(wanted) == len(last)

        def drain() -> None:
            wait_until(stored, 900, "the last readings", interval_s=0.05)

        if forget:
            self._connect.put(self._config)  # goes on at its committed offsets
        else:
            self._call("put", "resume")
        return self._measured(drain, len(readings))

    @contextmanager
    def live(self) -> Iterator[None]:
        """Send fresh readings at a steady rate meanwhile."""
        stop = threading.Event()

        def send() -> None:
            due = time.monotonic()
            while not stop.wait(max(0.0, due - time.monotonic())):
                due += 0.1
                for device, ms, value in self.fresh(_LIVE_PER_S // 10):
                    self._produce(device, ms, value)

        sender = threading.Thread(target=send)
        sender.start()
        try:
            yield
        finally:
            stop.set()
            sender.join()

    def correct(self, device: str, ms: int, value: float) -> float:
        """Return how many seconds after its acknowledgement a correction is in raw."""
        self._produce(device, ms, value)
        assert self._producer.flush(30) == 0
        begun, wanted = time.monotonic(), {"device_id": device, "sensor": "temperature", "timestamp": to_datetime(ms)}
        wait_until(lambda: (self.raw.find_one(wanted) or {}).get("value") == value, 60, "the correction", interval_s=0.02)
        return time.monotonic() - begun

    def _produce(self, device: str, ms: int, value: float, partition: int = _ANY_PARTITION) -> None:
        body = encode(DeviceMessage(device, to_iso(ms), "temperature", value))
        while True:
            try:
                self._producer.produce(names.TOPIC_MESSAGES, body, device, partition)
            except BufferError:
                self._producer.poll(0.1)
                continue
            self._producer.poll(0)
            return

    def _call(self, method: str, path: str) -> None:
        address = f"{self._connect.url}/connectors/{self._name}/{path}"
        httpx.request(method, address, timeout=60, trust_env=False).raise_for_status()

    def _measured(self, work: Callable[[], None], count: int) -> Cost:
        before, begun = self._cpu_s(), time.monotonic()
        work()
        return Cost(count / (time.monotonic() - begun), (self._cpu_s() - before) / count * 1e6)

    def _cpu_s(self) -> float:
        found = self._process.cpu_times()
        return float(found.user + found.system)


def run() -> list[Row]:
    """Measure every stand-in, with nothing else running."""
    own_jar.prepare(on_progress=lambda *_: None, cancel=None)
    return [row for choice in stand_ins() for row in _rows(choice)]


def _rows(choice: MongoChoice) -> list[Row]:
    with _bench(choice) as bench:
        ours: list[Cost] = []
        reference: list[Cost] = []

        def through_connect() -> float:
            ours.append(bench.sink(bench.fresh()))
            return ours[-1].per_s

        def by_pymongo() -> float:
            reference.append(bench.insert(bench.fresh()))
            return reference[-1].per_s

        ratio = measure_pairs(through_connect, by_pymongo, pairs=_PAIRS)
        again = bench.fresh()
        bench.sink(again)
        known = bench.sink(again)
        forgotten = bench.sink(again, forget=True)
        corrected = [(device, ms, value + 1) for device, ms, value in again]
        corrections = bench.sink(corrected, forget=True)
        known_corrections = bench.sink(again)
        replayed = bench.fresh(_REPLAYED)
        bench.insert(replayed)
        with bench.live():
            replay = bench.sink(replayed, forget=True)
            device, ms, _ = replayed[0]
            seen_s = sorted(bench.correct(device, ms, n % 40 + 0.25) for n in range(_CORRECTIONS))
    kinds = {
        "repeats that the sink remembers": known,
        "repeats after its restart": forgotten,
        "corrections after its restart": corrections,
        "corrections that it remembers": known_corrections,
    }
    return [
        Row(
            f"sink into {choice.kind} ÷ PyMongo's unordered insert, same indexes and validator, nothing else running",
            f"{thousands(ratio.ours)} readings/s",
            f"{thousands(ratio.reference)} readings/s",
            spread(ratio),
            f"≥ {_WANTED[choice.kind]}",
            (
                (
                    f"CPU of the database a reading: {ours[-1].cpu_us:.0f} µs through the sink, "
                    f"{reference[-1].cpu_us:.0f} µs from PyMongo; {_READINGS} readings of {_DEVICES} devices each time."
                ),
                *(f"{what}: {thousands(cost.per_s)} readings/s, {cost.cpu_us:.0f} µs." for what, cost in kinds.items()),
            ),
        ),
        Row(
            f"replay of {thousands(_REPLAYED)} readings while {thousands(_LIVE_PER_S)}/s arrive, sink into {choice.kind}",
            f"{_REPLAYED / replay.per_s:.0f} s",
            "",
            "",
            "≤ 180 s",
            (f"A correction is in raw {seen_s[len(seen_s) * 95 // 100]:.1f} s (p95) after its acknowledgement.",),
        ),
    ]


@contextmanager
def _bench(choice: MongoChoice) -> Iterator[Bench]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="paai-bench-")))
        kafka = stack.enter_context(secured_kafka(folder))
        connect = stack.enter_context(connect_worker(folder, bootstrap=kafka.internal))
        server = stack.enter_context(mongo_without_auth(choice, folder))
        client = stack.enter_context(MongoClient[Document](server.uri, tz_aware=True, serverSelectionTimeoutMS=20_000))
        keeper = SchemaKeeper(client=client, wanted=wanted_collections())
        wait_until(lambda: keeper.step().converged, 60, "the collections", interval_s=0.2)
        topics = wanted_topics(retention_hours=limits.RETENTION_HOURS, retention_bytes=limits.RETENTION_BYTES)
        new = [NewTopic(topic.name, topic.partitions, 1, config=topic.config) for topic in topics]
        admin = AdminClient({"bootstrap.servers": kafka.internal, "log_level": 0})  # kept until they are made
        for created in admin.create_topics(new).values():
            created.result(60)
        bench = Bench(kafka.internal, connect, server, client)
        bench.start()
        yield bench


def _listener(port: int) -> psutil.Process:
    """The process that listens on a port of this machine."""
    for found in psutil.net_connections("tcp"):
        if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port and found.pid is not None:
            return psutil.Process(found.pid)
    raise SystemExit(f"nothing listens on port {port}")
