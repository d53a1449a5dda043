"""The sink's task in a JVM of its own, which gets batches without Kafka and Connect."""

import contextlib
import itertools
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from stack.jars import own_jar
from stack.java import find_java

_SOURCE = Path(__file__).parent / "java" / "paai" / "PutBatches.java"
_JARS = ("bson-", "connect-api", "kafka-clients", "mongodb-driver", "slf4j-api")
_offsets = itertools.count()


@dataclass(frozen=True, slots=True)
class Sent:
    """A record as the task gets it.

    Attributes:
        arrival_ms: The broker's stamp; None: in order of creation.
    """

    device_id: str
    time_ms: int
    value: float
    partition: int = 0
    arrival_ms: int | None = None
    sensor: str = "temperature"
    offset: int = field(default_factory=lambda: next(_offsets))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch led to.

    Attributes:
        failure: Message of the exception that ended it; empty without.
        letters: "partition:offset message" of each dead letter.
    """

    failure: str
    letters: tuple[str, ...]


class JavaSink:
    """The running JVM. Not safe for several threads.

    Args:
        folder: Where the other side (tests/helpers/java) is compiled.
        uri, database, collection: Where it stores.
    """

    def __init__(self, folder: Path, *, uri: str, database: str, collection: str) -> None:
        jars = own_jar.prepare(on_progress=lambda *_: None, cancel=None)
        own_jar.compile_classes([_SOURCE], folder, jars, class_path=[own_jar.path()])
        needed = [str(jar) for jar in sorted(jars.kafka.glob("*.jar")) if jar.name.startswith(_JARS)]
        command = [str(find_java().executable), "-Xmx256m", "-cp", ":".join([str(folder), str(own_jar.path()), *needed])]
        self._process = subprocess.Popen(
            [*command, "paai.PutBatches", uri, database, collection], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def put(self, batch: Sequence[Sent]) -> Outcome:
        """Give the task one batch."""
        parts = [struct.pack(">i", len(batch))]
        for sent in batch:
            arrival_ms = sent.offset if sent.arrival_ms is None else sent.arrival_ms
            parts.append(struct.pack(">iqq", sent.partition, sent.offset, arrival_ms))
            parts += [_text(sent.device_id), _text(sent.sensor), struct.pack(">qd", sent.time_ms, sent.value)]
        self._write(b"".join(parts))
        failure = self._read_text()
        (count,) = struct.unpack(">i", self._read(4))
        return Outcome(failure, tuple(self._read_text() for _ in range(count)))

    def restart(self) -> None:
        """Start the task anew; it remembers nothing then."""
        self._write(struct.pack(">i", -2))

    def let_time_pass(self) -> None:
        """Move the task's clock by 11 minutes."""
        self._write(struct.pack(">i", -3))

    def kill(self) -> None:
        """End the JVM wherever it is."""
        self._process.kill()
        with contextlib.suppress(BrokenPipeError), self._process:
            pass

    def close(self) -> None:
        """End the JVM."""
        with self._process:
            self._write(struct.pack(">i", -1))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_text(self) -> str:
        (length,) = struct.unpack(">H", self._read(2))
        return self._read(length).decode()

    def _read(self, count: int) -> bytes:
        assert self._process.stdout is not None
        found = self._process.stdout.read(count)
        assert len(found) == count, "the JVM ended"
        return found

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded
