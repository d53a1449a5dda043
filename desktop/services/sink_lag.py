"""How far Connect's sink is behind the topic: its group's committed offsets against the topic's ends."""

import threading
import time
from collections import deque
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaException, TopicPartition

from backend.contract.names import SINK_GROUP, TOPIC_MESSAGES
from desktop.model.progress import SinkProgress
from desktop.services.kafka_feed import KafkaLogin

_TIMEOUT_S = 3.0
POLL_S = 2.0
#: Connect commits every few seconds; a slope over less would jump.
_OVER_S = 30.0


class SlopeMeter:
    """Turns (time, committed, end) into rates over the last `_OVER_S` seconds."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int, int]] = deque()

    def add(self, now: float, committed: int, end: int) -> SinkProgress:
        """What is known as of now."""
        if self._points and (committed < self._points[-1][1] or end < self._points[-1][2]):
            self._points.clear()  # the topic or the group began anew
        self._points.append((now, committed, end))
        while self._points[0][0] < now - _OVER_S:
            self._points.popleft()
        first = self._points[0]
        took = now - first[0]
        lag = max(0, end - committed)
        if took < _OVER_S / 3:
            return SinkProgress(at=now, lag=lag)
        stored, produced = (committed - first[1]) / took, (end - first[2]) / took
        return SinkProgress(now, lag, stored, produced, produced - stored)


class SinkLag:
    """Looks every two seconds. Its consumer belongs to the thread in `run`; it joins no group and commits nothing."""

    def __init__(self, *, login: KafkaLogin, topic: str = TOPIC_MESSAGES, clock: Callable[[], float] = time.time) -> None:
        self._login, self._topic, self._clock = login, topic, clock
        self._progress = SinkProgress()

    @property
    def progress(self) -> SinkProgress:
        """As last looked at; any thread."""
        return self._progress

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set."""
        meter = SlopeMeter()
        # Naming the group without subscribing reads its offsets and does not join it.
        consumer = Consumer(self._login.config() | {"group.id": SINK_GROUP, "enable.auto.commit": False, "log_level": 2})
        try:
            while not stop.wait(POLL_S):
                try:
                    positions = self._positions(consumer)
                except KafkaException:
                    continue  # the feed tells that Kafka does not answer; the old figure keeps its age
                if positions is not None:
                    self._progress = meter.add(self._clock(), *positions)
        finally:
            consumer.close()

    def _positions(self, consumer: Consumer) -> tuple[int, int] | None:
        """Committed and end, summed over all partitions; None while there is no topic."""
        topic = consumer.list_topics(self._topic, timeout=_TIMEOUT_S).topics.get(self._topic)
        if topic is None or topic.error is not None:
            return None
        partitions = [TopicPartition(self._topic, p) for p in topic.partitions]
        committed = end = 0
        for found in consumer.committed(partitions, timeout=_TIMEOUT_S):
            low, high = consumer.get_watermark_offsets(found, timeout=_TIMEOUT_S, cached=False)
            committed += max(found.offset, low)
            end += high
        return committed, end
