"""The generator's metrics: one list, and the mirror that copies the counters into it."""

from collections.abc import Mapping
from typing import Final

from backend.common.metrics import MetricDef, Metrics
from backend.generator.counters import Counters

MADE: Final = MetricDef(
    "generator_readings_made_total", "counter", "Readings measured and handed to the sender, copies included."
)
ACKNOWLEDGED: Final = MetricDef("generator_readings_acknowledged_total", "counter", "Readings that paai took.")
RETRIED: Final = MetricDef(
    "generator_readings_retried_total", "counter", "Readings posted again because paai did not take them."
)
GIVEN_UP: Final = MetricDef(
    "generator_readings_given_up_total", "counter", "Readings that never reached paai, by reason.", labels=("reason",)
)
BACKLOG: Final = MetricDef("generator_backlog_readings", "gauge", "Readings that wait for paai or are under way.")
DEVICES: Final = MetricDef("generator_devices", "gauge", "Devices wanted, by type.", labels=("tag",))
MISBEHAVING: Final = MetricDef(
    "generator_devices_misbehaving", "gauge", "Devices with an injected fault, by kind.", labels=("kind",)
)
WANTED: Final = MetricDef("generator_wanted_readings_per_second", "gauge", "Readings per second that the fleet should give.")
LAG: Final = MetricDef(
    "generator_slot_lag_seconds",
    "histogram",
    "How late each 50 ms slot was served, seconds. Above 0.05: the machine is too slow for this fleet.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 10.0),
)
DEFINITIONS: Final = (MADE, ACKNOWLEDGED, RETRIED, GIVEN_UP, BACKLOG, DEVICES, MISBEHAVING, WANTED, LAG)


class Mirror:
    """Copies the counters into the registry; cheap enough for once a second.

    Args:
        metrics: The service's registry.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._before: dict[str, int] = {}
        self._lag = metrics.histogram(LAG)

    def lag(self, seconds: float) -> None:
        """One slot was served that late."""
        self._lag.observe(max(seconds, 0.0))

    def update(
        self, counters: Counters, devices: Mapping[str, int], wanted_per_s: float, misbehaving: Mapping[str, int]
    ) -> None:
        """Bring the registry up to date."""
        for definition, value in ((MADE, counters.made), (ACKNOWLEDGED, counters.acknowledged), (RETRIED, counters.retried)):
            self._metrics.counter(definition).inc(self._growth(definition.name, value))
        for reason, value in counters.given_up.items():
            self._metrics.counter(GIVEN_UP).labels(reason).inc(self._growth(f"given up: {reason}", value))
        self._metrics.gauge(BACKLOG).set(counters.backlog)
        self._metrics.gauge(WANTED).set(wanted_per_s)
        for tag, n in devices.items():
            self._metrics.gauge(DEVICES).labels(tag).set(n)
        for kind, n in misbehaving.items():
            self._metrics.gauge(MISBEHAVING).labels(kind).set(n)

    def _growth(self, name: str, value: int) -> int:
        growth = value - self._before.get(name, 0)
        self._before[name] = value
        return growth
