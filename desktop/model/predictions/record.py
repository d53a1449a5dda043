"""One prediction as the job publishes it."""

from dataclasses import dataclass
from enum import IntEnum

NAN = float("nan")


class Grade(IntEnum):
    """How urgent an anomaly is; ordered."""

    NONE = 0
    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @classmethod
    def of(cls, word: str) -> "Grade":
        """From the word in a document; one that is not known counts as a warning, so that it is seen."""
        return _GRADES.get(word, cls.WARNING)


_GRADES = {"": Grade.NONE, "info": Grade.INFO, "warning": Grade.WARNING, "critical": Grade.CRITICAL}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was expected of a reading, and whether it is odd. Another one with the same `id` revises it.

    Attributes:
        id: Identity of the reading, or of the silence.
        device_id, sensor: Whose.
        t_ms: When it was measured, epoch ms; of a silence when it became a dropout.
        value: NaN for a silence.
        expected, lower, upper: NaN while nothing can be expected.
        score: 0 … 1.
        anomaly: Whether it is odd.
        reason: One sentence; empty for what is not odd.
        kind: "spike", "drift", "stuck", "dropout", …; empty for what is not odd.
        grade: See `Grade`.
        since_ms: Begin of the event that it belongs to, epoch ms; 0 for none.
        model: Version that said so.
    """

    id: str
    device_id: str
    sensor: str
    t_ms: int
    value: float = NAN
    expected: float = NAN
    lower: float = NAN
    upper: float = NAN
    score: float = 0.0
    anomaly: bool = False
    reason: str = ""
    kind: str = ""
    grade: Grade = Grade.NONE
    since_ms: int = 0
    model: str = ""
