"""LiveConnection: an attached system, as one object: the store, the feeds that fill it, the generator, the judgement. No Qt."""

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from backend.contract.devices import DEVICE_TYPES
from desktop.model.fleet import FleetState
from desktop.model.health import Health, HealthInputs, Link, assess
from desktop.model.readings import ReadingBatch
from desktop.model.snapshot import FeedStats, LiveSnapshot, ViewRequest
from desktop.model.store import LiveStore
from desktop.services.errors import ServiceError
from desktop.services.focus_history import FocusHistory
from desktop.services.generator_client import GeneratorClient
from desktop.services.kafka_feed import KafkaFeed, KafkaLogin
from desktop.services.mongo import open_client
from desktop.services.sink_lag import SinkLag
from desktop.services.windows_feed import WindowsFeed
from desktop.workers.threads import FeedThread, stop_all
from stack.target import Endpoints, ServiceStatus

log = logging.getLogger("desktop.connection")

_STOP_S = 5.0


class LiveConnection:
    """Satisfies `desktop.qtmodels.connection.Connection`.

    Args:
        endpoints: Addresses and credentials.
        store: Filled by the feeds; a new one by default.
        clock: Seconds since the epoch.
    """

    def __init__(self, endpoints: Endpoints, *, store: LiveStore | None = None, clock: Callable[[], float] = time.time) -> None:
        self._endpoints = endpoints
        self._clock = clock
        self.store = store or LiveStore(clock=clock)
        login = KafkaLogin(endpoints.kafka, endpoints.kafka_user, endpoints.kafka_password)
        self._mongo = open_client(endpoints.mongo)
        self._generator = GeneratorClient(endpoints.generator, token=endpoints.token, clock=clock)
        self._kafka = KafkaFeed(login=login, sink=self.store, clock=clock)
        self._sink_lag = SinkLag(login=login, clock=clock)
        self._windows = WindowsFeed(client=self._mongo, sink=self.store, clock=clock)
        self._history = FocusHistory(client=self._mongo, sink=self.store, clock=clock)
        self._threads = [
            FeedThread("kafka-feed", self._kafka.run),
            FeedThread("windows-feed", self._windows.run),
            FeedThread("focus-history", self._history.run),
            FeedThread("sink-lag", self._sink_lag.run),
        ]
        self._focus: tuple[str, ...] = ()
        self._fleet = FleetState()
        self._health = Health()
        self._judging = threading.Lock()
        self._started = clock()

    @property
    def endpoints(self) -> Endpoints:
        return self._endpoints

    def start(self) -> None:
        """Start the feeds; returns at once, whatever answers or not."""
        self._started = self._clock()
        for thread in self._threads:
            thread.start()

    def stop(self) -> bool:
        """Stop and join the feeds, close every connection; at most about `_STOP_S` seconds. True when all ended in time."""
        ended = stop_all(self._threads, _STOP_S)
        if not ended:
            log.warning("some feeds did not stop within %g s; they end with the program", _STOP_S)
        self._generator.close()
        self._mongo.close()
        return ended

    # What it shows; quick, any thread

    def set_focus(self, device_ids: Sequence[str]) -> None:
        """Follow these devices: their raw readings, their past, their windows. `snapshot` does it for its request."""
        focus = tuple(dict.fromkeys(device_ids))
        if focus != self._focus:
            self._focus = focus
            self.store.set_focus(focus)
            self._windows.set_focus(focus)
            self._history.set_focus(focus)

    def snapshot(self, request: ViewRequest) -> LiveSnapshot:
        """One frame."""
        self.set_focus(request.focus)
        return self.store.snapshot(request)

    def stats(self) -> FeedStats:
        """The status bar's figures."""
        return self.store.stats()

    def search(self, text: str, limit: int) -> list[str]:
        """Ids of devices seen, best match first."""
        return self.store.search(text, limit=limit)

    def reporting(self) -> Mapping[str, int]:
        """Devices that reported lately, by sensor."""
        return self.store.reporting()

    def ingest(self, batch: ReadingBatch) -> None:
        """Take readings as if a feed had brought them; for tests."""
        self.store.ingest(batch)

    def health(self, status: Sequence[ServiceStatus] = ()) -> Health:
        """The judgement of the whole stream as of now."""
        kafka, mongo = self._kafka.state, self._windows.state
        inputs = HealthInputs(
            now=self._clock(),
            services=tuple(status),
            fleet=self._fleet,
            kafka=Link(kafka.answering, kafka.since, kafka.reason),
            mongo=Link(mongo.answering, mongo.since, mongo.reason),
            stats=self.store.stats(),
            job=mongo.progress,
            sink=self._sink_lag.progress,
            topic_missing=kafka.topic_missing,
            failure=next((t.failure for t in self._threads if t.failure), ""),
            started=self._started,
        )
        with self._judging:
            self._health = assess(inputs, self._health)
            return self._health

    def problem(self, status: Sequence[ServiceStatus]) -> str:
        """One sentence on what is wrong; empty when nothing is."""
        return self.health(status).sentence

    @property
    def last_fleet(self) -> FleetState:
        """As the generator last told; does not ask."""
        return self._fleet

    # The generator; blocking

    def fleet(self) -> FleetState:
        """Ask the generator.

        Raises:
            ServiceError: it does not answer; `health` tells it too.
        """
        return self._keep(self._generator.get_fleet)

    def set_fleet(self, counts: Mapping[str, int], interval_s: float | None) -> FleetState:
        """Change the fleet; a tag that is absent is unchanged.

        Raises:
            ServiceError: it was not taken.
        """
        return self._keep(lambda: self._generator.put_fleet(counts, interval_s=interval_s))

    def set_running(self, running: bool) -> FleetState:
        """Stop sending, or go on with the fleet as it was.

        Raises:
            ServiceError: it was not taken.
        """
        return self._keep(self._generator.start if running else self._generator.stop)

    def _keep(self, call: Callable[[], FleetState]) -> FleetState:
        try:
            answer = call()
        except ServiceError as error:
            self._fleet = dataclasses.replace(self._fleet, error=str(error))
            raise
        by_sensor = self.store.reporting()
        self._fleet = dataclasses.replace(answer, reporting={t.tag: by_sensor.get(t.sensor, 0) for t in DEVICE_TYPES})
        return self._fleet
