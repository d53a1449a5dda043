"""Whether the checkpoint still belongs to the topic: it must be neither wiped nor aged out under it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # it re-exports without saying so

_TOPIC_FILE = "paai-topic.json"


class TopicUnavailableError(Exception):
    """Kafka does not answer or does not have the topic (yet)."""


class ResetNeededError(Exception):
    """The checkpoint does not belong to the topic as it is now; the message says what happened and what to do."""

    def __init__(self, what: str, *, service: str) -> None:
        super().__init__(
            f"{what} The job cannot go on from the old checkpoint without leaving readings out: run"
            f" `python -m stack reset {service}`; it then begins with a new checkpoint and works anew through all that the"
            " topic holds."
        )


@dataclass(frozen=True, slots=True)
class TopicRange:
    """A topic as it is now.

    Attributes:
        topic_id: Changes when a topic is removed and created again; empty where the broker does not tell.
        begin, end: First offset kept and the offset after the last, by partition.
    """

    topic_id: str
    begin: Mapping[int, int]
    end: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Position:
    """Where the checkpoint stands.

    Attributes:
        topic_id: Of the topic that it was made from; empty when unknown.
        done: The offset after the last record of the last finished batch, by partition.
        planned: The same of the last planned batch; its records are read again when it was not finished.
    """

    topic_id: str
    done: Mapping[int, int]
    planned: Mapping[int, int]


def read_position(directory: Path, topic: str) -> Position | None:
    """What the checkpoint says, or None where there is none yet.

    Reads Spark's own logs: ``offsets/N`` is written before batch N, ``commits/N`` after it.
    """
    batches = _batches(directory / "offsets")
    if not batches:
        return None
    finished = [n for n in _batches(directory / "commits") if n in batches]
    topic_id = ""
    if (directory / _TOPIC_FILE).exists():
        topic_id = str(json.loads((directory / _TOPIC_FILE).read_text(encoding="utf-8")).get("topic_id", ""))
    planned = _offsets(directory / "offsets" / str(batches[-1]), topic)
    done = _offsets(directory / "offsets" / str(finished[-1]), topic) if finished else {}
    return Position(topic_id, done, planned)


def remember_topic(directory: Path, topic_id: str) -> None:
    """Keep the topic's id beside the checkpoint."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / _TOPIC_FILE).write_text(json.dumps({"topic_id": topic_id}), encoding="utf-8")


def check(position: Position | None, topic: TopicRange, *, name: str, service: str) -> None:
    """Compare checkpoint and topic of the job that runs as `service`.

    Raises:
        ResetNeededError: going on would leave readings out.
    """
    if position is None:
        return
    if position.topic_id and topic.topic_id and position.topic_id != topic.topic_id:
        raise ResetNeededError(f"The Kafka topic {name} was removed and created again.", service=service)
    for partition, offset in position.planned.items():
        end = topic.end.get(partition)
        if end is None or end < offset:
            raise ResetNeededError(
                f"The Kafka topic {name} was wiped: partition {partition} ends at {end if end is not None else 'nothing'},"
                f" Spark had already read up to {offset}.",
                service=service,
            )
    for partition, offset in position.done.items():
        begin = topic.begin.get(partition, 0)
        if begin > offset:
            raise ResetNeededError(
                f"Readings that Spark had not seen yet have aged out of the Kafka topic {name}: partition {partition} begins at"
                f" {begin}, Spark had read up to {offset}.",
                service=service,
            )


def _batches(directory: Path) -> list[int]:
    return sorted(int(p.name) for p in directory.iterdir() if p.name.isdigit()) if directory.is_dir() else []


def _offsets(path: Path, topic: str) -> dict[int, int]:
    last_line = path.read_text(encoding="utf-8").strip().splitlines()[-1]
    return {int(partition): int(offset) for partition, offset in json.loads(last_line).get(topic, {}).items()}


class TopicReader:
    """Asks Kafka how a topic is. Each call is bounded."""

    def __init__(self, *, bootstrap: str, topic: str, timeout_s: float = 5.0) -> None:
        self._topic, self._timeout_s = topic, timeout_s
        self._admin = AdminClient(
            {
                "bootstrap.servers": bootstrap,
                "client.id": "spark-job",
                "log_level": 0,
                "reconnect.backoff.ms": 100,
                "reconnect.backoff.max.ms": 500,
            }
        )

    def read(self) -> TopicRange:
        """The topic now.

        Raises:
            TopicUnavailableError: Kafka does not answer, or has no such topic.
        """
        try:
            future = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=self._timeout_s)[self._topic]
            description = future.result(timeout=self._timeout_s + 1)
            partitions = [p.id for p in description.partitions]
            begin = self._list(partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
            end = self._list(partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        except KafkaException as error:
            raise TopicUnavailableError(str(error.args[0].str() if error.args else error)) from error
        except TimeoutError as error:
            raise TopicUnavailableError("no answer in time") from error
        return TopicRange(str(description.topic_id), begin, end)

    def _list(self, partitions: list[int], what: OffsetSpec) -> dict[int, int]:
        request = {TopicPartition(self._topic, p): what for p in partitions}
        futures = self._admin.list_offsets(request, request_timeout=self._timeout_s)
        return {tp.partition: future.result(timeout=self._timeout_s + 1).offset for tp, future in futures.items()}
