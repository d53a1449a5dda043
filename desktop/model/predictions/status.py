"""What can be said of the prediction as a whole: is there a model, does the job score, what is read of the past."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from desktop.model.unknown import NanEqual

#: The job tells every few seconds; so long without a word it is not at work.
QUIET_S: Final = 60.0


class Stage(StrEnum):
    """How far the prediction is."""

    LOADING = "loading"
    UNREACHABLE = "unreachable"
    NO_MODEL = "no model"
    NO_JOB = "no job"
    SCORING = "scoring"


@dataclass(frozen=True, slots=True, eq=False)
class PredictionStatus(NanEqual):
    """As last seen.

    Attributes:
        looked: Whether MongoDB has answered at all.
        past_read: Whether the anomalies of the last hours are all here.
        trouble: Why MongoDB does not answer just now; empty when it does.
        promoted: Version of the promoted model; empty for none.
        told_at: When the job last told of itself, epoch seconds; NaN for never.
        scoring: Version with which it scores; empty for none.
        per_s: Readings it scored per second, or NaN.
        lag: Readings that it has not scored yet; -1 when unknown.
        topic_missing: Kafka answers, but has no topic of predictions.
    """

    looked: bool = False
    past_read: bool = False
    trouble: str = ""
    promoted: str = ""
    told_at: float = math.nan
    scoring: str = ""
    per_s: float = math.nan
    lag: int = -1
    topic_missing: bool = False

    def stage(self, now: float) -> Stage:
        """The first thing that stands in the way, if any."""
        if not self.looked:
            return Stage.UNREACHABLE if self.trouble else Stage.LOADING
        if not self.promoted:
            return Stage.NO_MODEL
        if not (now - self.told_at < QUIET_S):  # also where it never told
            return Stage.NO_JOB
        return Stage.SCORING
