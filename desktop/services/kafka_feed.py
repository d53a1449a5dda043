"""A topic followed live: a consumer of its own, without a group, from some time ago to now and on.

Nothing is committed and nobody else is disturbed. The consumer and every call on it belong to the one thread in `run`.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from backend.contract.held import Ends, Held, HeldWatch
from backend.contract.login import kafka_client_config
from backend.contract.names import DESKTOP_GROUP, TOPIC_MESSAGES
from desktop.services.kafka_position import PartitionRange, start_offsets

log = logging.getLogger("desktop.kafka")

#: Big enough that the parse of a batch outweighs what surrounds it, small enough that no step holds the interpreter for
#: more than a few milliseconds.
BATCH_RECORDS = 5_000
#: How long a batch may gather: a fifth of what the eye takes for "now".
GATHER_S = 0.04
#: Bound of what is read of the past at the start.
MAX_BACKFILL_RECORDS = 3_000_000
_CALL_TIMEOUT_S = 5.0
RETRY_S = 1.0
#: How often the topic's partitions and ends are looked at.
LOOK_S = 2.0

# librdkafka's own codes are spelt with an underscore in the Python client.
_ALL_BROKERS_DOWN: int = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001
_LOGIN_REFUSED: int = KafkaError._AUTHENTICATION  # noqa: SLF001
_END: int = KafkaError._PARTITION_EOF  # noqa: SLF001
_TOPIC_GONE: tuple[int, ...] = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION)  # noqa: SLF001


class _TopicChangedError(Exception):
    """The topic is gone or has other partitions: begin anew with what it is now."""


BatchT = TypeVar("BatchT")
ReadT = TypeVar("ReadT", contravariant=True)
MadeT = TypeVar("MadeT", covariant=True)


class Decode(Protocol[MadeT]):
    """Makes a batch of the client's messages; what is no record of its kind is counted in it, never raised."""

    def __call__(self, messages: list[Any], /, *, received: float, live: bool) -> MadeT: ...


class BatchSink(Protocol[ReadT]):
    """What the feed fills; called on the feed's thread."""

    def ingest(self, batch: ReadT, /) -> None: ...

    def note_lag(self, records: int) -> None: ...


@dataclass(frozen=True, slots=True)
class KafkaState:
    """How the connection is.

    Attributes:
        answering: Whether Kafka answered when last asked.
        since: When that last changed, seconds since the epoch; before the first answer: when the feed began.
        reason: What Kafka or the client said, when it does not answer.
        caught_up: Whether all that was there at the start has been read and no partition is held.
        topic_missing: Kafka answers, but has no such topic (yet).
        held: Partitions that an open transaction holds: what is behind it comes when it ends.
    """

    answering: bool
    since: float
    reason: str = ""
    caught_up: bool = False
    topic_missing: bool = False
    held: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class KafkaLogin:
    """How to reach Kafka; SASL where a user is given."""

    bootstrap: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def config(self) -> dict[str, Any]:
        """Settings of a client."""
        login = kafka_client_config(self.user, self.password)
        return {"bootstrap.servers": self.bootstrap, "client.id": "paai-monitor", **login}


class KafkaFeed(Generic[BatchT]):
    """Feeds a sink until told to stop; survives outages, restarts and a recreated topic by itself.

    Args:
        login: Where Kafka is.
        sink: What is filled.
        decode: What its batches are made with.
        span_s: How much of the past is read at the start.
        max_backfill: Bound of that in records; the newest are read.
        clock: Seconds since the epoch.
        make_consumer: Another client, for tests; `topic_id` alike.
        on_recreated: Called on the feed's thread when the topic was deleted and made anew.
        look_s: How often the topic's partitions and ends are looked at.
        retry_s: Pause before another attempt after a failure.
    """

    def __init__(
        self,
        *,
        login: KafkaLogin,
        sink: BatchSink[BatchT],
        decode: Decode[BatchT],
        topic: str = TOPIC_MESSAGES,
        span_s: float = 3600.0,
        max_backfill: int = MAX_BACKFILL_RECORDS,
        clock: Callable[[], float] = time.time,
        make_consumer: Callable[[dict[str, Any]], Any] = Consumer,
        topic_id: Callable[[dict[str, Any], str], str] | None = None,
        on_recreated: Callable[[], object] = lambda: None,
        look_s: float = LOOK_S,
        retry_s: float = RETRY_S,
    ) -> None:
        self._make_consumer, self._look_s, self._retry_s = make_consumer, look_s, retry_s
        self._login, self._sink, self._decode, self._topic = login, sink, decode, topic
        self._span_s, self._max_backfill, self._clock = span_s, max_backfill, clock
        self._state = KafkaState(answering=False, since=clock(), reason="not asked yet")
        self._topic_id = topic_id or _topic_id
        self._on_recreated = on_recreated
        self._held: dict[int, tuple[int, int]] = {}  # per partition its oldest offset and its end, when last looked at
        self._first: dict[int, int] = {}  # per partition the first offset that was read
        self._hold_watch = HeldWatch()
        self._live = False  # whether all that was there when the feed began has been read
        self._id = ""  # the topic that `_next` belongs to; a topic made anew has another
        self._next: dict[int, int] = {}  # per partition the offset to be read next
        self._goal: dict[int, int] = {}  # per partition its end when the feed began
        self._looked_at = 0.0
        self._refused = ""  # said of the login since the last answer

    @property
    def state(self) -> KafkaState:
        """How the connection is; any thread."""
        return self._state

    @property
    def records_held(self) -> int:
        """Records in the topic when it was last looked at, -1 before; any thread."""
        held = self._held
        return sum(high - low for low, high in held.values()) if held else -1

    @property
    def oldest_held(self) -> dict[int, int]:
        """Oldest offset of each partition when it was last looked at; any thread."""
        return {partition: low for partition, (low, _) in self._held.items()}

    @property
    def span(self) -> tuple[dict[int, int], dict[int, int]]:
        """First offset read and offset to be read next, by partition; any thread."""
        return dict(self._first), dict(self._next)

    def run(self, stop: threading.Event) -> None:
        """Feed until `stop` is set; returns within about a second then. Raises nothing that an outage may cause."""
        while not stop.is_set():
            consumer = self._make_consumer(
                self._login.config()
                | {
                    # librdkafka demands one; nothing is ever committed to it.
                    "group.id": DESKTOP_GROUP,
                    "enable.auto.commit": False,
                    "enable.auto.offset.store": False,
                    "auto.offset.reset": "earliest",
                    "allow.auto.create.topics": False,
                    "isolation.level": "read_committed",
                    # Tells the end also where markers and aborted records lie before it.
                    "enable.partition.eof": True,
                    "fetch.wait.max.ms": 50,
                    "fetch.min.bytes": 1,
                    "queued.max.messages.kbytes": 32_768,
                    "fetch.queue.backoff.ms": 20,  # the default waits a second once that is full
                    "reconnect.backoff.max.ms": 2_000,
                    "socket.connection.setup.timeout.ms": 5_000,
                    "error_cb": self._on_error,
                    "log_level": 2,
                }
            )
            try:
                self._follow(consumer, stop)
            except KafkaException as error:
                self._refused = ""
                consumer.poll(0)  # serves `_on_error`: a call only fails, why it does stands there
                self._lost(self._refused or _reason(error))
                stop.wait(self._retry_s)
            except _TopicChangedError as change:
                log.info("%s: %s", self._topic, change)
                stop.wait(self._retry_s)
            finally:
                consumer.close()

    def _follow(self, consumer: Consumer, stop: threading.Event) -> None:
        while not stop.is_set() and not self._assign(consumer):
            stop.wait(self._retry_s)
        self._looked_at = self._clock()
        while not stop.is_set():
            messages = consumer.consume(num_messages=BATCH_RECORDS, timeout=GATHER_S)
            if messages:
                self._take(consumer, messages)
            if self._clock() - self._looked_at >= self._look_s:
                self._look(consumer)
                self._looked_at = self._clock()

    def _take(self, consumer: Consumer, messages: list[Any]) -> None:
        records = [m for m in messages if m.error() is None]
        read = {m.partition() for m in records} & self._next.keys()
        for at in consumer.position([TopicPartition(self._topic, p) for p in read]):
            if at.offset >= 0:
                self._next[at.partition] = at.offset
        if len(records) < len(messages):
            for message in messages:
                error = message.error()
                if error is None:
                    continue
                if error.code() in _TOPIC_GONE:
                    raise _TopicChangedError(error.str())
                if error.code() == _END and message.partition() in self._next:
                    self._next[message.partition()] = max(self._next[message.partition()], message.offset())
        if records:
            self._answered()
            self._sink.ingest(self._decode(records, received=self._clock(), live=self._live))
        if not self._live and all(self._next.get(p, 0) >= end for p, end in self._goal.items()):
            self._set_live(True)

    def _partitions(self, consumer: Consumer) -> set[int]:
        found = consumer.list_topics(self._topic, timeout=_CALL_TIMEOUT_S).topics.get(self._topic)
        if found is None or found.error is not None:
            return set()
        return set(found.partitions)

    def _assign(self, consumer: Consumer) -> bool:
        """Begin an hour ago, or go on where an earlier consumer stood. False while the topic does not exist."""
        partitions = self._partitions(consumer)
        self._answered(topic_missing=not partitions)
        if not partitions:
            return False
        identity = self._topic_id(self._login.config(), self._topic)
        if identity != self._id:
            if self._id:
                self._on_recreated()
            self._next, self._first, self._id = {}, {}, identity
        since_ms = int((self._clock() - self._span_s) * 1000) // 60_000 * 60_000  # whole windows
        by_time = consumer.offsets_for_times(
            [TopicPartition(self._topic, p, since_ms) for p in partitions], timeout=_CALL_TIMEOUT_S
        )
        ranges: dict[int, PartitionRange] = {}
        for found in by_time:
            low, high = consumer.get_watermark_offsets(
                TopicPartition(self._topic, found.partition), timeout=_CALL_TIMEOUT_S, cached=False
            )
            # Negative (OFFSET_END): nothing is that new.
            ranges[found.partition] = PartitionRange(low, high, found.offset if found.offset >= 0 else high)
        starts = start_offsets(ranges, self._max_backfill)
        for partition, position in self._next.items():
            # What was read stays read, but an offset beyond the end belongs to a topic that is gone.
            if partition in ranges and position <= ranges[partition].high:
                starts[partition] = max(position, ranges[partition].low)
        self._next = dict(starts)
        self._first = {p: self._first.get(p, start) for p, start in starts.items()}
        self._held = {p: (r.low, r.high) for p, r in ranges.items()}
        self._goal = {p: r.high for p, r in ranges.items()}
        self._set_live(all(starts[p] >= end for p, end in self._goal.items()))
        consumer.assign([TopicPartition(self._topic, p, offset) for p, offset in starts.items()])
        return True

    def _look(self, consumer: Consumer) -> None:
        """Is Kafka there, how far is the end, is the topic still the one that is read."""
        try:
            partitions = self._partitions(consumer)
            behind, held = 0, {}
            ends: dict[int, Ends] = {}
            for partition in partitions & self._next.keys():
                # A consumer of committed records is told the last stable offset; with each fetch comes the high watermark.
                where = TopicPartition(self._topic, partition)
                low, stable = consumer.get_watermark_offsets(where, timeout=_CALL_TIMEOUT_S, cached=False)
                _, fetched = consumer.get_watermark_offsets(where, timeout=_CALL_TIMEOUT_S, cached=True)
                high = max(stable, fetched)
                ends[partition], held[partition] = Ends(stable, high), (low, stable)
                position = self._next[partition]
                if position > stable:
                    # Recreated: what is in it now was not read yet.
                    log.info("%s/%d begins anew at %d", self._topic, partition, low)
                    self._on_recreated()
                    self._next[partition] = self._first[partition] = low
                    consumer.seek(TopicPartition(self._topic, partition, OFFSET_BEGINNING))
                    ends[partition] = Ends(stable, high := stable)
                behind += high - max(self._next[partition], low)
        except KafkaException as error:
            self._lost(_reason(error))
            self._sink.note_lag(-1)
            return
        self._answered(topic_missing=not partitions)
        self._held = held
        self._set_held(self._hold_watch.look(self._clock(), ends))
        self._sink.note_lag(behind)
        if partitions != self._next.keys():
            # A broker that has just started may not know the topic for a moment: what was read stays remembered.
            for new in partitions - self._next.keys():
                self._next[new] = 0
            raise _TopicChangedError("the topic's partitions have changed")

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == _LOGIN_REFUSED:
            self._refused = "Kafka refuses the login. Restart the monitor: it reads the current login when it starts"
            self._lost(self._refused)
        elif error.code() == _ALL_BROKERS_DOWN:
            self._lost(self._refused or error.str())

    def _answered(self, *, topic_missing: bool = False) -> None:
        self._refused = ""
        if not self._state.answering or self._state.topic_missing != topic_missing:
            since = self._clock() if not self._state.answering else self._state.since
            self._state = replace(self._state, answering=True, since=since, reason="", topic_missing=topic_missing)

    def _lost(self, reason: str) -> None:
        if self._state.answering or self._state.reason != reason:
            since = self._clock() if self._state.answering else self._state.since
            self._state = replace(self._state, answering=False, since=since, reason=reason, held=())

    def _set_live(self, live: bool) -> None:
        self._live = live
        self._state = replace(self._state, caught_up=live and not self._state.held)

    def _set_held(self, held: tuple[Held, ...]) -> None:
        if held != self._state.held:
            self._state = replace(self._state, held=held, caught_up=self._live and not held)


def _topic_id(config: dict[str, Any], topic: str) -> str:
    """What tells a topic from one of the same name that was deleted.

    Raises:
        KafkaException: it cannot be asked for.
    """
    admin = AdminClient(config | {"log_level": 2})  # held until the answer is there: its end cancels what it was asked
    described = admin.describe_topics(TopicCollection([topic]), request_timeout=_CALL_TIMEOUT_S)
    try:
        return str(described[topic].result(_CALL_TIMEOUT_S).topic_id)
    except TimeoutError as error:
        raise KafkaException(KafkaError(KafkaError.REQUEST_TIMED_OUT)) from error


def _reason(error: KafkaException) -> str:
    cause = error.args[0] if error.args else error
    return cause.str() if isinstance(cause, KafkaError) else str(cause)
