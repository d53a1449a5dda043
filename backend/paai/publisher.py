"""Readings → Kafka, acknowledged, from the event loop's own thread.

librdkafka sends from threads of its own. `produce` only queues; acknowledgements are fetched by `poll(0)` on a timer of the
loop while something is in flight, so that their callbacks run in the loop's thread: no lock, no wake-up across threads, and
whatever was queued in the meantime shares the next round trip.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

from confluent_kafka import KafkaError, KafkaException, Producer

from backend.common.errors import UnavailableError
from backend.common.metrics import Metrics
from backend.contract.messages import DeviceMessage, encode
from backend.contract.names import TOPIC_CLOCK, TOPIC_MESSAGES
from backend.paai import metric_defs as defs
from backend.paai.clock import MAX_AHEAD_MS, ClockWatch
from backend.paai.delivery import Delivery, Record, broker_stamp
from backend.paai.producer_options import PublisherOptions

#: How often acknowledgements are fetched while something is in flight. The loop's timers count whole milliseconds.
POLL_S: Final = 0.001
#: How often the producer's events are served while nothing is in flight, and the state is looked at.
TICK_S: Final = 0.25
#: How often and how long Kafka is asked whether it is back.
PROBE_EVERY_S: Final = 0.5
PROBE_TIMEOUT_S: Final = 2.0
#: The loop is given back after so many records of a batch.
SLICE: Final = 2000
#: Fixed costs of one record in the queue, beside its key and value.
RECORD_OVERHEAD_BYTES: Final = 256
#: What an acknowledgement may take beyond its time limit before the producer is told to give up.
STALL_GRACE_S: Final = 3.0
FLUSH_S: Final = 5.0
#: How often the broker's clock is asked for while no readings come.
CLOCK_S: Final = 10.0
#: And while the clocks differ, which is when no reading is taken.
CLOCK_DIFFERS_S: Final = 1.0
#: A broker that has just started may not know the topic for a moment: records that it refuses for that are produced again after
#: this pause, in their order, for half of the time that an acknowledgement may take. Doing so is safe as for any client.
REPEAT_S: Final = 0.1

_log = logging.getLogger("paai.publisher")


PARTITION_BY_KEY: Final = -1
_TOPIC_UNKNOWN: Final = (KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART)  # noqa: SLF001

DeliveryReport = Callable[[Any, Any], None]


class KafkaProducer(Protocol):
    """What is used of `confluent_kafka.Producer`."""

    def produce(self, topic: str, value: bytes, key: str, partition: int, on_delivery: DeliveryReport, /) -> None: ...
    def poll(self, timeout: float) -> int: ...
    def flush(self, timeout: float) -> int: ...
    def purge(self, in_queue: bool = ..., in_flight: bool = ..., blocking: bool = ...) -> None: ...
    def list_topics(self, topic: str, timeout: float) -> Any: ...


ProducerFactory = Callable[[dict[str, Any]], KafkaProducer]


class Publisher:
    """Publishes readings to the topic; every call belongs to one event loop.

    Guarantees: `publish` returns after Kafka acknowledged (acks=all, idempotent); it raises within about the time limit
    otherwise. A record that was answered 503 may still arrive: clients repeat, and a reading's identity makes that safe.
    """

    def __init__(
        self,
        *,
        options: PublisherOptions,
        metrics: Metrics,
        topic: str = TOPIC_MESSAGES,
        factory: ProducerFactory = Producer,
    ) -> None:
        self._options, self._topic, self._factory = options, topic, factory
        self._accepted = metrics.counter(defs.ACCEPTED)
        lost = metrics.counter(defs.UNACKNOWLEDGED)
        self._lost = {reason: lost.labels(reason) for reason in ("down", "full", "failed", "clock")}
        self._in_flight_gauge = metrics.gauge(defs.IN_FLIGHT)
        self._ack_seconds = metrics.histogram(defs.ACK_SECONDS)
        self._producer: KafkaProducer | None = None
        self._in_flight = self._in_flight_bytes = 0
        self._done: list[Delivery] = []
        self._timer: asyncio.TimerHandle | None = None
        self._down = "Kafka has not answered yet."
        self._fatal = ""
        self._last_progress = 0.0
        self._clock = ClockWatch(metrics)
        self._measured_at = -CLOCK_S  # `time.monotonic` of the last stamp or question
        self._clock_asked_ms = 0  # of a record that only asks for the broker's clock; 0 = none is under way
        self._ticker: asyncio.Task[None] | None = None
        self._prober = ThreadPoolExecutor(1, thread_name_prefix="kafka-probe")

    # --- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Make the producer; waits for Kafka's first answer, but starts without it."""
        self._loop = asyncio.get_running_loop()
        self._open()
        await self._probe()
        self._ticker = asyncio.create_task(self._tick_forever(), name="kafka-ticker")

    async def stop(self) -> None:
        """Wait for what is in flight, within bounds, and end."""
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        deadline = time.monotonic() + FLUSH_S  # far longer than REPEAT_S, so nothing is repeated after it
        while self._in_flight and time.monotonic() < deadline:
            self._poll()
            await asyncio.sleep(0.01)
        if self._timer is not None:
            self._timer.cancel()
        if self._in_flight:
            _log.warning("%s readings were not acknowledged at the end; their clients were answered 503", self._in_flight)
            self._purge()
        self._prober.shutdown(wait=False, cancel_futures=True)
        self._producer = None

    def _open(self) -> None:
        config = self._options.producer_config()
        config["error_cb"] = self._on_error
        self._producer = self._factory(config)
        self._fatal = ""

    # --- publishing ---------------------------------------------------------------------------------------------------

    @property
    def problem(self) -> str:
        """Empty while Kafka is reached and its clock agrees with this one, else one sentence."""
        return self._down or self._clock.problem

    async def check(self) -> str:
        """Readiness: "" or what is wrong."""
        return self.problem

    def publish_one(self, message: DeviceMessage) -> asyncio.Future[None]:
        """Publish one reading.

        Returns:
            Done when Kafka has acknowledged; raises UnavailableError otherwise.

        Raises:
            UnavailableError: not taken, at once.
        """
        value = encode(message)
        delivery = self._admit(((value, message.device_id),), len(value) + RECORD_OVERHEAD_BYTES)
        self._produce(delivery, value, message.device_id)
        return delivery.future

    async def publish(self, messages: Sequence[DeviceMessage]) -> None:
        """Publish readings; returns when Kafka has acknowledged every one.

        Raises:
            UnavailableError: at least one was not acknowledged.
        """
        records = [(encode(message), message.device_id) for message in messages]
        size = sum(len(value) for value, _ in records) + RECORD_OVERHEAD_BYTES * len(records)
        delivery = self._admit(records, size)
        for index, (value, key) in enumerate(records, 1):
            self._produce(delivery, value, key)
            if not index % SLICE:
                await asyncio.sleep(0)
        await delivery.future

    def _admit(self, records: Sequence[Record], size: int) -> Delivery:
        count = len(records)
        if self._down:
            self._lost["down"].inc(count)
            raise UnavailableError(f"{self._down} Repeat it.", retry_after_s=1)
        if self._clock.problem:
            self._lost["clock"].inc(count)
            raise UnavailableError(f"{self._clock.problem} Repeat it.", retry_after_s=1)
        options = self._options
        if self._in_flight + count > options.max_messages or self._in_flight_bytes + size > options.max_bytes:
            self._lost["full"].inc(count)
            raise UnavailableError(f"{self._in_flight} readings wait for Kafka already; repeat it.", retry_after_s=1)
        if not self._in_flight:
            self._last_progress = time.monotonic()
        self._in_flight += count
        self._in_flight_bytes += size
        if self._timer is None:
            self._timer = self._loop.call_later(POLL_S, self._on_timer)
        return Delivery(self._loop.create_future(), records, size, self._done.append)

    def _produce(self, delivery: Delivery, value: bytes, key: str) -> None:
        try:
            assert self._producer is not None  # noqa: S101 - between start and stop there is one
            # By position: by keyword the call takes twice as long.
            self._producer.produce(self._topic, value, key, PARTITION_BY_KEY, delivery.report)
        except BufferError:
            delivery.report(KafkaError(KafkaError._QUEUE_FULL), None)  # noqa: SLF001 - the name of its error code
        except KafkaException as error:
            delivery.report(error.args[0], None)

    # --- acknowledgements ---------------------------------------------------------------------------------------------

    def _on_timer(self) -> None:
        self._timer = None
        self._poll()
        if self._in_flight:
            self._timer = self._loop.call_later(POLL_S, self._on_timer)

    def _poll(self) -> None:
        if self._producer is not None:
            self._producer.poll(0)
        if self._done:
            self._settle()

    def _settle(self) -> None:
        done = self._done[:]
        self._done.clear()  # `Delivery.on_done` holds this very list
        now = time.perf_counter()
        accepted = 0
        for delivery in done:
            if delivery.error is not None and self._is_worth_repeating(delivery, now):
                self._loop.call_later(REPEAT_S, self._repeat, delivery)
                continue
            self._in_flight -= len(delivery.records)
            self._in_flight_bytes -= delivery.size
            if delivery.stamp_ms:
                self._measure(delivery.started_ms, delivery.stamp_ms)
            if delivery.error is None and delivery.started_ms - delivery.stamp_ms > MAX_AHEAD_MS and delivery.stamp_ms:
                self._fail_by_clock(delivery)
            elif delivery.error is None:
                accepted += len(delivery.records)
                self._ack_seconds.observe(now - delivery.started)
                if not delivery.future.done():
                    delivery.future.set_result(None)
            else:
                self._fail(delivery)
        self._last_progress = time.monotonic()
        if accepted:
            self._accepted.inc(accepted)

    def _is_worth_repeating(self, delivery: Delivery, now: float) -> bool:
        in_time = now - delivery.started < self._options.ack_timeout_s / 2
        return in_time and delivery.error.code() in _TOPIC_UNKNOWN

    def _repeat(self, delivery: Delivery) -> None:
        delivery.begin_again()
        for value, key in delivery.records:
            self._produce(delivery, value, key)

    def _fail(self, delivery: Delivery) -> None:
        error = delivery.error
        self._lost["failed"].inc(len(delivery.records))
        code = error.code()
        if code == KafkaError._MSG_TIMED_OUT:  # noqa: SLF001
            self._set_down(f"Kafka did not acknowledge within {self._options.ack_timeout_s:g} s.")
        elif code in _TOPIC_UNKNOWN:
            self._set_down(f"The Kafka topic {self._topic} does not exist yet.")
        elif error.fatal():
            self._fatal = error.str()
        if not delivery.future.done():
            text = f"Kafka did not take {'it' if len(delivery.records) == 1 else 'all of them'} ({error.str()}). Repeat it."
            delivery.future.set_exception(UnavailableError(text, retry_after_s=1))
            # A client that left does not fetch it; that is no error of ours.
            delivery.future.exception()

    # --- the broker's clock -------------------------------------------------------------------------------------------

    def _measure(self, sent_ms: int, stamp_ms: int) -> None:
        before = self._clock.problem
        self._clock.measure(sent_ms=sent_ms, stamp_ms=stamp_ms, acknowledged_ms=time.time_ns() // 1_000_000)
        self._measured_at = time.monotonic()
        if bool(before) != bool(self._clock.problem):
            _log.warning("%s", self._clock.problem or "paai's clock agrees with the Kafka broker's again")

    def _fail_by_clock(self, delivery: Delivery) -> None:
        """A reading of "now" is one of the future for every reader: it must not count as taken."""
        self._lost["clock"].inc(len(delivery.records))
        if not delivery.future.done():
            delivery.future.set_exception(UnavailableError(f"{self._clock.problem} Repeat it.", retry_after_s=1))
            delivery.future.exception()

    def _ask_for_the_clock(self) -> None:
        """Send a record of no content to a topic that nobody reads; its acknowledgement carries the broker's stamp."""
        self._clock_asked_ms = time.time_ns() // 1_000_000
        self._measured_at = time.monotonic()
        try:
            assert self._producer is not None  # noqa: S101
            self._producer.produce(TOPIC_CLOCK, b"", "", 0, self._on_clock)
        except (BufferError, KafkaException):
            self._clock_asked_ms = 0

    def _on_clock(self, error: Any, message: Any) -> None:
        sent_ms, self._clock_asked_ms = self._clock_asked_ms, 0
        if error is None and sent_ms and (stamp_ms := broker_stamp(message)):
            self._measure(sent_ms, stamp_ms)

    # --- state --------------------------------------------------------------------------------------------------------

    def _on_error(self, error: Any) -> None:
        """librdkafka's event; comes from `poll`, so in the loop's thread."""
        if error.fatal():
            self._fatal = error.str()
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001
            self._set_down(f"Kafka at {self._options.bootstrap} cannot be reached.")

    def _set_down(self, reason: str) -> None:
        if not self._down:
            _log.warning("%s", reason)
        self._down = reason

    async def _tick_forever(self) -> None:
        probe_at = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            self._poll()
            self._in_flight_gauge.set(self._in_flight)
            now = time.monotonic()
            if self._fatal:
                self._reopen()
            elif self._in_flight and now - self._last_progress > self._options.ack_timeout_s + STALL_GRACE_S:
                _log.warning(
                    "no acknowledgement for %.0f s, giving up on %s readings", now - self._last_progress, self._in_flight
                )
                self._purge()
            quiet_s = now - self._measured_at
            if not self._down and not self._clock_asked_ms and quiet_s > (CLOCK_DIFFERS_S if self._clock.problem else CLOCK_S):
                self._ask_for_the_clock()
            if self._down and now >= probe_at:
                await self._probe()
                probe_at = time.monotonic() + PROBE_EVERY_S

    async def _probe(self) -> None:
        """Ask Kafka for the topic, from another thread since the call blocks."""
        producer = self._producer
        assert producer is not None  # noqa: S101
        try:
            found = await self._loop.run_in_executor(self._prober, producer.list_topics, self._topic, PROBE_TIMEOUT_S)
        except KafkaException:
            self._set_down(f"Kafka at {self._options.bootstrap} cannot be reached.")
            return
        topic = found.topics.get(self._topic)
        if topic is None or topic.error is not None or not topic.partitions:
            self._set_down(f"The Kafka topic {self._topic} does not exist yet.")
            return
        if self._down:
            _log.info(
                "Kafka at %s answers, topic %s has %s partitions", self._options.bootstrap, self._topic, len(topic.partitions)
            )
        self._down = ""

    def _purge(self) -> None:
        if self._producer is not None:
            self._producer.purge(in_queue=True, in_flight=True, blocking=False)
            self._poll()

    def _reopen(self) -> None:
        """An idempotent producer that lost its sequence is of no more use; a new one starts a new sequence."""
        _log.error("the Kafka producer failed (%s); making a new one", self._fatal)
        self._purge()
        self._open()
