"""LiveFeeds: everything that keeps a store and its surroundings up to date while a system is attached. No Qt."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence

from backend.contract.documents import LeftOut
from backend.contract.names import TOPIC_PREDICTIONS
from desktop.model.fleet import FleetState
from desktop.model.health import Health, HealthInputs, Link, assess
from desktop.model.predictions.event import EventKey
from desktop.model.progress import SinkProgress
from desktop.model.refused.compare import Reader
from desktop.model.services_clock import ServicesClock
from desktop.model.store import LiveStore
from desktop.services.acknowledgements import Acknowledgements
from desktop.services.decode import decode_messages
from desktop.services.errors import ServiceError
from desktop.services.focus_history import FocusHistory
from desktop.services.generator_client import GeneratorClient
from desktop.services.kafka_feed import KafkaFeed, KafkaLogin, KafkaState
from desktop.services.mongo import open_client
from desktop.services.paai_client import PaaiClient
from desktop.services.predictions_feed import MAX_BACKFILL, SPAN_S, PredictionSink
from desktop.services.predictions_history import PredictionsHistory
from desktop.services.sink_lag import SinkLag
from desktop.services.windows_feed import MongoState, WindowsFeed
from desktop.workers.polls import FleetPoll, StatusPoll
from desktop.workers.refused import RefusedFeeds
from desktop.workers.threads import FeedThread, stop_all
from stack.target import ServiceStatus, Target

log = logging.getLogger("desktop.feeds")


class LiveFeeds:
    """The whole live path of one attached system. Reading from it is quick and may happen on any thread.

    Args:
        target: Where the system runs; its endpoints are asked for here, so build this off the GUI thread.
        store: What is filled.
        report: Takes a sentence about damaged documents that are left out; called on the feeds' threads.
        clock: The services' time, seconds since the epoch; a `ServicesClock` is kept right by the generator's answers.

    Attributes:
        refused: Dead letters and rejected requests.

    Raises:
        StackError: the target does not know its endpoints.
    """

    def __init__(
        self,
        *,
        target: Target,
        store: LiveStore,
        report: Callable[[str], object] = log.warning,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock, self._store = clock, store
        left_out = LeftOut(report)
        endpoints = target.endpoints()
        login = KafkaLogin(endpoints.kafka, endpoints.kafka_user, endpoints.kafka_password)
        self._mongo = open_client(endpoints.mongo)
        self._generator = GeneratorClient(endpoints.generator, token=endpoints.token, timeout_s=3.0, clock=clock)
        if isinstance(clock, ServicesClock):
            # Before anything else looks at the clock: what began by a wrong one would be silent for an hour.
            with contextlib.suppress(ServiceError):
                self._generator.get_fleet()
        self._kafka = KafkaFeed(login=login, sink=store, decode=decode_messages, clock=clock)
        predictions = PredictionSink(store.predictions, left_out=left_out)
        self._predictions = KafkaFeed(
            login=login,
            sink=predictions,
            decode=predictions.decode,
            topic=TOPIC_PREDICTIONS,
            span_s=SPAN_S,
            max_backfill=MAX_BACKFILL,
            clock=clock,
        )
        self._sink_lag = SinkLag(login=login, clock=clock)
        self._paai = PaaiClient(endpoints.paai, token=endpoints.token, timeout_s=5.0)
        self.refused = RefusedFeeds(
            login=login,
            paai=self._paai,
            mongo=self._mongo,
            window=self._window_refused,
            committed=lambda: self._sink_lag.committed,
            clock=clock,
        )
        self._windows = WindowsFeed(client=self._mongo, sink=store, clock=clock, left_out=left_out)
        self._history = FocusHistory(client=self._mongo, sink=store, clock=clock, left_out=left_out)
        self._acknowledgements = Acknowledgements(client=self._mongo, store=store.predictions, clock=clock, left_out=left_out)
        self._anomalies = PredictionsHistory(
            client=self._mongo,
            store=store.predictions,
            acknowledgements=self._acknowledgements,
            clock=clock,
            left_out=left_out,
        )
        self._fleet = FleetPoll(
            generator=self._generator,
            reporting=store.reporting,
            on_fleet=lambda fleet: store.predictions.set_fleet(fleet.sending_by_prefix),
        )
        self._status = StatusPoll(target=target, clock=clock)
        self._threads = [
            FeedThread("kafka-feed", self._kafka.run),
            FeedThread("windows-feed", self._windows.run),
            FeedThread("focus-history", self._history.run),
            FeedThread("predictions-feed", self._predictions.run),
            FeedThread("predictions-history", self._anomalies.run),
            FeedThread("sink-lag", self._sink_lag.run),
            FeedThread("dead-letters", self.refused.feed.run),
            FeedThread("refused", self.refused.run),
            FeedThread("fleet-poll", self._fleet.run),
            FeedThread("status-poll", self._status.run),
        ]
        self._focus: tuple[str, ...] = ()
        self._health = Health()
        self._judging = threading.Lock()
        self._started = clock()

    def start(self) -> None:
        """Start the feeds; returns at once, whatever answers or not."""
        self._started = self._clock()
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Stop and join the feeds within `timeout_s` together, close every connection. True when all ended in time."""
        ended = stop_all(self._threads, timeout_s)
        if not ended:
            log.warning("some feeds did not stop within %g s; they end with the program", timeout_s)
        self._generator.close()
        self._paai.close()
        self._mongo.close()
        return ended

    def set_focus(self, device_ids: Sequence[str]) -> None:
        """Follow these devices: their raw readings, their past, their windows."""
        focus = tuple(dict.fromkeys(device_ids))
        if focus != self._focus:
            self._focus = focus
            self._store.set_focus(focus)
            self._windows.set_focus(focus)
            self._history.set_focus(focus)
            self._anomalies.set_focus(focus)

    def acknowledge(self, keys: Sequence[EventKey], *, by: str, undo: bool = False) -> None:
        """Note that somebody has seen to these anomalies, or take it back. Blocking.

        Raises:
            UnreachableError: MongoDB did not take it.
        """
        self._acknowledgements.write(keys, by=by, undo=undo)

    def refresh(self) -> None:
        """Ask the generator and the target now instead of at the next turn: after an action."""
        self._fleet.refresh()
        self._status.refresh()

    def fleet(self) -> FleetState:
        """As the generator last told, and what really reports."""
        return self._fleet.fleet

    def services(self) -> tuple[ServiceStatus, ...]:
        """As the target last told; empty before its first answer."""
        return self._status.services

    @property
    def kafka(self) -> KafkaState:
        """How the connection to Kafka is."""
        return self._kafka.state

    @property
    def mongo(self) -> MongoState:
        """How the connection to MongoDB is, and what the Spark job told."""
        return self._windows.state

    def _window_refused(self) -> Reader | None:
        """What this desktop's own reader refused; None while its counter and its position belong to different moments."""
        before, malformed, after = self._kafka.span, self._store.stats().malformed, self._kafka.span
        return Reader("The window", malformed, *before) if before == after and before[0] else None

    def sink(self) -> SinkProgress:
        """How far Connect has brought the readings, as last looked at."""
        return self._sink_lag.progress

    def health(self) -> Health:
        """The judgement of the whole stream as of now."""
        kafka, mongo = self._kafka.state, self._windows.state
        inputs = HealthInputs(
            now=self._clock(),
            services=self._status.services,
            fleet=self._fleet.fleet,
            kafka=Link(kafka.answering, kafka.since, kafka.reason),
            mongo=Link(mongo.answering, mongo.since, mongo.reason),
            stats=self._store.stats(),
            job=mongo.progress,
            sink=self._sink_lag.progress,
            topic_missing=kafka.topic_missing,
            held=kafka.held,
            failure=next((t.failure for t in self._threads if t.failure), ""),
            started=self._started,
            clock_skew_s=self._clock.skew_s if isinstance(self._clock, ServicesClock) else 0.0,
        )
        with self._judging:
            self._health = assess(inputs, self._health)
            return self._health
