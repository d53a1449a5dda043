"""Is the stream all right, and if not, where and why: one pure function from what was observed to ranked sentences.

`assess` keeps nothing. What must not flicker is decided with the judgement before as an argument: a problem that is
there needs to be gone for a while (`CLEAR_AFTER_S`) before its sentence goes, and one that comes and goes by figures has
a lower bound for leaving than for entering.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from desktop.model.observed import HealthInputs, Link, Message, Severity
from desktop.model.problems import find
from desktop.model.unknown import NanEqual
from stack.target import ServiceStatus

__all__ = ["Health", "HealthInputs", "Hop", "HopState", "Link", "Message", "Severity", "assess"]

CLEAR_AFTER_S: Final = 3.0


class HopState(StrEnum):
    """State of one hop, as the ui's signs know it."""

    OK = "ok"
    STARTING = "starting"
    DEGRADED = "degraded"
    STOPPED = "stopped"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Hop(NanEqual):
    """One hop of the stream.

    Attributes:
        key: generator, paai, kafka, sink, spark, mongodb or desktop.
        title: For people.
        state: See `HopState`.
        rate_per_s: Readings (of MongoDB: stored readings) per second, NaN when unknown.
        age_s: Seconds since something last came through, NaN when unknown.
        detail: A few words on what it does.
    """

    key: str
    title: str
    state: HopState
    rate_per_s: float = math.nan
    age_s: float = math.nan
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """The judgement.

    Attributes:
        hops: In the order of the stream.
        messages: Worst first; of equals the one nearer to the source first, because it explains the others.
        at: When it was made, seconds since the epoch.
    """

    hops: tuple[Hop, ...] = ()
    messages: tuple[Message, ...] = ()
    at: float = 0.0

    @property
    def sentence(self) -> str:
        """What to tell first; empty when nothing is wrong."""
        return self.messages[0].text if self.messages else ""

    @property
    def severity(self) -> Severity:
        """Of `sentence`."""
        return self.messages[0].severity if self.messages else Severity.INFO

    @property
    def state(self) -> HopState:
        """Of the whole: the worst."""
        order = (HopState.FAILED, HopState.DEGRADED, HopState.STARTING, HopState.STOPPED, HopState.OK)
        states = {hop.state for hop in self.hops}
        return next((state for state in order if state in states), HopState.UNKNOWN)

    def hop(self, key: str) -> Hop:
        """The hop of that key.

        Raises:
            KeyError: none has it.
        """
        found = next((hop for hop in self.hops if hop.key == key), None)
        if found is None:
            raise KeyError(key)
        return found


def assess(inputs: HealthInputs, previous: Health | None = None) -> Health:
    """Judge what was observed; `previous` is the judgement before, for what must not flicker."""
    before = previous or Health()
    found = find(inputs, frozenset(m.key for m in before.messages))
    keys = {m.key for m in found}
    lingering = [m for m in before.messages if m.key not in keys and 0 <= inputs.now - m.seen < CLEAR_AFTER_S]
    messages = sorted((*found, *lingering), key=lambda m: (-m.severity, _ORDER.index(m.hop)))
    return Health(_hops(inputs, messages), tuple(messages), inputs.now)


_ORDER: Final = ("kafka", "mongodb", "generator", "paai", "sink", "spark", "desktop", "services")

#: Which services a hop lives on.
_SERVICES: Final = {
    "generator": ("generator",),
    "paai": ("paai",),
    "kafka": ("broker", "zookeeper"),
    "sink": ("connect",),
    "spark": ("spark-job", "spark-master", "spark-worker"),
    "mongodb": ("mongodb",),
    "desktop": (),
}
_TITLES: Final = {
    "generator": "Generator",
    "paai": "paai",
    "kafka": "Kafka",
    "sink": "Connect sink",
    "spark": "Spark",
    "mongodb": "MongoDB",
    "desktop": "This desktop",
}


def _hops(inputs: HealthInputs, messages: Sequence[Message]) -> tuple[Hop, ...]:
    worst = {hop: max(m.severity for m in messages if m.hop == hop) for hop in {m.hop for m in messages}}
    by_name = {s.service: s for s in inputs.services}
    figures = _figures(inputs)
    hops = []
    for key, title in _TITLES.items():
        rate, age, detail = figures[key]
        state = _state(key, worst.get(key), [by_name[n] for n in _SERVICES[key] if n in by_name], inputs)
        hops.append(Hop(key, title, state, rate, age, detail))
    return tuple(hops)


def _state(key: str, severity: Severity | None, services: Sequence[ServiceStatus], inputs: HealthInputs) -> HopState:
    if services and all(s.running == 0 for s in services):
        return HopState.FAILED if any(s.wanted and s.restarts for s in services) else HopState.STOPPED
    if severity is Severity.ERROR:
        return HopState.FAILED
    if severity is Severity.WARNING:
        return HopState.DEGRADED
    if any(not s.healthy or s.running < s.wanted for s in services):
        return HopState.STARTING if not any(s.restarts for s in services) else HopState.DEGRADED
    if key == "generator" and inputs.fleet.known and not inputs.fleet.running:
        return HopState.STOPPED
    if not services and key not in ("desktop", "kafka", "mongodb"):
        return HopState.UNKNOWN
    return HopState.OK


def _figures(inputs: HealthInputs) -> dict[str, tuple[float, float, str]]:
    """Rate, age and a few words, by hop."""
    now, fleet, stats, job, sink = inputs.now, inputs.fleet, inputs.stats, inputs.job, inputs.sink
    nan = math.nan
    since_kafka = now - stats.last_received if stats.last_received is not None else nan
    window_age = now - stats.newest_window_end if stats.newest_window_end is not None else nan
    return {
        "generator": (fleet.sent_per_s if fleet.known else nan, nan, f"{fleet.backlog} wait" if fleet.backlog else ""),
        "paai": (fleet.sent_per_s if fleet.known else nan, nan, f"{fleet.retried} repeated" if fleet.retried else ""),
        "kafka": (sink.produced_per_s, since_kafka, ""),
        "sink": (sink.stored_per_s, now - sink.at if sink.at else nan, f"{sink.lag} behind" if sink.lag > 0 else ""),
        "spark": (
            job.processed_per_s if job else nan,
            now - job.at if job and math.isfinite(job.at) else nan,
            f"batches take {job.batch_s:.1f} s" if job and math.isfinite(job.batch_s) else "",
        ),
        "mongodb": (sink.stored_per_s, window_age, f"windows {stats.window_delay_s:.1f} s after their end"
                    if math.isfinite(stats.window_delay_s) else ""),
        "desktop": (stats.readings_per_s, since_kafka, f"lag {stats.consumer_lag}" if stats.consumer_lag >= 0 else ""),
    }  # fmt: skip
