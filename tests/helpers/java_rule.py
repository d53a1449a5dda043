"""The Java record rule in a JVM of its own, judging batches: for comparisons with the Python rule."""

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from backend.contract.records import TopicReading
from backend.contract.refusals import REFUSED, Refused
from backend.contract.rule_settings import rule_settings
from stack.jars import own_jar
from stack.java import find_java

_SOURCE = Path(__file__).parent / "java" / "paai" / "JudgeBatches.java"


class JavaRule:
    """The running JVM. Not safe for several threads.

    Args:
        folder: Where the other side (tests/helpers/java) is compiled.
    """

    def __init__(self, folder: Path) -> None:
        jars = own_jar.prepare(on_progress=lambda *_: None, cancel=None)
        own_jar.compile_classes([_SOURCE], folder, jars, class_path=[own_jar.path()])
        class_path = [str(folder), str(own_jar.path()), *(str(jar) for jar in jars.kafka.glob("jackson-*.jar"))]
        command = [str(find_java().executable), "-Xmx128m", "-cp", ":".join(class_path), "paai.JudgeBatches"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._write(_framed(rule_settings().encode()))

    def judge(self, records: Sequence[tuple[bytes | None, int]]) -> list[TopicReading | Refused]:
        """Judge records, given by value and arrival in ms."""
        parts = [struct.pack(">i", len(records))]
        for value, arrival_ms in records:
            parts += [struct.pack(">q", arrival_ms), _framed(value)]
        self._write(b"".join(parts))
        return [self._verdict() for _ in records]

    def close(self) -> None:
        """End the JVM."""
        with self._process:
            self._write(struct.pack(">i", -1))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _verdict(self) -> TopicReading | Refused:
        if code := self._text():
            return REFUSED[code]
        device_id, sensor = self._text(), self._text()
        t_ms, value = struct.unpack(">qd", self._read(16))
        return TopicReading(device_id, sensor, t_ms, value)

    def _text(self) -> str:
        (length,) = struct.unpack(">i", self._read(4))
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


def _framed(value: bytes | None) -> bytes:
    return struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value
