"""What the judgement of the stream is made from, and the sentences that it is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from backend.contract.held import Held
from backend.contract.limits import WATERMARK_S
from desktop.model.fleet import FleetState
from desktop.model.progress import JobProgress, SinkProgress
from desktop.model.snapshot import FeedStats
from stack.target import ServiceStatus

#: A single question that was lost is no outage.
SILENT_AFTER_S: Final = 3.0
#: A window needs its end, the watermark and two batches; more than this beyond them is "behind".
EXPECTED_WINDOW_AGE_S: Final = 10.0 + WATERMARK_S + 6.0


class Severity(IntEnum):
    """How bad; higher is worse."""

    INFO = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence on something that is wrong.

    Attributes:
        key: Which problem; its text changes while it lasts, its key does not.
        severity: How bad.
        text: The sentence.
        hop: Key of the hop that it is about.
        seen: When the problem was last observed, seconds since the epoch.
    """

    key: str
    severity: Severity
    text: str
    hop: str
    seen: float = 0.0


@dataclass(frozen=True, slots=True)
class Link:
    """Whether somebody answers.

    Attributes:
        answering: Whether the last question was answered.
        since: When that last changed, seconds since the epoch.
        reason: Why it was not.
    """

    answering: bool = True
    since: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HealthInputs:
    """What was observed.

    Attributes:
        now: Seconds since the epoch.
        services: As `Target.status` says; empty = not asked.
        fleet: As the generator says.
        kafka, mongo: Whether they answer the desktop.
        stats: The desktop's own figures.
        job: The Spark job, or None where it never told.
        sink: Connect.
        topic_missing: Kafka answers but has no topic yet.
        held: Partitions that an open transaction holds, seconds since the epoch.
        failure: A feed of the desktop that ended unexpectedly: which and why; empty normally.
        started: When the feeds were started.
        clock_skew_s: How far the services' clock is ahead of this computer's; 0 while they agree.
    """

    now: float
    services: Sequence[ServiceStatus] = ()
    fleet: FleetState = field(default_factory=FleetState)
    kafka: Link = field(default_factory=Link)
    mongo: Link = field(default_factory=Link)
    stats: FeedStats = field(default_factory=FeedStats)
    job: JobProgress | None = None
    sink: SinkProgress = field(default_factory=SinkProgress)
    topic_missing: bool = False
    held: Sequence[Held] = ()
    failure: str = ""
    started: float = 0.0
    clock_skew_s: float = 0.0
