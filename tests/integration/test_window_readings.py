"""The window's feed on a broker: the conformance vectors, and the last of several values over three partitions."""

import threading
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # it is in its documentation

from backend.contract.messages import DeviceMessage, encode
from backend.contract.names import TOPIC_MESSAGES
from backend.contract.times import from_iso, to_iso
from desktop.model.readings import ReadingBatch
from desktop.model.snapshot import ViewRequest
from desktop.model.store import LiveStore
from desktop.services.decode import decode_messages
from desktop.services.kafka_feed import KafkaFeed, KafkaLogin
from tests.conformance import vectors
from tests.helpers.secured_kafka import secured_kafka
from tests.helpers.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


class Taken(LiveStore):
    """A store that keeps its batches."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[ReadingBatch] = []

    def ingest(self, batch: ReadingBatch) -> None:
        super().ingest(batch)
        self.batches.append(batch)

    @property
    def records(self) -> int:
        """Readings and refused records."""
        return sum(len(batch) + len(batch.refused) for batch in self.batches)


@pytest.fixture
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with secured_kafka(tmp_path_factory.mktemp("kafka")) as running:
        topic = NewTopic(TOPIC_MESSAGES, 3, 1, config={"message.timestamp.type": "LogAppendTime"})
        admin = AdminClient({"bootstrap.servers": running.internal})  # its end ends what it was asked for
        admin.create_topics([topic])[TOPIC_MESSAGES].result(60)
        yield running.internal


def test_vectors_and_the_last_value(kafka: str) -> None:
    store, stop = Taken(), threading.Event()
    feed = KafkaFeed(login=KafkaLogin(kafka), sink=store, decode=decode_messages)
    thread = threading.Thread(target=feed.run, args=(stop,))
    # The largest vector is larger than a broker takes by default; packed it is small.
    producer = Producer({"bootstrap.servers": kafka, "log_level": 0, "message.max.bytes": 4_000_000, "compression.type": "lz4"})
    acknowledged: list[tuple[int | None, int | None]] = []

    def send(value: bytes | None, partition: int) -> None:
        producer.produce(
            TOPIC_MESSAGES, value, partition=partition,
            on_delivery=lambda _, message: acknowledged.append((message.partition(), message.offset())),
        )  # fmt: skip
        assert producer.flush(30) == 0

    thread.start()
    try:
        wait_until(lambda: feed.state.caught_up, 60, "the feed")
        sent = vectors.records(now_ms=int(time.time() * 1000))
        for n, vector in enumerate(sent):
            send(vector.value, n % 3)
        wait_until(lambda: store.records == len(sent), 60, "the vectors")
        now_ms = int(time.time() * 1000)
        for partition, value in ((2, 10.0), (0, 20.0), (1, 15.0)):
            send(encode(DeviceMessage("without a key", to_iso(now_ms), "temperature", value)), partition)
        wait_until(lambda: store.records == len(sent) + 3, 60, "the corrections")
    finally:
        stop.set()
        thread.join(10)

    refused = {(r.partition, r.offset): r.code for batch in store.batches for r in batch.refused}
    assert refused == {where: v.reason for where, v in zip(acknowledged, sent, strict=False) if v.reason}
    found = {
        (device_id, t_ms, value)
        for batch in store.batches
        for device_id, t_ms, value in zip(batch.device_ids, batch.t_ms.tolist(), batch.value.tolist(), strict=True)
        if device_id != "without a key"
    }
    stored = [v.stored for v in sent if v.stored is not None]
    assert found == {(s["device_id"], from_iso(s["timestamp"]), s["value"]) for s in stored}
    shown = store.snapshot(ViewRequest(now_ms / 1000 - 1, now_ms / 1000 + 1, 100, ("without a key",))).views["temperature"]
    assert shown.curves[0].value.tolist() == [15.0]
    assert shown.focus_steps["without a key"].avg.tolist() == [15.0]
