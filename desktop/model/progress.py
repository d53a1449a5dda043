"""What the Spark job tells of itself, and how far Connect's sink is: observations, nothing judged."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobProgress:
    """The job's document in `job_progress`. NaN, -1 and 0 where it does not tell.

    Attributes:
        at: When it was written, seconds since the epoch.
        input_per_s, processed_per_s: Readings per second that arrived and could be worked off.
        batch_s: How long the last batch took.
        watermark: Up to here windows are closed, seconds since the epoch.
        lag: Records in the topic that it has not read, -1 when unknown.
        late_rows: Readings that came too late for their window, since the job's start.
    """

    at: float = 0.0
    input_per_s: float = float("nan")
    processed_per_s: float = float("nan")
    batch_s: float = float("nan")
    watermark: float = float("nan")
    lag: int = -1
    late_rows: int = 0


@dataclass(frozen=True, slots=True)
class SinkProgress:
    """How far Connect has brought the raw readings to MongoDB.

    Attributes:
        at: When it was looked at, seconds since the epoch; 0 = never.
        lag: Records that are in Kafka and not in MongoDB, -1 when unknown.
        stored_per_s: Readings stored per second, NaN when unknown.
        produced_per_s: Readings that came into the topic per second, NaN when unknown.
        growth_per_s: How fast the lag grows (negative: drains), NaN when unknown.
    """

    at: float = 0.0
    lag: int = -1
    stored_per_s: float = float("nan")
    produced_per_s: float = float("nan")
    growth_per_s: float = float("nan")
