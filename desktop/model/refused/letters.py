"""Dead letters: one for each refused record, the newest kept with their first bytes."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: Dead letters in the list.
KEPT: Final = 1_000
#: Source records that are remembered, to recognise a letter that was written twice and to compare readers.
REMEMBERED: Final = 100_000

#: A record of the source topic: partition and offset.
Source = tuple[int, int]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One refused record.

    Attributes:
        at: When it was refused, seconds since the epoch; NaN when unknown.
        topic: Topic of the refused record; empty when unknown.
        partition, offset: Of the refused record; -1 when unknown.
        code: Reason code of `backend.contract.refusals`, or "other".
        reason: What the dead letter says.
        key: Key of the record, as text.
        value: Its first bytes; None for a record without a value.
        size: Bytes of the whole value.
    """

    at: float
    topic: str
    partition: int
    offset: int
    code: str
    reason: str
    key: str = ""
    value: bytes | None = None
    size: int = 0

    @property
    def source(self) -> Source | None:
        """The refused record; None when the letter does not name it."""
        return (self.partition, self.offset) if self.partition >= 0 and self.offset >= 0 else None


@dataclass(frozen=True, slots=True)
class RefusedRecords:
    """Dead letters as known now.

    Attributes:
        total: Refused records whose dead letter the topic holds, or -1 while it was not asked.
        newest: The newest of them, newest first.
        read: Whether all that were there at the start have been read.
        trouble: Why Kafka could not be asked; empty when it could.
        topic_missing: Kafka has no such topic.
        version: Changes with `newest`.
    """

    total: int = -1
    newest: tuple[DeadLetter, ...] = ()
    read: bool = False
    trouble: str = ""
    topic_missing: bool = False
    version: int = 0


class LetterStore:
    """Keeps what the feed reads. Every method may be called on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: deque[DeadLetter] = deque(maxlen=KEPT)
        self._sources: dict[Source, None] = {}
        self._repeats = 0
        self._forgotten = False
        self._version = 0
        self._view: tuple[DeadLetter, ...] = ()
        self._view_version = 0

    def add(self, letters: Sequence[DeadLetter]) -> None:
        """Add letters, oldest first. A second letter of a record is counted as a repeat and not listed."""
        with self._lock:
            for letter in letters:
                source = letter.source
                if source is not None:
                    if source in self._sources:
                        self._repeats += 1
                        continue
                    self._sources[source] = None
                    if len(self._sources) > REMEMBERED:
                        self._sources.pop(next(iter(self._sources)))
                        self._forgotten = True
                self._newest.append(letter)
            self._version += 1

    def clear(self) -> None:
        """Forget everything: the topic was made anew."""
        with self._lock:
            self._newest.clear()
            self._sources.clear()
            self._repeats, self._forgotten = 0, False
            self._version += 1

    @property
    def repeats(self) -> int:
        """Letters of records that have one already."""
        return self._repeats

    @property
    def complete(self) -> bool:
        """Whether every letter that was added is remembered."""
        return not self._forgotten

    @property
    def version(self) -> int:
        """Changes with every addition."""
        return self._version

    def newest(self) -> tuple[DeadLetter, ...]:
        """The newest letters, newest first."""
        with self._lock:
            if self._view_version != self._version:
                self._view, self._view_version = tuple(reversed(self._newest)), self._version
            return self._view

    def count_between(self, first: Mapping[int, int], end: Mapping[int, int]) -> int:
        """Refused records with first ≤ offset < end in their partition; a partition that is absent from `first` has none."""
        with self._lock:
            return sum(first.get(p, offset + 1) <= offset < end.get(p, 0) for p, offset in self._sources)

    def oldest(self) -> dict[int, int]:
        """Smallest remembered source offset of each partition."""
        found: dict[int, int] = {}
        with self._lock:
            for partition, offset in self._sources:
                found[partition] = min(offset, found.get(partition, offset))
        return found
