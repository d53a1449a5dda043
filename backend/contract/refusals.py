"""Why a record of `processed_messages` is refused: the codes and their sentences, in one place for every language."""

from dataclasses import dataclass
from typing import Final

#: Code → sentence, in the order in which the checks run; the first that fails counts. A dead letter says "<code>: <sentence>".
REASONS: Final[dict[str, str]] = {
    "no_value": "The record has no value.",
    "too_large": "The value is larger than 64 KiB.",
    "byte_order_mark": "The value begins with a byte order mark.",
    "not_utf8": "The value is not valid UTF-8.",
    "not_json": "The value is not valid JSON.",
    "trailing_text": "The value continues after its JSON object.",
    "too_deep": "The JSON is nested more than 32 levels deep.",
    "lone_surrogate": "A string contains an unpaired surrogate.",
    "not_object": "The value is not a JSON object.",
    "device_id": "device_id must be a string of 1 to 128 printable characters.",
    "sensor": "sensor must be the name of a sensor in force.",
    "timestamp": "timestamp must be a moment of the years 1583 to 9999, written as YYYY-MM-DDTHH:MM:SS.mmmZ.",
    "future": "timestamp is too far ahead of the record's arrival at the broker: check the producer's clock.",
    "value": "value must be a JSON number.",
    "range": "value is outside the range of its sensor.",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that is not a reading.

    Attributes:
        code: A key of `REASONS`.
    """

    code: str

    @property
    def sentence(self) -> str:
        """The reason for people."""
        return REASONS[self.code]


#: One object a code: refusing costs no allocation.
REFUSED: Final[dict[str, Refused]] = {code: Refused(code) for code in REASONS}
