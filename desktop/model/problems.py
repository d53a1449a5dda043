"""The rules: what can be wrong, when it is said to be, and in which words."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from backend.contract.limits import TRANSACTION_MAX_S
from desktop.model.ended import ended_unexpectedly
from desktop.model.figures import plural, thousands
from desktop.model.observed import EXPECTED_WINDOW_AGE_S, SILENT_AFTER_S, HealthInputs, Link, Message, Severity
from desktop.model.starting import is_young
from desktop.model.storing import falls_behind
from stack.target import ServiceStatus

#: How long things may take after the start before their absence is a problem.
_GRACE_S: Final = 15.0
#: How long the first answer may take: connections are made, and the machine is busy with what starts beside.
_FIRST_ANSWER_S: Final = 8.0
#: Entering and leaving "behind" (seconds beyond what is expected).
_BEHIND_ENTER_S: Final = 8.0
_BEHIND_LEAVE_S: Final = 4.0
#: The generator is late when it is more than this behind its own schedule.
_LATE_ENTER_MS: Final = 1_000.0
_LATE_LEAVE_MS: Final = 200.0


def find(inputs: HealthInputs, active: frozenset[str]) -> list[Message]:
    """All problems there are now. `active`: keys of those that were there before (they leave later than they enter)."""
    rules = (_kafka, _mongo, _services, _generator, _sink, _spark, _stream, _skew, _desktop)
    return [message for rule in rules for message in rule(inputs, active)]


def _say(inputs: HealthInputs, key: str, hop: str, severity: Severity, text: str) -> Message:
    return Message(key, severity, text, hop, inputs.now)


def _silent(link: Link, inputs: HealthInputs) -> bool:
    """Whether somebody has not answered for too long. Who never answered yet has just been asked for the first time."""
    asked_before = link.since > inputs.started + SILENT_AFTER_S
    return not link.answering and inputs.now - link.since >= (SILENT_AFTER_S if asked_before else _FIRST_ANSWER_S)


def _kafka(inputs: HealthInputs, _: frozenset[str]) -> Iterator[Message]:
    silent = inputs.now - inputs.kafka.since
    if _silent(inputs.kafka, inputs):
        until = inputs.stats.last_received
        rest = f"charts show what was received until {_clock(until)}" if until is not None else "nothing was received yet"
        yield _say(inputs, "kafka-silent", "kafka", Severity.ERROR, f"Kafka has not answered for {_seconds(silent)}; {rest}")
    elif inputs.topic_missing and inputs.now - inputs.started >= _GRACE_S:
        yield _say(
            inputs, "topic-missing", "kafka", Severity.WARNING,
            "Kafka has no topic for the readings yet; the kafka-operator creates it: see its log",
        )  # fmt: skip
    elif inputs.held:
        parts = ", ".join(f"{held.partition} since {_clock(held.since)}" for held in inputs.held)
        number = "partition" if len(inputs.held) == 1 else "partitions"
        yield _say(
            inputs, "held", "kafka", Severity.WARNING,
            f"An open transaction holds {number} {parts}: {plural(sum(h.records for h in inputs.held), 'record')} not readable "
            f"yet. Charts of the other partitions are current; the broker ends it after {TRANSACTION_MAX_S} s at the latest",
        )  # fmt: skip


def _mongo(inputs: HealthInputs, _: frozenset[str]) -> Iterator[Message]:
    silent = inputs.now - inputs.mongo.since
    if _silent(inputs.mongo, inputs):
        end = inputs.stats.newest_window_end
        rest = (
            f"aggregates are shown until {_clock(end)}, newer ones from raw"
            if end is not None
            else "aggregates are made from raw"
        )
        yield _say(
            inputs, "mongo-silent", "mongodb", Severity.ERROR, f"MongoDB has not answered for {_seconds(silent)}; {rest}"
        )


def _services(inputs: HealthInputs, _: frozenset[str]) -> Iterator[Message]:
    bad = [s for s in inputs.services if not s.healthy or s.running < s.wanted]
    if ended_unexpectedly(inputs.services):
        yield _say(
            inputs, "ended", "services", Severity.ERROR, "The system ended unexpectedly. Deploy it again"
        )  # fmt: skip
        return
    if not bad or len(bad) == len(inputs.services):
        return  # none, or the system is not up: then there is nothing to warn of
    if all(_starts(s, inputs) for s in bad):
        yield _say(inputs, "starting", "services", Severity.INFO, f"{_names(bad)} {_verb(bad)} still starting")
        return
    names, verb = _names(bad), _verb(bad)
    reason = next((s.message for s in bad if s.message), "")
    text = f"{len(bad)} of {plural(len(inputs.services), 'service')} {verb} not healthy: {names}"
    yield _say(inputs, "services", "services", Severity.WARNING, f"{text} ({reason})" if reason else text)


def _starts(status: ServiceStatus, inputs: HealthInputs) -> bool:
    """Whether it needs nothing but time. What comes last in a deployment has not begun while the others are young."""
    if status.restarts:
        return False
    return is_young(status, inputs.now) or (status.stopped and any(is_young(s, inputs.now) for s in inputs.services))


def _names(services: Sequence[ServiceStatus]) -> str:
    return ", ".join(s.service for s in services[:3]) + (f" and {len(services) - 3} more" if len(services) > 3 else "")


def _verb(services: Sequence[ServiceStatus]) -> str:
    return "is" if len(services) == 1 else "are"


def _generator(inputs: HealthInputs, active: frozenset[str]) -> Iterator[Message]:
    fleet = inputs.fleet
    if fleet.error and inputs.now - max(fleet.as_of, inputs.started) >= SILENT_AFTER_S:
        yield _say(inputs, "generator-silent", "generator", Severity.WARNING, f"The fleet is not known: {fleet.error}")
        return
    if not fleet.running:
        return
    behind = fleet.behind_ms
    if behind > (_LATE_LEAVE_MS if "generator-late" in active else _LATE_ENTER_MS):
        rates = f"sends {thousands(fleet.sent_per_s)} of {thousands(fleet.wanted_per_s)} readings/s"
        yield _say(
            inputs, "generator-late", "generator", Severity.WARNING,
            f"The generator is {behind / 1000:.1f} s behind its schedule: it {rates}; "
            "fewer devices or a longer interval would help",
        )  # fmt: skip
    elif fleet.backlog > max(fleet.wanted_per_s, 10) * (1 if "paai-slow" in active else 3):
        yield _say(
            inputs, "paai-slow", "paai", Severity.WARNING,
            f"{thousands(fleet.backlog)} readings wait at the generator because paai does not take them; they are repeated",
        )  # fmt: skip


def _sink(inputs: HealthInputs, active: frozenset[str]) -> Iterator[Message]:
    sink = inputs.sink
    if falls_behind(sink, known="sink-slow" in active):
        yield _say(
            inputs, "sink-slow", "sink", Severity.WARNING,
            f"The machine stores {thousands(sink.stored_per_s)} of {thousands(sink.produced_per_s)} readings/s: "
            f"what waits in Kafka ({thousands(sink.lag)}) grows by {thousands(sink.growth_per_s)} per second; "
            "fewer devices or a longer interval would let it keep up",
        )  # fmt: skip


def _spark(inputs: HealthInputs, active: frozenset[str]) -> Iterator[Message]:
    stats, job = inputs.stats, inputs.job
    streaming = stats.readings_per_s > 0
    if not streaming or not inputs.mongo.answering or inputs.now - inputs.started < _GRACE_S + EXPECTED_WINDOW_AGE_S:
        return
    if stats.newest_window_end is None:
        yield _say(
            inputs, "spark-none", "spark", Severity.WARNING,
            "Spark has not written a window yet; the dashed steps are made from raw readings: see the log of spark-job",
        )  # fmt: skip
        return
    behind = inputs.now - stats.newest_window_end - EXPECTED_WINDOW_AGE_S
    if behind <= (_BEHIND_LEAVE_S if "spark-behind" in active else _BEHIND_ENTER_S):
        return
    if job is not None and math.isfinite(job.at) and inputs.now - job.at > 30:
        cause = f"its job has not reported for {_seconds(inputs.now - job.at)}"
    elif job is not None and job.batch_s > 2:
        cause = f"batches take {job.batch_s:.1f} s"
    elif job is not None and job.lag > 0:
        cause = f"{thousands(job.lag)} readings wait for it in Kafka"
    else:
        cause = "no newer window has come"
    yield _say(inputs, "spark-behind", "spark", Severity.WARNING, f"Spark is {_seconds(behind)} behind because {cause}")


def _stream(inputs: HealthInputs, _: frozenset[str]) -> Iterator[Message]:
    """Everything answers, and yet nothing comes."""
    fleet, stats = inputs.fleet, inputs.stats
    if not (fleet.running and fleet.devices and inputs.kafka.answering and not fleet.error and not inputs.topic_missing):
        return
    last = max(stats.last_received or 0.0, inputs.started)
    quiet = inputs.now - last
    if quiet > max(_GRACE_S, 3 * fleet.interval_s):
        where = "paai takes none" if fleet.sent_per_s == 0 else "none arrives in Kafka"
        yield _say(
            inputs, "stream-quiet", "paai", Severity.ERROR,
            f"No reading has come for {_seconds(quiet)} although {plural(fleet.devices, 'device')} should send: {where}; "
            "see paai's log",
        )  # fmt: skip


def _skew(inputs: HealthInputs, _: frozenset[str]) -> Iterator[Message]:
    if inputs.clock_skew_s:
        side = "behind" if inputs.clock_skew_s > 0 else "ahead of"
        yield _say(
            inputs, "clock-skew", "desktop", Severity.WARNING,
            f"This computer's clock is {_length(abs(inputs.clock_skew_s))} {side} the services' clock; charts follow the "
            "services. Correct it in the date and time settings",
        )  # fmt: skip


def _desktop(inputs: HealthInputs, active: frozenset[str]) -> Iterator[Message]:
    stats = inputs.stats
    if inputs.failure:
        yield _say(
            inputs,
            "feed-failed",
            "desktop",
            Severity.ERROR,
            f"A background task failed and is restarting: {inputs.failure}",
        )
    late = stats.latency_ms / 1000
    if math.isfinite(late) and late > (3.0 if "latency" in active else 6.0):
        yield _say(
            inputs, "latency", "desktop", Severity.INFO,
            f"Readings reach the charts {late:.0f} s after they were measured",
        )  # fmt: skip


def _seconds(value: float) -> str:
    if value < 120:
        return f"{value:.0f} s"
    minutes = value / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def _length(seconds: float) -> str:
    """``45 s``, ``1 h 0 min``, ``3 d 2 h``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def _clock(at: float) -> str:
    """Local time of day, as the time axis shows it."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")
