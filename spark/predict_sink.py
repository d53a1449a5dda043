"""Where predictions go: the topic for whoever follows live, the collection for whoever looks back. Both may be repeated."""

import logging
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from confluent_kafka import KafkaError, Message, Producer
from pymongo import MongoClient, ReplaceOne
from pymongo.errors import PyMongoError

from backend.contract.documents import DECODING
from backend.contract.limits import TOPIC_COMPRESSION
from backend.contract.names import COLLECTION_PREDICTIONS, DATABASE, TOPIC_PREDICTIONS
from backend.contract.times import to_datetime
from backend.contract.timestamps import iso_of

log = logging.getLogger("spark-predict")

Document = dict[str, Any]
_FLUSH_S = 30.0


class SinkError(Exception):
    """The batch could not be written and is repeated."""


class Sink:
    """Writes documents; a batch counts as written when both have it.

    Args:
        bootstrap: Of Kafka.
        mongo_uri: Of MongoDB.
        topic, collection: Where to.
    """

    def __init__(
        self, *, bootstrap: str, mongo_uri: str, topic: str = TOPIC_PREDICTIONS, collection: str = COLLECTION_PREDICTIONS
    ) -> None:
        self._topic = topic
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "client.id": "spark-predict",
                "enable.idempotence": True,
                "linger.ms": 5,
                "compression.type": TOPIC_COMPRESSION,
                "queue.buffering.max.messages": 500_000,
                "log_level": 0,
            }
        )
        self._client: MongoClient[Document] = MongoClient(
            mongo_uri,
            **DECODING,
            appname="spark-predict",
            serverSelectionTimeoutMS=5000,
            connectTimeoutMS=5000,
            socketTimeoutMS=60_000,
        )
        self._collection = self._client[DATABASE][collection]
        self._encoder = msgspec.json.Encoder()
        self._failed: list[str] = []

    def write(self, documents: Sequence[Document]) -> None:
        """Write a batch: first the topic, which people look at, then the collection.

        Raises:
            SinkError: not all of it was taken.
        """
        if not documents:
            return
        self._failed.clear()
        for row in documents:
            self._produce(row["device_id"].encode(), self._encoder.encode(_wire(row)))
        left = self._producer.flush(_FLUSH_S)
        if left or self._failed:
            reason = self._failed[0] if self._failed else f"{left} were not acknowledged within {_FLUSH_S:g} s"
            raise SinkError(f"Kafka did not take the predictions: {reason}")
        try:
            self._collection.bulk_write(
                [ReplaceOne({"_id": row["_id"]}, _stored(row), upsert=True) for row in documents], ordered=False
            )
        except PyMongoError as error:
            raise SinkError(f"MongoDB did not take the predictions: {str(error)[:200]}") from error

    def close(self) -> None:
        """Let go of both."""
        self._producer.flush(2)
        self._client.close()

    def _produce(self, key: bytes, value: bytes) -> None:
        deadline = time.monotonic() + _FLUSH_S
        while True:
            try:
                self._producer.produce(self._topic, value=value, key=key, on_delivery=self._on_delivery)
            except BufferError:
                if time.monotonic() > deadline:
                    raise SinkError("Kafka did not take the predictions: the queue stays full") from None
                self._producer.poll(0.1)
            else:
                return

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed.append(str(error))


def _wire(row: Document) -> Document:
    since = row["since"]
    return {**row, "timestamp": iso_of(row["timestamp"]), "since": None if since is None else iso_of(max(since, 0))}


def _stored(row: Document) -> Document:
    since = row["since"]
    return {**row, "timestamp": to_datetime(row["timestamp"]), "since": None if since is None else to_datetime(since)}
