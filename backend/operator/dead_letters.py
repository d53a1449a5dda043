"""Counts dead letters by reason code, over restarts: counts and position stand in one document, replaced together."""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.common.mongo_errors import short
from backend.contract import names
from backend.contract.refusals import REASONS
from backend.operator.keeper import Finding
from backend.operator.topics import KafkaUnavailableError

log = logging.getLogger("kafka-operator")

Document = dict[str, Any]

#: Code of a letter whose message does not begin with one of the contract's.
OTHER: Final = "other"
#: Letters counted in one step.
STEP_LETTERS: Final = 5_000
#: Refused records that are remembered, to count one that has two letters once.
_REMEMBERED: Final = 100_000
#: A count of this size was edited, and could not be stored once it has grown.
_MAX_COUNT: Final = 2**53


@dataclass(frozen=True, slots=True)
class Letter:
    """What is counted of a dead letter.

    Attributes:
        partition, offset: Its own position in the topic.
        message: The reason that it names.
        source: Partition and offset of the refused record; None when it does not name them.
    """

    partition: int
    offset: int
    message: str
    source: tuple[int, int] | None


class LetterSource(Protocol):
    """The topic. Each call is bounded and raises `KafkaUnavailableError` only."""

    def read(self, position: Mapping[int, int], most: int) -> list[Letter]:
        """Return at most `most` letters from `position` on; a partition that is absent begins at its oldest letter.

        A position beyond the end, of a topic that was made anew, begins at the oldest letter too.
        """
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


def code_of(message: str) -> str:
    """Return the code that the message begins with, or `OTHER`."""
    code, colon, _ = message.partition(":")
    return code if colon and code in REASONS else OTHER


class DeadLetterCounter:
    """See the module. A keeper, although it keeps nothing: it counts."""

    name = "dead-letters"

    def __init__(self, *, source: LetterSource, client: "MongoClient[Document]", database: str = names.DATABASE) -> None:
        """`client` is shared and not closed here."""
        self._source = source
        self._collection = client[database][names.COLLECTION_REFUSALS]
        self._counts: Counter[str] = Counter()
        self._position: dict[int, int] = {}
        self._seen: dict[tuple[int, int], None] = {}
        self._loaded = False

    def step(self) -> Finding:
        try:
            if not self._loaded:
                self._load()
            letters = self._source.read(self._position, STEP_LETTERS)
            if letters:
                self._count(letters)
        except KafkaUnavailableError as error:
            return Finding(False, f"waits for Kafka: {error}", waiting=True)
        except PyMongoError as error:
            self._loaded = False  # what was counted and not stored is counted again from what is stored
            return Finding(False, f"waits for MongoDB: {short(error)}", waiting=True)
        return Finding(len(letters) < STEP_LETTERS)

    def _load(self) -> None:
        found = self._collection.find_one({"_id": names.REFUSED_RECORDS}) or {}
        self._counts = Counter(_whole_numbers(found.get("by_reason")))
        self._position = {int(p): offset for p, offset in _whole_numbers(found.get("next")).items() if p.isdecimal()}
        self._seen.clear()
        self._loaded = True

    def _count(self, letters: list[Letter]) -> None:
        for letter in letters:
            self._position[letter.partition] = letter.offset + 1
            if letter.source is not None:
                if letter.source in self._seen:
                    continue
                self._seen[letter.source] = None
                if len(self._seen) > _REMEMBERED:
                    del self._seen[next(iter(self._seen))]
            self._counts[code_of(letter.message)] += 1
        document = {
            "_id": names.REFUSED_RECORDS,
            "by_reason": dict(self._counts),
            "next": {str(p): offset for p, offset in self._position.items()},
            "updated_at": datetime.now(UTC),
        }
        self._collection.replace_one({"_id": names.REFUSED_RECORDS}, document, upsert=True)

    def close(self) -> None:
        self._source.close()


def _whole_numbers(value: object) -> dict[str, int]:
    """Those of a sub-document; what somebody edited into something else is left out."""
    if not isinstance(value, Mapping):
        return {}
    return {str(k): n for k, n in value.items() if isinstance(n, int) and not isinstance(n, bool) and 0 <= n < _MAX_COUNT}
