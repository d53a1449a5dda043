"""Do the readers of the topic refuse the same records? Their counters are compared with the dead letters of the same span.

Counters are never added: each reader sees the same records. A span is compared once the sink has committed past its end, since
only then all its dead letters are written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from desktop.model.figures import plural
from desktop.model.refused.letters import LetterStore

#: After the sink's commit: for the dead letters to be read here.
SETTLE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Reader:
    """What one reader refused.

    Attributes:
        title: At the beginning of a sentence.
        refused: Records that it refused with first ≤ offset < end.
        first, end: By partition of the topic.
    """

    title: str
    refused: int
    first: Mapping[int, int]
    end: Mapping[int, int]


@dataclass(slots=True)
class _Pending:
    reader: Reader
    passed_at: float | None = None


class Comparison:
    """Compares one look after another; belongs to one thread."""

    def __init__(self, letters: LetterStore) -> None:
        self._letters = letters
        self._pending: dict[str, _Pending] = {}
        self._began: dict[str, Mapping[int, int]] = {}
        self._suspected: set[str] = set()
        self._said: dict[str, str] = {}

    @property
    def difference(self) -> str:
        """One sentence for each reader that differs, empty when none does."""
        return " ".join(self._said.values())

    def look(
        self,
        readers: Iterable[Reader],
        *,
        now: float,
        committed: Mapping[int, int],
        oldest_letter: Mapping[int, int] | None,
    ) -> None:
        """Take in what the readers report now.

        Args:
            readers: Those that report.
            now: Seconds, of any one clock.
            committed: The sink's committed offset of each partition.
            oldest_letter: Smallest source offset of which letters are known, by partition, where older letters exist that are
                not known; None when all are known. Only called with every letter of now read.
        """
        there = set()
        for reader in readers:
            there.add(reader.title)
            if self._began.get(reader.title) != reader.first:  # it was started, maybe anew
                self._began[reader.title] = reader.first
                self._pending.pop(reader.title, None)
                self._clear(reader.title)
            pending = self._pending.setdefault(reader.title, _Pending(reader))
            span = pending.reader
            if pending.passed_at is None:
                if all(committed.get(p, -1) >= end for p, end in span.end.items()):
                    pending.passed_at = now
            elif now - pending.passed_at >= SETTLE_S:
                del self._pending[reader.title]
                if oldest_letter is None or all(span.first[p] >= oldest_letter.get(p, 0) for p in span.first):
                    self._judge(span)
                else:
                    self._clear(reader.title)
        for title in self._began.keys() - there:
            del self._began[title]
            self._pending.pop(title, None)
            self._clear(title)

    def _judge(self, span: Reader) -> None:
        letters = self._letters.count_between(span.first, span.end)
        if letters == span.refused:
            self._clear(span.title)
        elif span.title in self._suspected:  # twice in a row: no moment between two counters
            self._said[span.title] = (
                f"{span.title} refused {plural(span.refused, 'record')}; "
                f"the same offsets have {plural(letters, 'dead letter')}."
            )
        else:
            self._suspected.add(span.title)

    def _clear(self, title: str) -> None:
        self._suspected.discard(title)
        self._said.pop(title, None)
