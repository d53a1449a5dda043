"""Metrics: the typed list's element, the registry, and what ``/metrics`` answers.

Processes that share one port (PROMETHEUS_MULTIPROC_DIR is set) add up: each writes to files there, any of them answers for all.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.gc_collector import GCCollector
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

MULTIPROC_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True, slots=True)
class MetricDef:
    """One metric.

    Attributes:
        name: As in ``/metrics``; counters end in ``_total``.
        kind: What it is.
        help: What it counts, with its unit.
        labels: Names of its labels.
        buckets: Upper bounds of a histogram's buckets.
        shared: How a gauge's values of several processes become one.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    shared: Literal["livesum", "livemostrecent"] = "livesum"


class Metrics:
    """The registry of one application.

    Args:
        definitions: Every metric of the service.
    """

    def __init__(self, definitions: Sequence[MetricDef] = ()) -> None:
        self._shared_dir = os.environ.get(MULTIPROC_VARIABLE) or None
        if self._shared_dir:
            Path(self._shared_dir).mkdir(parents=True, exist_ok=True)
        self._registry = CollectorRegistry()
        if not self._shared_dir:
            ProcessCollector(registry=self._registry)
            PlatformCollector(registry=self._registry)
            GCCollector(registry=self._registry)
        self._collectors: list[Collector] = []
        self._metrics: dict[str, Counter | Gauge | Histogram] = {d.name: self._create(d) for d in definitions}

    def _create(self, definition: MetricDef) -> Counter | Gauge | Histogram:
        name, text, labels = definition.name, definition.help, definition.labels
        if definition.kind == "counter":
            return Counter(name, text, labels, registry=self._registry)
        if definition.kind == "gauge":
            return Gauge(name, text, labels, registry=self._registry, multiprocess_mode=definition.shared)
        return Histogram(name, text, labels, registry=self._registry, buckets=definition.buckets)

    def counter(self, definition: MetricDef) -> Counter:
        """The counter of that definition."""
        metric = self._metrics[definition.name]
        if not isinstance(metric, Counter):
            raise TypeError(f"{definition.name} is a {definition.kind}")
        return metric

    def gauge(self, definition: MetricDef) -> Gauge:
        """The gauge of that definition."""
        metric = self._metrics[definition.name]
        if not isinstance(metric, Gauge):
            raise TypeError(f"{definition.name} is a {definition.kind}")
        return metric

    def histogram(self, definition: MetricDef) -> Histogram:
        """The histogram of that definition."""
        metric = self._metrics[definition.name]
        if not isinstance(metric, Histogram):
            raise TypeError(f"{definition.name} is a {definition.kind}")
        return metric

    def add_collector(self, collector: Collector) -> None:
        """Add figures of the whole system that every process reports alike: they are not summed over processes."""
        self._collectors.append(collector)
        if not self._shared_dir:
            self._registry.register(collector)

    def render(self) -> tuple[bytes, str]:
        """Body and content type of ``/metrics``."""
        registry = self._registry
        if self._shared_dir:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, path=self._shared_dir)  # type: ignore[no-untyped-call]
            for collector in self._collectors:
                registry.register(collector)
        return generate_latest(registry), CONTENT_TYPE_LATEST

    def close(self) -> None:
        """Take this process's gauges out of the shared sum."""
        if self._shared_dir:
            mark_process_dead(os.getpid(), path=self._shared_dir)  # type: ignore[no-untyped-call]
