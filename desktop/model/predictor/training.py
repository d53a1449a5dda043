"""A training as the predictor tells of it, and the scoring job's progress."""

from dataclasses import dataclass
from typing import Final

import msgspec

RUNNING: Final = ("running", "cancelling")


class Result(msgspec.Struct, frozen=True):
    """What a training gave.

    Attributes:
        version: The version that it published.
        sensors: Those that the model is good enough for.
        refused: By sensor: why there is no model for it.
    """

    version: str = ""
    sensors: list[str] = []
    refused: dict[str, str] = {}


class Training(msgspec.Struct, frozen=True):
    """One training.

    Attributes:
        job: Its name.
        state: running, cancelling, done, failed, cancelled.
        progress: 0 … 1.
        message: What it does, or why it ended.
        started, ended: ISO 8601; `ended` is None while it runs.
        result: Of one that is done.
    """

    job: str
    state: str = "running"
    progress: float = 0.0
    message: str = ""
    started: str = ""
    ended: str | None = None
    result: Result | None = None

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.state in RUNNING


@dataclass(frozen=True, slots=True)
class Scoring:
    """The scoring job's document in `job_progress`; NaN, -1 and "" where it does not tell.

    Attributes:
        at: When it was written, seconds since the epoch.
        per_s: Readings per second that came in.
        lag: Records in the topic that it has not read.
        scored, anomalies, invalid: Readings since the job's start: scored, odd, and records that were none.
        model: What it scores with; empty for nothing.
    """

    at: float
    per_s: float = float("nan")
    lag: int = -1
    scored: int = 0
    anomalies: int = 0
    invalid: int = 0
    model: str = ""
