"""Whether the checkpoint can be read and still belongs to the topic: neither wiped nor aged out under it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # it re-exports without saying so

_TOPIC_FILE = "paai-topic.json"
#: What a file holds whose content never reached the disk.
_BLANK = b"\0 \t\r\n"


class TopicUnavailableError(Exception):
    """Kafka does not answer or does not have the topic (yet)."""


class ResetNeededError(Exception):
    """The job cannot continue from its checkpoint; the message says why. The command that helps is the target's to say."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} The job cannot continue from this checkpoint without leaving readings out.")


class DamagedCheckpointError(ResetNeededError):
    """A file of the checkpoint cannot be read."""


@dataclass(frozen=True, slots=True)
class TopicRange:
    """A topic as it is now.

    Attributes:
        topic_id: Changes when a topic is removed and created again; empty where the broker does not tell.
        begin, end: First offset kept and the last stable one, by partition: what is committed lies between them.
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

    Raises:
        DamagedCheckpointError: a file that the job starts from cannot be read.
    """
    batches = _batches(directory / "offsets")
    if not batches:
        return None
    commits = _batches(directory / "commits")
    if commits:
        _entries(directory, directory / "commits" / str(commits[-1]))
    finished = [n for n in commits if n in batches]
    # Spark also begins with the one before the last.
    planned, *_ = [_offsets(directory, directory / "offsets" / str(n), topic) for n in batches[:-3:-1]]
    done = _offsets(directory, directory / "offsets" / str(finished[-1]), topic) if finished else {}
    if (directory / "metadata").exists():
        _json(directory, directory / "metadata")
    topic_id = ""
    if (directory / _TOPIC_FILE).exists():
        topic_id = str(_json(directory, directory / _TOPIC_FILE).get("topic_id", ""))
    return Position(topic_id, done, planned)


def read_committed_watermark(directory: Path) -> int | None:
    """The watermark of the last finished batch, in ms; None where there was none. Windows that ended by then were written.

    Raises:
        DamagedCheckpointError: The file cannot be read.
    """
    finished = sorted(set(_batches(directory / "offsets")) & set(_batches(directory / "commits")))
    if not finished:
        return None
    path = directory / "offsets" / str(finished[-1])
    try:
        return int(json.loads(_entries(directory, path)[0])["batchWatermarkMs"]) or None
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(directory, path, "it does not hold a watermark") from error


def set_aside_unfinished(directory: Path) -> str:
    """Move an empty newest ``offsets/N`` away whose batch was never committed: what a crash of the machine leaves behind.

    Only while no query runs. Spark then plans batch N anew, from where batch N - 1 ended.

    Returns:
        What was done, one sentence; empty for nothing.
    """
    batches = _batches(directory / "offsets")
    if not batches:
        return ""
    newest = directory / "offsets" / str(batches[-1])
    if (directory / "commits" / newest.name).exists() or newest.read_bytes().strip(_BLANK):
        return ""
    aside = directory / "set-aside"
    aside.mkdir(exist_ok=True)
    newest.replace(aside / f"offsets-{newest.name}")
    newest.with_name(f".{newest.name}.crc").unlink(missing_ok=True)
    return (
        f"offsets/{newest.name} of the checkpoint was empty and its batch never committed: set aside, the batch is planned anew"
    )


def remember_topic(directory: Path, topic_id: str) -> None:
    """Keep the topic's id beside the checkpoint."""
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / _TOPIC_FILE, {"topic_id": topic_id})


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write or replace a file, whole or not at all."""
    temporary = path.with_name(f".{path.name}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())  # else a crash of the machine may leave it empty
    temporary.replace(path)


def check(position: Position | None, topic: TopicRange, *, name: str) -> None:
    """Compare checkpoint and topic.

    Raises:
        ResetNeededError: going on would leave readings out.
    """
    if position is None:
        return
    if position.topic_id and topic.topic_id and position.topic_id != topic.topic_id:
        raise ResetNeededError(f"The Kafka topic {name} was removed and created again.")
    for partition, offset in position.planned.items():
        end = topic.end.get(partition)
        if end is None or end < offset:
            raise ResetNeededError(
                f"The Kafka topic {name} was wiped: partition {partition} ends at {end if end is not None else 'nothing'},"
                f" Spark had already read up to {offset}."
            )
    for partition, offset in position.done.items():
        begin = topic.begin.get(partition, 0)
        if begin > offset:
            raise ResetNeededError(
                f"Readings that Spark had not seen yet have aged out of the Kafka topic {name}: partition {partition} begins at"
                f" {begin}, Spark had read up to {offset}."
            )


def _batches(directory: Path) -> list[int]:
    return sorted(int(p.name) for p in directory.iterdir() if p.name.isdigit()) if directory.is_dir() else []


def _offsets(directory: Path, path: Path, topic: str) -> dict[int, int]:
    try:
        offsets = json.loads(_entries(directory, path)[-1])
        return {int(partition): int(offset) for partition, offset in offsets.get(topic, {}).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise _damaged(directory, path, "it does not hold offsets") from error


def _entries(directory: Path, path: Path) -> list[str]:
    """The lines of one of Spark's logs behind its version."""
    lines = _text(directory, path).strip().splitlines()
    if len(lines) < 2 or not lines[0].startswith("v"):
        raise _damaged(directory, path, "it is incomplete")
    return lines[1:]


def _json(directory: Path, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_text(directory, path))
    except ValueError as error:
        raise _damaged(directory, path, "it is no JSON") from error
    if not isinstance(found, dict):
        raise _damaged(directory, path, "it is no JSON object")
    return found


def _text(directory: Path, path: Path) -> str:
    try:
        content = path.read_bytes()
        if not content.strip(_BLANK):
            raise _damaged(directory, path, "it is empty")
        return content.decode("utf-8")
    except OSError as error:
        raise _damaged(directory, path, error.strerror or type(error).__name__) from error
    except UnicodeDecodeError as error:
        raise _damaged(directory, path, "it is no text") from error


def _damaged(directory: Path, path: Path, why: str) -> DamagedCheckpointError:
    return DamagedCheckpointError(f"The file {path.relative_to(directory)} of the checkpoint is damaged: {why}.")


class TopicReader:
    """Asks Kafka how a topic is. Each call is bounded."""

    def __init__(self, *, bootstrap: str, topic: str, timeout_s: float = 5.0) -> None:
        self._topic, self._timeout_s, self._bootstrap = topic, timeout_s, bootstrap
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

    def high_watermarks(self, topic: TopicRange) -> dict[int, int]:
        """The end of each partition, with what open transactions have written so far.

        Raises:
            TopicUnavailableError: As `read`.
        """
        try:
            return self._list(list(topic.begin), OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)  # type: ignore[no-untyped-call]
        except (KafkaException, TimeoutError) as error:
            raise TopicUnavailableError(str(error)) from error

    def offsets_at(self, arrival_ms: int) -> dict[int, int]:
        """First offset that arrived then or later, by partition; a partition without one is left out.

        Raises:
            TopicUnavailableError: As `read`.
        """
        try:
            found = self._list(list(self.read().begin), OffsetSpec.for_timestamp(arrival_ms))
        except (KafkaException, TimeoutError) as error:
            raise TopicUnavailableError(str(error)) from error
        return {partition: offset for partition, offset in found.items() if offset >= 0}

    def first_arrivals(self, topic: TopicRange) -> dict[int, int]:
        """Arrival of the first record, in ms, of each partition that has one and gives it in time.

        One may hold nothing but aborted records.

        Raises:
            TopicUnavailableError: Kafka refuses.
        """
        wanted = [TopicPartition(self._topic, p, topic.begin[p]) for p, end in topic.end.items() if end > topic.begin[p]]
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": "spark-job",  # joins none: it is assigned its partitions and commits nothing
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "log_level": 0,
            }
        )
        found: dict[int, int] = {}
        try:
            for place in wanted:
                consumer.assign([place])
                message = consumer.poll(self._timeout_s)
                if message is not None and not message.error():
                    found[place.partition] = int(message.timestamp()[1])
        except KafkaException as error:
            raise TopicUnavailableError(str(error)) from error
        finally:
            consumer.close()
        return found

    def _list(
        self, partitions: list[int], what: OffsetSpec, isolation: IsolationLevel = IsolationLevel.READ_COMMITTED
    ) -> dict[int, int]:
        request = {TopicPartition(self._topic, p): what for p in partitions}
        futures = self._admin.list_offsets(request, isolation_level=isolation, request_timeout=self._timeout_s)
        return {tp.partition: future.result(timeout=self._timeout_s + 1).offset for tp, future in futures.items()}
