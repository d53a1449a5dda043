"""Records of the topic `dead_letters` → `DeadLetter`. What a letter does not say is unknown, never an error."""

from collections.abc import Sequence
from typing import Any, Final

from backend.contract.headers import read_headers
from desktop.model.refused.letters import DeadLetter, LetterStore
from desktop.model.refused.words import as_text, code_of

#: Bytes of a value that are kept for the list.
KEPT_VALUE_BYTES: Final = 4_096
_KEPT_KEY_BYTES: Final = 200
_KEPT_REASON_CHARS: Final = 500
#: Read of the past at the start: the newest of them.
MAX_BACKFILL: Final = 20_000
#: From the topic's beginning, however old: its retention is the bound.
SPAN_S: Final = 400 * 86_400.0

_HEADER: Final = "__connect.errors."


def read_letter(message: Any) -> DeadLetter:
    """Return what a record of the topic says.

    Args:
        message: A `confluent_kafka.Message`.
    """
    headers = read_headers(message)
    value, key = message.value(), message.key()
    reason = _text(headers.get(f"{_HEADER}exception.message"))[:_KEPT_REASON_CHARS]
    _, stamp_ms = message.timestamp()
    return DeadLetter(
        at=stamp_ms / 1000 if stamp_ms > 0 else float("nan"),
        topic=_text(headers.get(f"{_HEADER}topic")),
        partition=_number(headers.get(f"{_HEADER}partition")),
        offset=_number(headers.get(f"{_HEADER}offset")),
        code=code_of(reason),
        reason=reason or "The dead letter names no reason.",
        key=as_text(key[:_KEPT_KEY_BYTES]) if key else "",
        value=None if value is None else value[:KEPT_VALUE_BYTES],
        size=len(value or b""),
    )


def _text(value: bytes | str | None) -> str:
    if isinstance(value, bytes):
        return as_text(value)
    return value or ""


def _number(value: bytes | str | None) -> int:
    try:
        return int(value or -1)
    except ValueError:
        return -1


class LetterSink:
    """Fills a `LetterStore` from a `KafkaFeed`.

    Attributes:
        lag: Dead letters that were not read yet; -1 when unknown.
    """

    def __init__(self, store: LetterStore) -> None:
        self._store = store
        self.lag = -1

    def decode(self, messages: Sequence[Any], /, *, received: float, live: bool) -> list[DeadLetter]:
        """Return the letters of a batch of records."""
        return [read_letter(message) for message in messages]

    def ingest(self, letters: list[DeadLetter], /) -> None:
        """Keep them."""
        self._store.add(letters)

    def note_lag(self, records: int, /) -> None:
        """Note how far the feed is behind."""
        self.lag = records
